#!/usr/bin/env python3
"""Random edits against a daemon; after each burst `freshpyc wait`, and CPython says what should be there.

    run.py [--seed N] [--seeds N] [--operations N] [--minutes M] [--freshpyc BINARY] [--python PYTHON] [--keep]

A seed gives the same operations every time. It is printed; a difference is printed with it, and exits with 1.
After each burst: every artifact equals a clean recompile (header and code), nothing is left over, no temporary file
stays, and at the end of a seed the database equals that of a fresh build, and no process or descriptor is left.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(HERE, "..", "oracle.py")


class Difference(Exception):
    pass


class Torture:
    def __init__(self, options, seed):
        self.options = options
        self.seed = seed
        self.random = random.Random(seed)
        self.home = tempfile.mkdtemp(prefix="freshpyc-torture-%d-" % seed, dir=options.scratch)
        self.root = os.path.join(self.home, "tree")
        os.mkdir(self.root)
        self.count = 0
        self.log = []
        for _ in range(12):
            self.create()
        self.start()

    # The daemon

    def run(self, *words, check=True):
        done = subprocess.run([self.options.freshpyc, *words], cwd=self.root, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120,
                              env={"PATH": os.environ["PATH"], "HOME": self.home})
        if check and done.returncode not in (0, 1):
            raise Difference("%s: exit status %d: %s" % (words, done.returncode, done.stderr))
        return done

    def start(self):
        self.run("watch", "--background", "--python", self.options.python)

    def status(self):
        return json.loads(self.run("status", "--format", "json").stdout)

    # What may happen to a tree

    def sources(self):
        return [os.path.join(folder, name) for folder, names, files in self.walk() for name in files
                if name.endswith(".py")]

    def folders(self):
        return [folder for folder, _, _ in self.walk()]

    def walk(self):
        for folder, names, files in os.walk(self.root):
            names[:] = sorted(name for name in names if name not in ("__pycache__", ".freshpyc"))
            yield folder, names, sorted(files)

    def text(self):
        self.count += 1
        kind = self.random.random()
        if kind < 0.08:
            return "def broken%d(:\n" % self.count
        if kind < 0.12:
            return ""
        lines = self.random.randrange(1, 12)
        return "".join("v%d = {%d, 'text', (1, %d)}\n" % (line, self.count, line) for line in range(lines))

    def name(self):
        self.count += 1
        return self.random.choice(["m%d.py", "m%d.py", "m%d.py", "\u00fc%d.py", "a b%d.py", "dot.%d.py"]) % self.count

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)

    def create(self):
        self.write(os.path.join(self.random.choice(self.folders()), self.name()), self.text())

    def pick(self):
        sources = self.sources()
        return self.random.choice(sources) if sources else None

    def edit(self):
        path = self.pick()
        if path and not os.path.islink(path):
            self.write(path, self.text())

    def same_size_edit(self):
        path = self.pick()
        if path and not os.path.islink(path):
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            digits = [index for index, char in enumerate(text) if char.isdigit()]
            if digits:
                at = self.random.choice(digits)
                self.write(path, text[:at] + str(self.random.randrange(10)) + text[at + 1:])

    def replace(self):
        path = self.pick()
        if path:
            self.write(path + ".new", self.text())
            os.replace(path + ".new", path)

    def touch(self):
        path = self.pick()
        if path and os.path.exists(path):
            then = time.time() - self.random.randrange(100000)
            os.utime(path, self.random.choice([None, (then, then)]))

    def rename(self):
        path = self.pick()
        if path:
            os.rename(path, os.path.join(self.random.choice(self.folders()), self.name()))

    def swap(self):
        one, other = self.pick(), self.pick()
        if one and other and one != other:
            os.rename(one, one + ".swap")
            os.rename(other, one)
            os.rename(one + ".swap", other)

    def delete(self):
        path = self.pick()
        if path:
            os.remove(path)

    def make_folder(self):
        self.count += 1
        folder = os.path.join(self.random.choice(self.folders()), "d%d" % self.count, "s")
        os.makedirs(folder)
        self.write(os.path.join(folder, self.name()), self.text())

    def move_folder(self):
        folders = self.folders()[1:]
        if folders:
            folder = self.random.choice(folders)
            places = [place for place in self.folders() if not (place + "/").startswith(folder + "/")]
            self.count += 1
            os.rename(folder, os.path.join(self.random.choice(places), "moved%d" % self.count))

    def delete_folder(self):
        folders = self.folders()[1:]
        if len(folders) > 2:
            shutil.rmtree(self.random.choice(folders), ignore_errors=True)

    def copy_folder(self):
        folders = [folder for folder in self.folders()[1:] if len(list(os.scandir(folder))) < 12]
        if folders and len(self.sources()) < 150:
            self.count += 1
            try:
                # The daemon is at work in the copy before it is complete, and in the original.
                shutil.copytree(self.random.choice(folders), os.path.join(self.root, "copy%d" % self.count),
                                symlinks=True, dirs_exist_ok=True)
            except shutil.Error as error:
                if not all("__pycache__" in os.fspath(entry[0]) for entry in error.args[0]):
                    raise

    def link(self):
        path = self.pick()
        if path and not os.path.islink(path):
            self.count += 1
            os.symlink(path, os.path.join(self.random.choice(self.folders()), "link%d.py" % self.count))

    def hard_link(self):
        path = self.pick()
        if path:
            self.count += 1
            os.link(path, os.path.join(self.random.choice(self.folders()), "hard%d.py" % self.count),
                    follow_symlinks=False)

    def chmod(self):
        path = self.pick()
        if path and os.path.exists(path):
            os.chmod(path, self.random.choice([0o644, 0o600, 0o755, 0o444]))

    def checkout(self):
        """As git does: many files at once, some gone, some new, some changed."""
        for path in self.sources():
            what = self.random.random()
            if what < 0.1:
                os.remove(path)
            elif what < 0.5 and not os.path.islink(path):
                os.remove(path)
                self.write(path, self.text())
        for _ in range(10):
            self.create()

    def delete_bytecode(self):
        caches = [os.path.join(folder, "__pycache__") for folder in self.folders()]
        cache = self.random.choice(caches)
        if self.random.random() < 0.3:
            shutil.rmtree(cache, ignore_errors=True)
        elif os.path.isdir(cache) and os.listdir(cache):
            os.remove(os.path.join(cache, self.random.choice(sorted(os.listdir(cache)))))

    def damage_bytecode(self):
        cache = os.path.join(self.random.choice(self.folders()), "__pycache__")
        if os.path.isdir(cache) and os.listdir(cache):
            path = os.path.join(cache, self.random.choice(sorted(os.listdir(cache))))
            size = os.path.getsize(path)
            with open(path, "r+b") as stream:
                if self.random.random() < 0.5:
                    stream.truncate(size // 2)
                else:
                    stream.seek(self.random.randrange(size))
                    stream.write(bytes([self.random.randrange(256)]))

    def kill_worker(self):
        for process in self.status()["workers"]["processes"]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def kill_daemon(self):
        process = self.status()["process"]
        os.kill(process, signal.SIGKILL)
        while True:
            try:
                with open("/proc/%d/stat" % process) as stream:
                    if stream.read().rpartition(")")[2].split()[0] in "ZX":
                        break
            except OSError:
                break
            time.sleep(0.005)
        for _ in range(self.random.randrange(3)):
            self.edit()
        self.start()

    WEIGHTS = [
        ("create", 10), ("edit", 20), ("same_size_edit", 15), ("replace", 8), ("touch", 8), ("rename", 8), ("swap", 5),
        ("delete", 6), ("make_folder", 4), ("move_folder", 4), ("delete_folder", 2), ("copy_folder", 2), ("link", 2),
        ("hard_link", 2), ("chmod", 3), ("checkout", 1), ("delete_bytecode", 5), ("damage_bytecode", 5),
        ("kill_worker", 1), ("kill_daemon", 1),
    ]

    # The rounds

    def burst(self):
        names = self.random.choices([name for name, _ in self.WEIGHTS], [weight for _, weight in self.WEIGHTS],
                                    k=self.random.choice([1, 1, 2, 5, 20]))
        for name in names:
            self.log.append(name)
            getattr(self, name)()
        self.run("wait", "--timeout", "60")
        self.compare()
        return len(names)

    def compare(self):
        """A second look forgives a temporary file that was there for a moment: once the second of a save is over, a
        header gets its time, and nobody waits for that."""
        try:
            self.look()
        except Difference as difference:
            if not all("/.freshpyc-" in line or not line for line in str(difference).split("\n")):
                raise
            time.sleep(0.5)
            self.look()

    def look(self):
        done = subprocess.run([self.options.python, "-I", ORACLE, self.root, "0", "guarded"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode or done.stdout:
            raise Difference(done.stdout + done.stderr)

    def finish(self):
        """Everything as a fresh build has it, and nothing left."""
        status = self.status()
        descriptors = len(os.listdir("/proc/%d/fd" % status["process"]))
        if descriptors > 40:
            raise Difference("the daemon holds %d descriptors" % descriptors)
        self.run("stop")
        with open(os.path.join(self.root, ".freshpyc", "state.json")) as stream:
            kept = json.load(stream)
        shutil.rmtree(os.path.join(self.root, ".freshpyc"))
        self.run("build", "--python", self.options.python)
        with open(os.path.join(self.root, ".freshpyc", "state.json")) as stream:
            fresh = json.load(stream)

        def verdicts(state):
            return {json.dumps(module["path"]): (module["fingerprint"], [
                (trace["outcome"], trace.get("diagnostics")) for trace in module["traces"]]) for module in state["modules"]}
        if verdicts(kept) != verdicts(fresh):
            raise Difference("the database differs from a fresh one: %s" % (
                {key: (verdicts(kept).get(key), verdicts(fresh).get(key))
                 for key in verdicts(kept).keys() | verdicts(fresh).keys()
                 if verdicts(kept).get(key) != verdicts(fresh).get(key)}))

    def end(self, keep):
        try:
            self.run("stop", check=False)
        finally:
            if not keep:
                shutil.rmtree(self.home, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed upwards")
    parser.add_argument("--operations", type=int, default=2000, help="of each seed")
    parser.add_argument("--minutes", type=float, help="stop after this long, whatever is left")
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/debug/freshpyc"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--scratch", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    parser.add_argument("--keep", action="store_true", help="leave the tree of a difference where it is")
    options = parser.parse_args()
    options.freshpyc = os.path.abspath(options.freshpyc)
    deadline = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    total = 0
    for seed in range(options.seed, options.seed + options.seeds):
        torture = Torture(options, seed)
        operations = 0
        try:
            while operations < options.operations and time.monotonic() < deadline:
                operations += torture.burst()
            torture.finish()
        except Exception as difference:
            print("seed %d, after %d operations, the last: %s" % (seed, len(torture.log), torture.log[-25:]))
            print("%s: %s" % (torture.root if options.keep else "difference", difference))
            torture.end(options.keep)
            return 1
        torture.end(False)
        total += operations
        print("seed %d: %d operations, no difference" % (seed, operations), flush=True)
        if time.monotonic() >= deadline:
            break
    print("%d operations, no difference" % total)
    return 0


sys.exit(main())
