#!/usr/bin/env python3
"""Measures builds and a watch of 100,000 modules: time, memory, the start from the database, and a save.

    large.py [--modules N] [--freshpyc BINARY] [--python PYTHON] [--runs N] [--saves N] [--scratch DIR] [--builds]

Prints a table. The peers, in the same run, are `find -printf` of the same tree and a watch of 100 modules. A million modules
need 12 GB of scratch space. --builds leaves the watch out.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = '''"""Module %(number)d."""
import os
from typing import Any

from %(package)s import m%(other)d
from %(package)s.m%(other)d import function_%(other)d


class Thing%(number)d:
    """What it is."""

    value: Any = (%(number)d, "text", [1, 2, 3])

    def method(self, first, second=None):
        for item in (first, second):
            if item is not None:
                return os.path.join(str(item), str(self.value))
        return function_%(other)d if m%(other)d else None


def function_%(number)d(*arguments, **keywords):
    return {key: value for key, value in keywords.items() if value not in arguments}
'''


def make(root, modules):
    os.makedirs(root)
    for number in range(modules):
        package = "p%d.q%d" % (number // 1000, number // 50)
        folder = os.path.join(root, package.replace(".", "/"))
        if number % 50 == 0:
            os.makedirs(folder, exist_ok=True)
            for place in (folder, os.path.dirname(folder)):
                open(os.path.join(place, "__init__.py"), "a").close()
        other = number - number % 50 + (number + 7) % 50
        with open(os.path.join(folder, "m%d.py" % number), "w") as stream:
            stream.write(SOURCE % {"number": number, "package": package, "other": other})
    subprocess.run("find . -name '*.py' -exec touch -d '1 hour ago' {} +", shell=True, cwd=root, check=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.home = tempfile.mkdtemp(prefix="freshpyc-large-", dir=options.scratch)

    def run(self, root, *words):
        done = subprocess.run([self.options.freshpyc, *words], cwd=root, capture_output=True, text=True)
        if done.returncode not in (0, 1):
            sys.exit("%s: %s" % (words, done.stderr))
        return done.stdout

    def build(self, root):
        """Seconds and the most memory of a build, in bytes."""
        begun = time.perf_counter()
        process = subprocess.Popen([self.options.freshpyc, "build", "-q", "--no-store", "--python", self.options.python], cwd=root)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit("build: exit status %d" % process.returncode)
        return time.perf_counter() - begun, used.ru_maxrss * 1024

    def start(self, root):
        begun = time.perf_counter()
        self.run(root, "watch", "--background", "--python", self.options.python)
        return time.perf_counter() - begun

    def memory(self, root):
        self.run(root, "cycles", "--python", self.options.python)  # answered once all imports are known
        return json.loads(self.run(root, "status", "--format", "json"))["memory"]

    def save(self, root, path):
        """Returns the seconds from the end of a save until its bytecode is replaced."""
        tag = subprocess.run([self.options.python, "-c", "import sys; print(sys.implementation.cache_tag)"],
                             capture_output=True, text=True).stdout.strip()
        folder, name = os.path.split(os.path.join(root, path))
        cache = os.path.join(folder, "__pycache__", "%s.%s.pyc" % (name[:-3], tag))
        figures = []
        for number in range(self.options.saves):
            time.sleep(1.2)
            old = os.stat(cache).st_ino
            with open(os.path.join(folder, name), "a") as stream:
                stream.write("x = %d\n" % number)
            begun = time.perf_counter()
            while os.stat(cache).st_ino == old:
                time.sleep(0.0002)
            figures.append(time.perf_counter() - begun)
        return statistics.median(figures)

    def find(self, root):
        begun = time.perf_counter()
        subprocess.run(["find", root, "-name", "*.py", "-printf", "%T@ %s\n"], stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begun

    def table(self):
        large, small = os.path.join(self.home, "large"), os.path.join(self.home, "small")
        make(large, self.options.modules)
        make(small, 100)
        cold, most = self.build(large)
        self.build(small)
        finds, builds, starts = [], [], []
        self.find(large)
        for _ in range(self.options.runs):
            finds.append(self.find(large))
            builds.append(self.build(large))
        find = statistics.median(finds)
        unchanged = statistics.median(build[0] for build in builds)
        print("| %d modules | figure | peer | ratio | goal |" % self.options.modules)
        print("|---|---|---|---|---|")
        print("| cold build | %.1f s, at most %d MB | | | |" % (cold, most / 1e6))
        print("| unchanged build | %.2f s, at most %d MB | find -printf %.2f s | %.2f | 1.5 |" % (
            unchanged, max(build[1] for build in builds) / 1e6, find, unchanged / find), flush=True)
        if self.options.builds:
            return
        self.start(large)  # reads all imports, once
        self.run(large, "stop")
        for _ in range(self.options.runs):
            starts.append(self.start(large))
            memory = self.memory(large)
            self.run(large, "stop")
        self.start(large)
        self.start(small)
        saves = self.save(large, "p0/q0/m7.py"), self.save(small, "p0/q0/m7.py")
        for root in (large, small):
            self.run(root, "stop")
        start = statistics.median(starts)
        print("| start from the database | %.2f s | find -printf %.2f s | %.2f | 2 |" % (start, find, start / find))
        print("| memory of the watch | %d MB | | | 300 MB |" % (memory / 1e6))
        print("| save to bytecode | %.1f ms | tree of 100 modules %.1f ms | %.2f | 1.5 |" % (
            saves[0] * 1e3, saves[1] * 1e3, saves[0] / saves[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", type=int, default=100000)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--saves", type=int, default=15)
    parser.add_argument("--builds", action="store_true")
    parser.add_argument("--scratch", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    options = parser.parse_args()
    options.freshpyc = os.path.abspath(options.freshpyc)
    bench = Bench(options)
    try:
        bench.table()
    finally:
        shutil.rmtree(bench.home, ignore_errors=True)


main()
