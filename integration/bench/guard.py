#!/usr/bin/env python3
"""Counts the instructions and system calls of fixed work, and compares them with the numbers in guard.json.

    guard.py [--freshpyc BINARY] [--work DIR] [--update] [--limit PERCENT]

Counts, never times: they are the same on a busy machine. Instructions are those of the process itself (valgrind --tool=callgrind),
system calls those of all its threads (strace), without the compilers: a stand-in (standin.c) answers from memory. Exits with 1 if a
count is more than PERCENT (5) above its number. --update writes the numbers of this run; do so in the commit that changes them, and say
why. The numbers hold for one compiler and one Python, whose standard library is the work; with others, nothing is compared.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from scale import clean, make_tree, prepare  # noqa: E402

MODULES = 400
# Calls that depend on timing: how often threads wait for each other, and for the compilers.
TIMING = {"futex", "epoll_wait", "epoll_ctl", "poll", "read", "write", "sched_yield", "restart_syscall", "rt_sigreturn", "mprotect",
          "madvise", "munmap", "mmap", "clone3", "brk", "timerfd_settime", "gettid", "set_robust_list", "rseq"}


class Guard:
    def __init__(self, options):
        self.work = os.path.abspath(options.work)
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)
        # Without debug information, callgrind starts in seconds and not minutes.
        self.binary = self.work + "/freshpyc"
        subprocess.run(["strip", "-g", "-o", self.binary, os.path.abspath(options.freshpyc)], check=True)
        self.folder, sources = prepare(self.work, os.path.realpath(options.python))
        with open(self.folder + "/delay", "w") as file:
            file.write("0\n")
        self.tree = self.work + "/tree"
        make_tree(self.tree, sources, MODULES)
        subprocess.run("find %s -name '*.py' -exec touch -d '2020-01-01' {} +" % self.tree, shell=True, check=True)
        self.command = [self.binary, "build", self.tree, "--python", self.folder + "/python3", "--jobs", "2", "-q"]
        self.variables = dict(os.environ, FRESHPYC_STORE="none")
        self.variables.pop("SOURCE_DATE_EPOCH", None)

    def circumstances(self):
        """What the numbers depend on, apart from freshpyc."""
        swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
        with open(self.folder + "/templates", "rb") as file:
            return {"swift": swift.partition("(")[0].strip(), "templates": hashlib.sha256(file.read()).hexdigest()}

    def run(self, words):
        done = subprocess.run(words, env=self.variables, capture_output=True, text=True)
        if done.returncode:
            sys.exit("%s: %s" % (" ".join(words), (done.stdout + done.stderr)[-2000:]))
        return done

    # The work. Each brings the tree into the state that it needs.

    def cold(self):
        self.variables["FRESHPYC_STORE"] = "none"
        clean(self.tree)

    def no_op(self):
        self.run(self.command)

    def touched(self):
        self.run(self.command)
        self.age("2021-01-01" if self.year == 2020 else "2020-01-01")

    def restored(self):
        self.variables["FRESHPYC_STORE"] = self.work + "/store"
        self.run(self.command)
        clean(self.tree)

    year = 2020

    def age(self, day):
        self.year = int(day[:4])
        subprocess.run("find %s -name '*.py' -exec touch -d %s {} +" % (self.tree, day), shell=True, check=True)

    # The counts.

    def instructions(self, command=None):
        place = self.work + "/callgrind.out"
        self.run(["valgrind", "--tool=callgrind", "--trace-children=no", "--callgrind-out-file=" + place]
                 + (command or self.command))
        with open(place) as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.MULTILINE).group(1))

    def calls(self, command=None):
        place = self.trace()
        self.run(["strace", "-ff", "-o", place + "/t", "-e", "trace=all"] + (command or self.command))
        return self.traced(place)

    def trace(self):
        # The compilers are other processes: -f would follow them, so they are told apart by a file for each thread.
        place = self.work + "/strace"
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        return place

    def traced(self, place):
        count = 0
        for name in os.listdir(place):
            with open(os.path.join(place, name), errors="replace") as file:
                lines = file.readlines()
            if any(line.startswith("execve(") and "standin" in line.split(",")[0] for line in lines):
                continue
            names = (re.match(r"(\w+)\(", line) for line in lines)
            count += sum(1 for name in names if name and name.group(1) not in TIMING)
        return count

    # A watch.

    SAVES = 7

    def watched(self):
        """Yields the counts of a save, and of `wait` when there is nothing to wait for."""
        self.variables["FRESHPYC_STORE"] = "none"
        self.run(self.command)
        place = self.trace()
        watch = subprocess.Popen(
            ["strace", "-ff", "-o", place + "/t", "-e", "trace=all", self.binary, "watch", self.tree, "--python",
             self.folder + "/python3", "--jobs", "2"], env=self.variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            for line in watch.stderr:
                if line.startswith("ready:"):
                    break
            source = next(os.path.join(folder, name) for folder, _, names in sorted(os.walk(self.tree))
                          for name in sorted(names) if name.endswith(".py"))
            counts = []
            for number in range(self.SAVES):
                time.sleep(0.5)
                before = self.traced(place)
                with open(source, "a") as file:
                    file.write("# %d\n" % number)
                os.utime(source, (1577836800 + number, 1577836800 + number))
                time.sleep(1.5)
                counts.append(self.traced(place) - before)
            # Whatever else happens meanwhile only adds calls.
            yield "save, calls", min(counts)
            waiting = [self.binary, "wait", self.tree]
            yield "wait, instructions", self.instructions(waiting)
            watched = self.traced(place)
            self.run(["strace", "-ff", "-o", self.work + "/wait", "-e", "trace=all"] + waiting)
            time.sleep(0.5)
            own = 0
            for name in os.listdir(self.work):
                if name.startswith("wait."):
                    with open(os.path.join(self.work, name), errors="replace") as file:
                        found = (re.match(r"(\w+)\(", line) for line in file)
                        own += sum(1 for name in found if name and name.group(1) not in TIMING)
            yield "wait, calls", own + self.traced(place) - watched
        finally:
            subprocess.run([self.binary, "stop", self.tree], env=self.variables, capture_output=True)
            watch.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--work", default="/tmp/freshpyc-guard")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--limit", type=float, default=5)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    guard = Guard(options)
    file = os.path.join(HERE, "guard.json")
    with open(file) as text:
        known = json.load(text)
    now = guard.circumstances()
    if not options.update and now != known["for"]:
        print("the numbers are for another compiler or Python: nothing is compared")
        return 0
    found, failures = {"for": now}, 0

    def counts():
        for work in (guard.cold, guard.no_op, guard.touched, guard.restored):
            for kind in (guard.instructions, guard.calls):
                work()
                yield "%s, %s" % (work.__name__.replace("_", "-"), kind.__name__), kind()
        yield from guard.watched()

    for key, count in counts():
        found[key] = count
        change = 100.0 * count / known[key] - 100 if key in known else 0
        failures += change > options.limit
        print("%-24s %12d  %s" % (key, count, "%+.1f %%" % change if key in known else "new"), flush=True)
    if options.update:
        with open(file, "w") as output:
            json.dump(found, output, indent=2)
            output.write("\n")
        return 0
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
