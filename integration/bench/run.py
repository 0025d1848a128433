#!/usr/bin/env python3
"""Compares freshpyc with common tools, in one run, and prints a table.

    run.py --tree DIR [--python PYTHON] [--uv UV] [--runs N] [--scratch DIR] [--freshpyc BINARY] [--only ROW[,ROW]]

DIR is a Python tree; it is copied, never changed. All files are written below the scratch directory, by default a new one
in /dev/shm, because the time to create files on a disk varies. UV is a uv executable; it compiles an installed wheel of
the same files in a virtual environment. Each figure is the median of N runs (default 5); the programs' runs alternate.
"""
import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
BARE = r"""
import gc, marshal, os, sys
files = sys.stdin.buffer.read().split(b"\0")
for path in filter(None, files):
    with open(path, "rb") as stream:
        source = stream.read()
    code = compile(source, os.fsdecode(path), "exec", dont_inherit=True)
    folder = os.path.join(os.path.dirname(path), b"__pycache__")
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, os.path.basename(path)[:-3] + b".bare.pyc")
    with open(target + b".tmp", "wb") as stream:
        stream.write(b"0" * 16 + marshal.dumps(code))
    os.replace(target + b".tmp", target)
"""
WARM = r"""
import marshal, sys, time
for line in sys.stdin:
    with open(sys.argv[1], "rb") as stream:
        source = stream.read()
    begun = time.perf_counter()
    marshal.dumps(compile(source, sys.argv[1], "exec", dont_inherit=True))
    print(time.perf_counter() - begun, flush=True)
"""


def timed(arguments, **options):
    begun = time.perf_counter()
    done = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    spent = time.perf_counter() - begun
    if done.returncode not in (0, 1):
        sys.exit("%s: exit status %d\n%s" % (" ".join(arguments), done.returncode, done.stderr.decode()))
    return spent


def sources(tree):
    return [os.path.join(folder, name) for folder, _, names in os.walk(tree) for name in names if name.endswith(".py")]


def forget(tree):
    for folder, names, _ in os.walk(tree):
        for name in [name for name in names if name in ("__pycache__", ".freshpyc")]:
            shutil.rmtree(os.path.join(folder, name))
            names.remove(name)


class Bench:
    def __init__(self, options):
        self.options = options
        self.tree = os.path.join(options.scratch, "tree")
        shutil.copytree(options.tree, self.tree, ignore=shutil.ignore_patterns("__pycache__", ".freshpyc"))
        # Age the sources, so that they are not guarded against another save within the same second.
        then = time.time() - 3600
        self.files = sources(self.tree)
        for path in self.files:
            os.utime(path, (then, then))
        self.rows = []

    def build(self, *more):
        return timed(
            [self.options.freshpyc, "build", self.tree, "--python", self.options.python, "--no-store", *more])

    def compileall(self):
        return timed([self.options.python, "-m", "compileall", "-q", "-j2", self.tree])

    def bare(self):
        halves = [self.files[0::2], self.files[1::2]]
        begun = time.perf_counter()
        running = []
        for half in halves:
            process = subprocess.Popen([self.options.python, "-I", "-S", "-c", BARE], stdin=subprocess.PIPE)
            running.append((process, half))
        for process, half in running:
            process.stdin.write(b"\0".join(os.fsencode(path) for path in half))
            process.stdin.close()
        for process, _ in running:
            process.wait()
        return time.perf_counter() - begun

    def find(self):
        return timed(["find", self.tree, "-name", "*.py", "-printf", "%T@ %s\n"])

    def uv(self):
        """Returns the time that `uv pip install --compile-bytecode` reports for compiling the same files."""
        home = os.path.join(self.options.scratch, "venv")
        shutil.rmtree(home, ignore_errors=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
        subprocess.run([self.options.uv, "venv", "--python", self.options.python, home], **quiet)
        wheel = os.path.join(self.options.scratch, "bench_tree-1-py3-none-any.whl")
        if not os.path.exists(wheel):
            self.make_wheel(wheel)
        done = subprocess.run(
            [self.options.uv, "pip", "install", "--offline", "--no-cache", "--no-deps", "--compile-bytecode",
             "--link-mode", "copy", "--python", os.path.join(home, "bin", "python"), wheel],
            stderr=subprocess.PIPE, text=True)
        match = re.search(r"Bytecode compiled (\d+) files in ([\d.]+)(ms|s|m)", done.stderr)
        if not match:
            sys.exit("uv: " + done.stderr)
        minutes = re.search(r"in (\d+)m (\d+)s", done.stderr)
        if minutes:
            return int(minutes.group(1)) * 60 + int(minutes.group(2))
        return float(match.group(2)) / (1000 if match.group(3) == "ms" else 1)

    def make_wheel(self, wheel):
        info = "bench_tree-1.dist-info/"
        record = []
        with zipfile.ZipFile(wheel, "w") as archive:
            for folder, names, files in os.walk(self.tree):
                names[:] = [name for name in names if name not in ("__pycache__", ".freshpyc")]
                for name in files:
                    inside = os.path.relpath(os.path.join(folder, name), self.tree)
                    if ".dist-info" not in inside:
                        archive.write(os.path.join(folder, name), inside)
                        record.append(inside + ",,\n")
            archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: bench-tree\nVersion: 1\n")
            archive.writestr(
                info + "WHEEL", "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            record += [info + name + ",,\n" for name in ("METADATA", "WHEEL", "RECORD")]
            archive.writestr(info + "RECORD", "".join(record))

    def row(self, name, figures, base, goal):
        medians = {peer: statistics.median(values) for peer, values in figures.items()}
        ratios = [ours / other for ours, other in zip(figures["freshpyc"], figures[base])] if base else []
        ratio = "%.3f x %s" % (statistics.median(ratios), base) if ratios else ""
        cells = ", ".join("%s %s" % (peer, spread(values)) for peer, values in figures.items() if peer != "freshpyc")
        self.rows.append((name, spread(figures["freshpyc"]), cells, ratio, goal))
        print("# %s: %s; %s" % (name, {k: [show(v) for v in vs] for k, vs in figures.items()}, ratio), file=sys.stderr)
        return medians

    def cold(self):
        peers = {"freshpyc": self.build, "compileall -j2": self.compileall, "two bare processes": self.bare}
        if self.options.uv:
            peers["uv"] = self.uv
        figures, processor = {name: [] for name in peers}, {name: [] for name in peers}
        for _ in range(self.options.runs):
            for name, run in peers.items():
                forget(self.tree)
                before = os.times()
                figures[name].append(run())
                after = os.times()
                processor[name].append(after.children_user + after.children_system - before.children_user
                                       - before.children_system)
        base = "uv" if self.options.uv else "compileall -j2"
        medians = self.row("cold build", figures, base, "0.95 x uv, 0.40 x compileall")
        print("# cold: %.2f x compileall -j2, %.2f x bare" % (
            medians["freshpyc"] / medians["compileall -j2"], medians["freshpyc"] / medians["two bare processes"]),
            file=sys.stderr)
        bare = "two bare processes"
        self.row("cold build, wall time", {name: figures[name] for name in ("freshpyc", bare)}, bare, "1.05 x")
        self.row("cold build, processor time", {name: processor[name] for name in ("freshpyc", bare)}, bare, "1.06 x")

    def unchanged(self):
        forget(self.tree)
        self.build()
        # Without -j, which costs compileall more than it saves when there is nothing to do.
        compileall = [self.options.python, "-m", "compileall", "-q", self.tree]
        figures = {"freshpyc": [], "find": [], "compileall": []}
        for _ in range(max(self.options.runs, 9)):
            figures["find"].append(self.find())
            figures["freshpyc"].append(self.build())
        for _ in range(self.options.runs):
            figures["compileall"].append(timed(compileall))
        self.row("nothing changed", figures, "find", "0.7 x find")

    def touched(self):
        forget(self.tree)
        cold, figures = [], []
        for step in range(self.options.runs):
            forget(self.tree)
            cold.append(self.build())
            then = time.time() - 1800 + step
            for path in self.files:
                os.utime(path, (then, then))
            figures.append(self.build())
        self.row("all touched, none changed", {"freshpyc": figures, "cold build": cold}, "cold build", "1/15 = 0.067; 1/25 = 0.040")

    def save(self):
        """Measures the time from the end of a save until the bytecode is in place, alternating with a warm process that
        only compiles the file. Both wake up after the same second of sleep, which slows the compiler more than freshpyc."""
        forget(self.tree)
        target = max((path for path in self.files if abs(os.path.getsize(path) - 46000) < 3000), key=os.path.getsize,
                     default=max(self.files, key=os.path.getsize))
        tag = subprocess.run([self.options.python, "-c", "import sys; print(sys.implementation.cache_tag)"],
                             stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
        pyc = os.path.join(os.path.dirname(target), "__pycache__", "%s.%s.pyc" % (os.path.basename(target)[:-3], tag))
        with open(target) as stream:
            text = stream.read()
        watch = subprocess.Popen([self.options.freshpyc, "watch", self.tree, "--no-store", "--python", self.options.python],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            for line in watch.stderr:
                if line.startswith("ready"):
                    break
            bare = subprocess.Popen([self.options.python, "-I", "-S", "-c", WARM, target], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
            times, bares = [], []
            time.sleep(1)
            for step in range(40):
                before = os.stat(pyc).st_mtime_ns
                with open(target, "w") as stream:
                    stream.write(text + "\nedited = %d\n" % (step % 10))
                begun = time.perf_counter()
                while os.stat(pyc).st_mtime_ns == before:
                    time.sleep(0.0001)  # a busy loop would take a processor from the measured processes
                times.append(time.perf_counter() - begun)
                # Wait for the guard's own write, after the second is over.
                time.sleep(1.15)
                bare.stdin.write("\n")
                bare.stdin.flush()
                bares.append(float(bare.stdout.readline()))
                time.sleep(1.15)
            bare.stdin.close()
            bare.wait()
            bare = statistics.median(bares)
            mine = statistics.median(times)
            self.rows.append(("save of a %d kB module to bytecode" % (len(text) // 1000), spread(times),
                              "bare compile %s" % spread(bares), "bare + %s" % show(mine - bare), "bare + 2 ms"))
            print("# save: %s, bare %s" % (show(mine), show(bare)), file=sys.stderr)
            self.idle(watch.pid)
        finally:
            watch.send_signal(signal.SIGTERM)
            watch.wait()
            with open(target, "w") as stream:
                stream.write(text)

    def idle(self, pid):
        def switches():
            found = {}
            for task in os.listdir("/proc/%d/task" % pid):
                with open("/proc/%d/task/%s/status" % (pid, task)) as stream:
                    found[task] = sum(int(line.split()[1]) for line in stream if "ctxt_switches" in line)
            return found
        with open("/proc/%d/status" % pid) as stream:
            memory = next(int(line.split()[1]) for line in stream if line.startswith("VmRSS"))
        time.sleep(10)
        before = switches()
        time.sleep(self.options.idle)
        # A thread that has ended meanwhile has not been woken by work.
        woken = sum(count - before.get(task, 0) for task, count in switches().items())
        self.rows.append(("daemon's memory", "%.0f MB" % (memory / 1000), "", "", "60 MB"))
        self.rows.append(("wake-ups in %d s of idling" % self.options.idle, str(woken), "", "", "0"))

    def table(self):
        print("| work | freshpyc | peers | ratio | goal |\n|---|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def show(seconds):
    return "%.2f s" % seconds if seconds >= 1 else "%.1f ms" % (seconds * 1000)


def spread(values):
    """The median, and how far the figures are apart."""
    return "%s (%s to %s)" % (show(statistics.median(values)), show(min(values)), show(max(values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--uv", default=shutil.which("uv"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--idle", type=int, default=20)
    parser.add_argument("--scratch")
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--only", default="cold,unchanged,touched,save")
    options = parser.parse_args()
    options.freshpyc = os.path.abspath(options.freshpyc)
    with tempfile.TemporaryDirectory(dir=options.scratch or "/dev/shm", prefix="freshpyc-bench-") as scratch:
        options.scratch = scratch
        bench = Bench(options)
        for row in options.only.split(","):
            getattr(bench, row)()
        bench.table()


if __name__ == "__main__":
    main()
