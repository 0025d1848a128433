#!/usr/bin/env python3
"""Compares the deployment commands with compiling, in one run, and prints a table.

    deploy.py --tree DIR [--other DIR] [--python PYTHON] [--pythons P,P,…] [--runs N] [--freshpyc BINARY] [--only ROW[,ROW]]

DIR is a Python tree, and --other another release of it; both are copied, never changed. All files are written to a new
directory in /dev/shm. Figures are medians. A ratio is the median of the ratios of adjacent runs. A cold build is
`freshpyc build --no-store` of the tree without any bytecode.
"""
import argparse
import filecmp
import os
import shutil
import statistics
import sys
import tempfile
import time

from run import HERE, forget, show, sources, spread, timed


def age(tree):
    then = time.time() - 3600
    for path in sources(tree):
        os.utime(path, (then, then))


def switch(tree, release):
    """Writes only the files that differ, like `git checkout`."""
    wanted = set()
    for path in sources(release):
        inside = os.path.relpath(path, release)
        wanted.add(inside)
        target = os.path.join(tree, inside)
        if not os.path.exists(target) or not filecmp.cmp(path, target, shallow=False):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if os.path.exists(target):
                os.unlink(target)
            shutil.copyfile(path, target)
    for path in sources(tree):
        if os.path.relpath(path, tree) not in wanted:
            os.unlink(path)


class Bench:
    def __init__(self, options):
        self.options = options
        self.tree = os.path.join(options.scratch, "tree")
        shutil.copytree(options.tree, self.tree, ignore=shutil.ignore_patterns("__pycache__", ".freshpyc"))
        age(self.tree)
        self.store = os.path.join(options.scratch, "store")
        self.rows = []

    def run(self, verb, *words, python=None):
        return timed([self.options.freshpyc, verb, self.tree, "--python", python or self.options.python, "-q", *words])

    def cold(self, *words):
        forget(self.tree)
        return self.run("build", *(words or ("--no-store",)))

    def row(self, name, ours, other, peer, goal):
        ratios = [mine / theirs for mine, theirs in zip(ours, other)]
        self.rows.append((name, spread(ours), "%s %s" % (peer, spread(other)),
                          "%.3f (1/%.1f)" % (statistics.median(ratios), 1 / statistics.median(ratios)), goal))
        print("# %s: %s; %s: %s" % (name, [show(v) for v in ours], peer, [show(v) for v in other]), file=sys.stderr)

    def reseal(self):
        """Gives bytecode from `build`, without its database, unchecked-hash headers."""
        ours, other = [], []
        for _ in range(self.options.runs):
            other.append(self.cold())
            shutil.rmtree(os.path.join(self.tree, ".freshpyc"))
            ours.append(self.run("precompile", "--no-store"))
        self.row("precompile: valid bytecode re-sealed", ours, other, "cold build", "1/25")

    def verify(self):
        ours, other = [], []
        for _ in range(self.options.runs):
            other.append(self.cold())
            ours.append(self.run("verify"))
        self.row("verify", ours, other, "cold build", "1/10")

    def checkout(self):
        """Builds sources without bytecode, with a store that already has their code."""
        shutil.rmtree(self.store, ignore_errors=True)
        self.cold("--store", self.store)
        ours, other = [], []
        for _ in range(self.options.runs):
            other.append(self.cold())
            ours.append(self.cold("--store", self.store))
        self.row("another checkout: all from the store", ours, other, "cold build", "1/8")

    def switching(self):
        """Switches from one release to the other and back. The first visit of each compiles the difference."""
        if not self.options.other:
            return
        first, second, compiled = [], [], []
        for _ in range(self.options.runs):
            shutil.rmtree(self.store, ignore_errors=True)
            switch(self.tree, self.options.tree)
            self.cold("--store", self.store)
            switch(self.tree, self.options.other)
            first.append(self.run("build", "--store", self.store))
            for release in (self.options.tree, self.options.other):
                switch(self.tree, release)
                second.append(self.run("build", "--store", self.store))
                # Make the same switch without a store.
                back = self.options.other if release == self.options.tree else self.options.tree
                switch(self.tree, back)
                self.run("build", "--store", self.store)
                switch(self.tree, release)
                compiled.append(self.run("build", "--no-store"))
        self.row("switching between two releases, second visit", second, compiled, "compiling the difference", "1/10")
        print("# first visits: %s" % [show(value) for value in first], file=sys.stderr)
        switch(self.tree, self.options.tree)
        age(self.tree)

    def interpreters(self):
        """Runs `check` for all interpreters at once, and for each one alone."""
        forget(self.tree)
        pythons = self.options.pythons.split(",") if self.options.pythons else [self.options.python]
        ours, other = [], []
        for _ in range(max(1, self.options.runs // 2)):
            other.append(sum(self.run("check", python=python) for python in pythons))
            words = [word for python in pythons[1:] for word in ("--python", python)]
            ours.append(self.run("check", *words, python=pythons[0]))
        self.row("check for %d interpreters at once" % len(pythons), ours, other, "each alone, total", "1.1")

    def dropin(self):
        """Runs compileall without -j, as most scripts do, and with one worker for each processor."""
        environment = dict(os.environ, FRESHPYC_PYTHON=self.options.python)
        ours, other, plain = [], [], []
        for _ in range(self.options.runs):
            forget(self.tree)
            other.append(timed([self.options.python, "-m", "compileall", "-q", "-j0", self.tree]))
            forget(self.tree)
            ours.append(timed([self.options.freshpyc, "compileall", "-q", self.tree], env=environment))
        forget(self.tree)
        plain.append(timed([self.options.python, "-m", "compileall", "-q", self.tree]))
        self.row("freshpyc compileall -q", ours, other, "python -m compileall -q -j0", "")
        print("# python -m compileall -q: %s" % show(plain[0]), file=sys.stderr)

    def table(self):
        print("| work | freshpyc | peer | ratio | goal |\n|---|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--other")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--pythons", help="paths, separated by commas")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scratch")
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--only", default="reseal,verify,checkout,switching,interpreters,dropin")
    options = parser.parse_args()
    options.freshpyc = os.path.abspath(options.freshpyc)
    with tempfile.TemporaryDirectory(dir=options.scratch or "/dev/shm", prefix="freshpyc-deploy-") as scratch:
        options.scratch = scratch
        bench = Bench(options)
        for row in options.only.split(","):
            getattr(bench, row)()
        bench.table()


if __name__ == "__main__":
    main()
