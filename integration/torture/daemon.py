"""The daemon under test, and the commands that run while it is running."""
import json
import os
import shutil
import signal
import subprocess
import time


class Difference(Exception):
    """freshpyc broke one of its promises."""


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Difference("%s: not within %d seconds" % (what, seconds))
        time.sleep(0.003)


def is_running(process):
    """Whether a process exists and is not a zombie."""
    try:
        with open("/proc/%d/stat" % process) as stream:
            return stream.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(process):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as stream:
                    fields = stream.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process and fields[0] not in "ZX":
                found.append(int(name))
    return found


class Daemon:
    """freshpyc without root's capabilities, so that file permissions apply to it."""
    UNPRIVILEGED = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]

    def __init__(self, binary, root, home):
        self.binary, self.root, self.home = binary, root, home
        self.store = "none"
        self.prefix = self.UNPRIVILEGED if os.geteuid() == 0 and shutil.which("setpriv") else []
        self.process = None

    @property
    def can_be_refused(self):
        """Whether file permissions apply to freshpyc here."""
        return os.geteuid() != 0 or bool(self.prefix)

    def run(self, *words, check=True, alone=False, timeout=120):
        """Runs a command. `alone`: it may work on the tree itself, so it must not have more rights than the daemon."""
        command = [*(self.prefix if alone else []), self.binary, *words]
        try:
            done = subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                                  env={"PATH": os.environ["PATH"], "HOME": self.home, "FRESHPYC_STORE": self.store})
        except subprocess.TimeoutExpired:
            raise Difference("%s: no answer within %d seconds" % (words, timeout))
        done.stdout = done.stdout.decode("utf-8", "replace")
        done.stderr = done.stderr.decode("utf-8", "replace")
        if done.returncode < 0:
            raise Difference("%s: killed by signal %d: %s" % (words, -done.returncode, done.stderr))
        if check and done.returncode not in (0, 1):
            raise Difference("%s: exit status %d: %s" % (words, done.returncode, done.stderr))
        return done

    def start(self):
        self.run("watch", "--background", alone=True)
        self.process = self.status()["process"]

    def status(self):
        done = self.run("status", "--format", "json")
        return json.loads(done.stdout)

    def is_alive(self):
        return self.process is not None and is_running(self.process)

    def signal(self, number):
        os.kill(self.process, number)

    def end(self, number):
        """Ends the daemon with a signal. Its workers must end too."""
        workers = children(self.process)
        os.kill(self.process, number)
        wait_until(lambda: not is_running(self.process), 20, "daemon %d after signal %d" % (self.process, number))
        wait_until(lambda: not any(map(is_running, workers)), 20, "workers %s of a daemon that is gone" % workers)
        self.process = None

    def processor_time(self):
        with open("/proc/%d/stat" % self.process) as stream:
            fields = stream.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def check_idle(self, phase):
        """Checks that the daemon is in this phase, holds few descriptors, and uses no processor time."""
        time.sleep(1.5)
        before = self.processor_time()
        time.sleep(0.7)
        used = self.processor_time() - before
        status = self.status()
        if status["phase"] != phase or status["queue"]:
            raise Difference("the daemon is not idle: %s, %d in the queue" % (status["phase"], status["queue"]))
        if used > 10:
            raise Difference("the idle daemon used %d ticks of processor time in 0.7 s" % used)
        descriptors = len(os.listdir("/proc/%d/fd" % self.process))
        if descriptors > 60:
            raise Difference("the daemon holds %d descriptors" % descriptors)

    def log_tail(self):
        try:
            with open(os.path.join(self.root, ".freshpyc", "log"), errors="replace") as stream:
                return stream.read()[-800:]
        except OSError:
            return ""

    def stop(self):
        workers = children(self.process) if self.is_alive() else []
        process = self.process
        self.run("stop", check=False)
        if process:
            wait_until(lambda: not is_running(process), 20, "daemon %d after `stop`" % process)
        wait_until(lambda: not any(map(is_running, workers)), 20, "workers %s after `stop`" % workers)
        self.process = None

    def kill(self):
        """Kills the daemon at the end of a run, whatever state it is in."""
        if self.is_alive():
            try:
                os.kill(self.process, signal.SIGCONT)
                os.kill(self.process, signal.SIGKILL)
            except ProcessLookupError:
                pass
