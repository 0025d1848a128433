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
        clean(self.tree)

    def no_op(self):
        self.run(self.command)

    def touched(self):
        self.run(self.command)
        self.age("2021-01-01" if self.year == 2020 else "2020-01-01")

    def restored(self):
        self.run(self.command)
        subprocess.run("find %s -name __pycache__ -prune -exec rm -rf {} +" % self.tree, shell=True, check=True)

    year = 2020

    def age(self, day):
        self.year = int(day[:4])
        subprocess.run("find %s -name '*.py' -exec touch -d %s {} +" % (self.tree, day), shell=True, check=True)

    # The counts.

    def instructions(self):
        place = self.work + "/callgrind.out"
        self.run(["valgrind", "--tool=callgrind", "--trace-children=no", "--callgrind-out-file=" + place] + self.command)
        with open(place) as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.MULTILINE).group(1))

    def calls(self):
        place = self.work + "/strace"
        # The compilers are other processes: -f would follow them, so they are told apart by a file for each thread.
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        self.run(["strace", "-ff", "-o", place + "/t", "-e", "trace=all"] + self.command)
        count = 0
        for name in os.listdir(place):
            with open(os.path.join(place, name), errors="replace") as file:
                lines = file.readlines()
            if any(line.startswith("execve(") and "standin" in line.split(",")[0] for line in lines):
                continue
            names = (re.match(r"(\w+)\(", line) for line in lines)
            count += sum(1 for name in names if name and name.group(1) not in TIMING)
        return count


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
    for work in (guard.cold, guard.no_op, guard.touched, guard.restored):
        for kind in (guard.instructions, guard.calls):
            work()
            key = "%s, %s" % (work.__name__.replace("_", "-"), kind.__name__)
            found[key] = kind()
            change = 100.0 * found[key] / known[key] - 100 if key in known else 0
            failures += change > options.limit
            print("%-24s %12d  %s" % (key, found[key], "%+.1f %%" % change if key in known else "new"), flush=True)
    if options.update:
        with open(file, "w") as output:
            json.dump(found, output, indent=2)
            output.write("\n")
        return 0
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
