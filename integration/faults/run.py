#!/usr/bin/env python3
"""Makes every system call of freshpyc fail once, and checks the result.

    run.py [--scenario NAME] [--sample N] [--seed N] [--every] [--jobs N] [--freshpyc BINARY] [--case TEXT] [--keep]

Needs a debug build: FRESHPYC_FAULT (see FaultPlan.swift) makes the K-th call of an operation fail with an errno. A run
without a fault first records the calls of each scenario. Then each call fails with each errno that its man page lists
for a correct program. Calls that differ only in the numbers in their paths are one class; the first two and the last
of each class are tried, or all with --every. --sample N takes N cases at random.

After each case:
- no artifact that import would run differs from a clean compilation by CPython,
- exit status 0 means that the tree is up to date; any other status comes with a message (but ENOENT and ELOOP mean that
  a file was just removed or replaced by a link, and then exit status 0 is right),
- nothing hangs, and no process and no temporary file is left,
- a run without faults brings everything up to date.
"""
import argparse
import concurrent.futures
import errno
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import oracle

TIME_LIMIT = 30
OLD = time.time() - 100_000

DISK_FULL = ["ENOSPC", "EIO", "EDQUOT"]
PLACE = ["EACCES", "EIO", "ENOMEM"]
ERRNOS = {
    "openat": ["EACCES", "EIO", "EMFILE", "ENOENT", "ESTALE", "ENOMEM", "ELOOP"],
    "openat2": ["EACCES", "EIO", "EMFILE", "ENOENT", "ESTALE", "ENOMEM", "ELOOP", "EPERM", "ENOSYS", "EAGAIN"],
    "stat": PLACE + ["ESTALE"],
    "fstat": ["EIO", "ENOMEM", "ESTALE"],
    "read": ["EIO", "EINTR", "ESTALE"],
    "pread": ["EIO"],
    "write": DISK_FULL + ["EINTR"],
    "writev": DISK_FULL + ["EINTR"],
    "pwrite": DISK_FULL,
    "rename": ["EACCES", "EIO", "ENOSPC"],
    "getdents64": ["EIO", "ENOENT"],
    "mkdir": ["EACCES", "EIO", "ENOSPC", "EROFS"],
    "unlink": ["EACCES", "EIO", "EROFS"],
    "rmdir": ["EACCES", "EIO"],
    "fsync": ["EIO", "ENOSPC"],
    "ftruncate": ["EIO"],
    "futimens": ["EIO", "EPERM"],
    "flock": ["ENOLCK", "EINTR", "EIO"],
    "readlink": ["EACCES", "EIO"],
    "symlink": DISK_FULL,
    "link": DISK_FULL + ["EMLINK"],
    "realpath": ["EACCES", "EIO", "ENOENT"],
    "getcwd": ["ENOENT", "EACCES"],
    "access": ["EACCES", "EIO"],
    "poll": ["EINTR", "ENOMEM"],
    "fcntl": ["EPERM"],
    "epoll_create1": ["EMFILE", "ENOMEM"],
    "epoll_ctl": ["ENOMEM", "ENOSPC"],
    "epoll_wait": ["EINTR"],
    "timerfd_create": ["EMFILE", "ENOMEM"],
    "timerfd_settime": ["EINTR"],
    "inotify_init1": ["EMFILE", "ENOMEM"],
    "inotify_add_watch": ["ENOSPC", "ENOMEM", "ENOENT", "EACCES"],
    "inotify_rm_watch": ["EINVAL"],
    "posix_spawn": ["EAGAIN", "ENOMEM"],
    "waitpid": ["EINTR"],
    "pipe2": ["EMFILE", "ENFILE"],
    "pidfd_open": ["EMFILE"],
    "socket": ["EMFILE", "ENOMEM"],
    "bind": ["EADDRINUSE", "EACCES", "ENOSPC"],
    "listen": ["EADDRINUSE"],
    "accept": ["EMFILE", "ENOMEM", "ECONNABORTED"],
    "connect": ["ECONNREFUSED", "EACCES", "EAGAIN"],
    "getsockopt": ["ENOMEM"],
    "sendto": ["ENOMEM"],
}


class Wrong(Exception):
    pass


class Case:
    """One run of a scenario, in a directory of its own."""

    def __init__(self, options, template, fault):
        self.options = options
        self.fault = fault
        self.home = tempfile.mkdtemp(prefix="freshpyc-fault-", dir=options.scratch)
        self.root = os.path.join(self.home, "tree")
        shutil.copytree(template, self.root, symlinks=True)
        self.sessions = []
        self.said = ""

    def environment(self, faulty):
        variables = {"PATH": os.environ["PATH"], "HOME": self.home, "XDG_RUNTIME_DIR": self.home, "LC_ALL": "C.UTF-8"}
        if faulty and self.fault:
            variables["FRESHPYC_FAULT"] = self.fault
        return variables

    def start(self, *words, faulty=True):
        process = subprocess.Popen(
            [self.options.freshpyc, *words], cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=self.environment(faulty), start_new_session=True)
        self.sessions.append(process.pid)
        return process

    def run(self, *words, faulty=True, counts=True):
        """Runs a command; returns its exit status and output."""
        process = self.start(*words, faulty=faulty)
        try:
            output = process.communicate(timeout=TIME_LIMIT)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            raise Wrong("%s hangs" % words[0])
        if counts:
            self.said += "$ %s\n%s[%d]\n" % (" ".join(words), output, process.returncode)
        if process.returncode not in (0, 1, 2):
            raise Wrong("%s: exit status %d: %s" % (words[0], process.returncode, output))
        if process.returncode and not output.strip():
            raise Wrong("%s: exit status %d without a word" % (words[0], process.returncode))
        return process.returncode, output

    def build(self, faulty=True):
        return self.run("build", "--no-daemon", "--jobs", "1", "--python", self.options.python, faulty=faulty)

    # Checks

    def differences(self, output=None):
        """The differences in the tree, or in a deployment, whose code has the file names of the tree."""
        found = []
        root = output or self.root
        for folder, names, files in os.walk(root):
            names[:] = [name for name in names if name != ".freshpyc"]
            if os.path.basename(folder) == "__pycache__":
                for name in files:
                    source = os.path.join(os.path.dirname(folder), name.split(".cpython-")[0] + ".py")
                    if not os.path.exists(source):
                        found.append("left over: %s" % os.path.join(folder, name))
                continue
            for name in files:
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    difference = (
                        oracle.check(path, 0, "unchecked-hash", os.path.join(self.root, os.path.relpath(path, output)))
                        if output
                        else oracle.check(path, 0, "guarded"))
                    if difference:
                        found.append("%s: %s" % (path, difference))
        return found

    def expect_never_wrong(self, found):
        """Missing, stale and left-over bytecode is harmless, because import does not run it. Other differences are wrong."""
        wrong = [text for text in found if not re.search(r"left over: |: no bytecode$|: header is ", text)]
        if wrong:
            raise Wrong("wrong artifact: %s" % wrong[:4])

    @property
    def hides_files(self):
        """Whether the fault claims that a file does not exist, or was replaced by a link."""
        return bool(self.fault) and self.fault.endswith((":%d" % errno.ENOENT, ":%d" % errno.ELOOP))

    def expect_right(self, what, output=None):
        if self.hides_files:
            return
        found = self.differences(output)
        if found:
            raise Wrong("%s gave exit status 0, but %s" % (what, found[:4]))

    def expect_clean(self):
        for session in self.sessions:
            left = self.processes(session)
            if left:
                raise Wrong("left running: %s" % left)
        for folder, _, files in os.walk(self.home):
            for name in files:
                if name.startswith((".freshpyc-", ".new-")) or name.endswith(".tmp"):
                    raise Wrong("temporary file left: %s" % os.path.join(folder, name))

    @staticmethod
    def processes(session):
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open("/proc/%s/stat" % entry) as stream:
                        fields = stream.read().rpartition(")")[2].split()
                    if int(fields[3]) == session and fields[0] not in "ZX":
                        with open("/proc/%s/cmdline" % entry) as stream:
                            found.append((int(entry), stream.read().replace("\0", " ")))
                except OSError:
                    pass
        return found

    def end(self):
        for session in self.sessions:
            for process, _ in self.processes(session):
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if not self.options.keep:
            shutil.rmtree(self.home, ignore_errors=True)

    # Edits

    def write(self, name, text, old=False):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as stream:
            stream.write(text)
        if old:
            os.utime(path, (OLD, OLD))

    def edit(self):
        self.write("p1/m2.py", "VALUE = 'edited'\n")
        self.write("p2/m3.py", "def f():\n    return 'another'\n")
        self.write("p3/new.py", "NEW = 1\n")
        os.remove(os.path.join(self.root, "p4/m4.py"))
        self.write("added/inner.py", "INNER = 1\n")
        os.utime(os.path.join(self.root, "p0/m1.py"))


class Scenario:
    prepares = False

    def run(self, case):
        raise NotImplementedError

    def heal(self, case):
        status, output = case.build(faulty=False)
        if status:
            raise Wrong("does not heal: %s" % output)
        found = case.differences()
        if case.hides_files:
            # A file that seemed not to exist was not removed, and only `clean` finds it.
            found = [text for text in found if not text.startswith("left over: ")]
        if found:
            raise Wrong("does not heal: %s" % found[:4])


class Build(Scenario):
    def run(self, case):
        status, _ = case.build()
        found = case.differences()
        case.expect_never_wrong(found)
        if status == 0:
            case.expect_right("build")


class Rebuild(Build):
    """A build of a tree that was built before and then edited."""

    prepares = True

    def run(self, case):
        case.edit()
        super().run(case)


class Watch(Scenario):
    def run(self, case):
        daemon = case.start("watch", "--jobs", "1", "--python", case.options.python)
        log = open(os.path.join(case.home, "daemon.log"), "wb+")
        reader = subprocess.Popen(["cat"], stdin=daemon.stdout, stdout=log, start_new_session=True)
        try:
            self.drive(case, daemon, log)
            case.run("stop", faulty=False, counts=False)
            if daemon.poll() is None:
                # Without a control socket, `stop` cannot reach the daemon.
                if not self.until(lambda: daemon.poll() is not None, 1):
                    daemon.send_signal(signal.SIGTERM)
            if not self.until(lambda: daemon.poll() is not None):
                raise Wrong("the daemon does not stop")
            reader.wait(TIME_LIMIT)
        finally:
            if daemon.poll() is None:
                daemon.kill()
            daemon.wait()
            reader.wait()
            log.seek(0)
            case.said += "daemon [%s]:\n%s" % (daemon.returncode, log.read().decode(errors="replace"))
            log.close()
        if daemon.returncode not in (0, 2):
            raise Wrong("the daemon ended with %s" % daemon.returncode)
        if daemon.returncode == 2 and "freshpyc: " not in case.said:
            raise Wrong("the daemon ended with 2 and without a word")

    def until(self, condition, seconds=TIME_LIMIT):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def await_ready(self, daemon, log, count=1):
        """Waits until the daemon is ready or has ended."""
        def text():
            log.flush()
            return os.pread(log.fileno(), 1 << 20, 0)
        if not self.until(lambda: daemon.poll() is not None or text().count(b"ready: ") >= count):
            raise Wrong("the daemon does not become ready: %s" % text().decode())

    def wait(self, case):
        status, output = case.run("wait", "--timeout", "20", faulty=False)
        if "not in time" in output or "in vain" in output or "timed out" in output:
            raise Wrong("wait hangs: %s" % output)
        case.expect_never_wrong(case.differences())
        if status == 0:
            case.expect_right("wait")
        return status

    def drive(self, case, daemon, log):
        self.await_ready(daemon, log)
        case.edit()
        self.wait(case)


class Reload(Watch):
    def drive(self, case, daemon, log):
        self.await_ready(daemon, log)
        self.wait(case)
        # The new session finds changes made before the reload.
        case.write("p5/m0.py", "BEFORE = 1\n")
        if daemon.poll() is None:
            daemon.send_signal(signal.SIGHUP)
        self.await_ready(daemon, log, 2)
        self.wait(case)
        case.edit()
        self.wait(case)


class Precompile(Scenario):
    def run(self, case):
        output, manifest = os.path.join(case.home, "out"), os.path.join(case.home, "manifest.json")
        words = ["precompile", "--jobs", "1", "--python", case.options.python, "--output", output, "--manifest",
                 manifest]
        status, _ = case.run(*words)
        if os.path.isdir(output):
            case.expect_never_wrong(case.differences(output))
        if status == 0 and not case.hides_files:
            self.check(case, output, manifest)
        status, said = case.run(*words, faulty=False)
        if status:
            raise Wrong("does not heal: %s" % said)
        self.check(case, output, manifest)

    def check(self, case, output, manifest):
        case.expect_right("precompile", output)
        for folder, _, files in os.walk(case.root):
            for name in files:
                copy = os.path.join(output, os.path.relpath(os.path.join(folder, name), case.root))
                with open(os.path.join(folder, name), "rb") as source:
                    text = source.read()
                if not os.path.exists(copy):
                    raise Wrong("precompile gave exit status 0, but %s is missing" % copy)
                with open(copy, "rb") as there:
                    if there.read() != text:
                        raise Wrong("precompile gave exit status 0, but %s differs" % copy)
        with open(manifest) as stream:
            sources = json.load(stream)["sources"]
        if len(sources) != 50:
            raise Wrong("the manifest names %d sources" % len(sources))
        for source in sources:
            for entry in source["bytecode"]:
                with open(os.path.join(output, entry["path"]), "rb") as stream:
                    if entry.get("sha256") != hashlib.sha256(stream.read()).hexdigest():
                        raise Wrong("the manifest is wrong about %s" % entry["path"])


SCENARIOS = {"build": Build(), "rebuild": Rebuild(), "watch": Watch(), "reload": Reload(), "precompile": Precompile()}


def make_template(home):
    root = os.path.join(home, "template")
    for package in range(10):
        os.makedirs(os.path.join(root, "p%d" % package))
        for module in range(5):
            name = "__init__" if module == 0 else "m%d" % module
            if package == 5 and module == 0:
                name = "m0"
            text = "import p%d\nVALUES = {%d, 'text', (1, %d)}\ndef f(a=1):\n    return a * %d\n" % (
                (package + 1) % 10, package, module, module)
            with open(os.path.join(root, "p%d" % package, name + ".py"), "w") as stream:
                stream.write(text)
            os.utime(os.path.join(root, "p%d" % package, name + ".py"), (OLD, OLD))
    return root


def attempt(options, template, name, fault):
    """Runs one case; returns the problem, or None, and the output."""
    scenario = SCENARIOS[name]
    case = Case(options, template, fault)
    try:
        if scenario.prepares:
            case.build(faulty=False)
            case.said = ""
        scenario.run(case)
        scenario.heal(case)
        case.expect_clean()
        return None, case.said
    except Wrong as wrong:
        return str(wrong) + ("  (in %s)" % case.home if options.keep else ""), case.said
    except Exception as error:
        return "the driver: %r" % error, case.said
    finally:
        case.end()


def calls(options, template, name):
    """The calls of a run without faults: (operation, number, class)."""
    with tempfile.NamedTemporaryFile() as record:
        wrong, said = attempt(options, template, name, "count:" + record.name)
        if wrong:
            raise SystemExit("%s without a fault: %s\n%s" % (name, wrong, said))
        numbers, found = {}, []
        for line in open(record.name, errors="replace"):
            operation, path = line.rstrip("\n").split("\t")[:2]
            numbers[operation] = numbers.get(operation, 0) + 1
            found.append((operation, numbers[operation], operation + " " + re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", path)))
    return found


def cases(options, template, name):
    classes = {}
    for operation, number, kind in calls(options, template, name):
        if kind not in ("write /dev/stdout", "write /dev/stderr"):
            classes.setdefault(kind, []).append((operation, number))
    found = []
    for kind, members in classes.items():
        if not options.every:
            members = sorted(set(members[:2] + members[-1:]))
        for operation, number in members:
            if operation not in ERRNOS:
                raise SystemExit("no errno is known for %s" % operation)
            for code in ERRNOS[operation]:
                found.append((name, operation, number, code, kind))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", choices=list(SCENARIOS), action="append")
    parser.add_argument("--operation", action="append", help="only failures of this operation")
    parser.add_argument("--sample", type=int, help="this many cases, chosen at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", action="store_true", help="every call, not a few of each class")
    parser.add_argument("--case", help="one case again: SCENARIO OPERATION NUMBER ERRNO; shows what was printed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/debug/freshpyc"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--scratch", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    parser.add_argument("--keep", action="store_true", help="leave the directories of all cases")
    options = parser.parse_args()
    options.freshpyc = os.path.abspath(options.freshpyc)
    if os.path.realpath(options.python) != os.path.realpath(sys.executable):
        # The oracle runs in this process.
        os.execv(options.python, [options.python, os.path.abspath(__file__), *sys.argv[1:]])

    home = tempfile.mkdtemp(prefix="freshpyc-faults-", dir=options.scratch)
    try:
        return run(options, make_template(home))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(options, template):
    if options.case:
        name, operation, number, code = options.case.split()
        wrong, said = attempt(options, template, name, "fail:%s:%s:%d" % (operation, number, getattr(errno, code)))
        print(said)
        print(wrong or "right")
        return 1 if wrong else 0
    everything = []
    for name in options.scenario or SCENARIOS:
        everything += cases(options, template, name)
    if options.operation:
        everything = [case for case in everything if case[1] in options.operation]
    print("%d cases" % len(everything), flush=True)
    if options.sample and options.sample < len(everything):
        everything = random.Random(options.seed).sample(everything, options.sample)
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {
            pool.submit(attempt, options, template, name, "fail:%s:%d:%d" % (operation, number, getattr(errno, code))):
            (name, operation, number, code, kind) for name, operation, number, code, kind in everything}
        for done in concurrent.futures.as_completed(running):
            wrong, said = done.result()
            if wrong:
                failures += 1
                name, operation, number, code, kind = running[done]
                print("%s %s %d %s (%s): %s" % (name, operation, number, code, kind, wrong), flush=True)
    print("%d tried, %d wrong" % (len(everything), failures))
    return 1 if failures else 0


sys.exit(main())
