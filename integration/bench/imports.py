#!/usr/bin/env python3
"""Compares the import graph with `ruff analyze graph`, in one run, and prints a table.

    imports.py --tree DIR [--ruff RUFF] [--python PYTHON] [--runs N] [--freshpyc BINARY] [--scratch DIR]

DIR is a Python tree; it is copied, never changed. Figures are medians; the runs of both programs alternate.
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

from run import HERE, spread


class Bench:
    def __init__(self, options):
        self.options = options
        self.home = tempfile.mkdtemp(prefix="freshpyc-imports-", dir=options.scratch)
        self.tree = os.path.join(self.home, "tree")
        shutil.copytree(options.tree, self.tree, symlinks=True,
                        ignore=shutil.ignore_patterns("__pycache__", ".freshpyc", ".ruff_cache"))
        self.rows = []

    def timed(self, *words, statuses=(0,)):
        begun = time.perf_counter()
        done = subprocess.run(words, cwd=self.tree, capture_output=True, text=True)
        spent = time.perf_counter() - begun
        if done.returncode not in statuses:
            sys.exit("%s: %s" % (words, done.stderr))
        return spent, done.stdout

    def freshpyc(self, *words, statuses=(0, 1)):
        return self.timed(self.options.freshpyc, *words, statuses=statuses)

    def cold(self):
        python = ("--python", self.options.python)
        mine, json_form, ruff = [], [], []
        for _ in range(self.options.runs):
            mine.append(self.freshpyc("graph", "--no-daemon", *python)[0])
            spent, output = self.freshpyc("graph", "--no-daemon", "--format", "json", *python)
            json_form.append(spent)
            if self.options.ruff:
                spent, theirs = self.timed(self.options.ruff, "analyze", "graph", "--isolated", ".")
                ruff.append(spent)
        if not ruff:
            self.rows.append(("cold graph", spread(mine), "", "", ""))
            return
        for name, figures, goal in (("cold graph", mine, "0.4"), ("cold graph as JSON", json_form, "0.5")):
            ratio = statistics.median(ours / other for ours, other in zip(figures, ruff))
            self.rows.append((name, spread(figures), "ruff " + spread(ruff), "%.2f" % ratio, goal))
        self.edges(json.loads(output), json.loads(theirs))

    def edges(self, mine, theirs):
        """Counts ruff's edges that ours lack. A stub next to its source counts as the source here."""
        own = {module["path"]: {path for kept in module["imports"] for path in kept.get("to", []) + kept.get("through", [])}
               for module in mine["modules"]}
        missing = [(source, target) for source, targets in theirs.items() for target in targets
                   if target not in own.get(source, ())]
        stubs = [edge for edge in missing if edge[0].endswith(".pyi") or edge[1].endswith(".pyi")]
        for edge in missing:
            if edge not in stubs:
                print("# only ruff: %s -> %s" % edge)
        self.rows.append(("edges", str(sum(map(len, own.values()))), "ruff %d" % sum(map(len, theirs.values())),
                          "%d of ruff's missing, %d of them to or from stubs" % (len(missing), len(stubs)), "0 except stubs"))

    def daemon(self):
        self.freshpyc("watch", "--background", "--python", self.options.python)
        try:
            files = sorted((os.path.join(folder, name) for folder, _, names in os.walk(self.tree) for name in names
                            if name.endswith(".py")), key=os.path.getsize)
            target = files[len(files) * 3 // 4]
            self.freshpyc("cycles")
            looks, affected, waits = [], [], []
            for number in range(20):
                with open(target, "a") as stream:
                    stream.write("import json\nedited_%d = 1\n" % number)
                waits.append(self.freshpyc("wait")[0])
                looks.append(json.loads(self.freshpyc("status", "--format", "json")[1])["imports"]["lastMicroseconds"])
                affected.append(self.freshpyc("affected", os.path.relpath(target, self.tree))[0])
            memory = json.loads(self.freshpyc("status", "--format", "json")[1])["memory"]
        finally:
            self.freshpyc("stop")
        self.rows.append(("imports and names checked again after one edit", "%.2f ms" % (statistics.median(looks) / 1e3),
                          "", "", "1 ms"))
        self.rows.append(("`wait` after that edit, whole command", "%.1f ms" % (statistics.median(waits) * 1e3), "", "", ""))
        self.rows.append(("`affected` of the edited module through the daemon, whole command",
                          "%.1f ms" % (statistics.median(affected) * 1e3), "", "", "10 ms"))
        self.rows.append(("memory of the watch, including the graph", "%d MB" % (memory / 1e6), "", "", "60 MB"))

    def table(self):
        print("| imports | freshpyc | peer | ratio | goal |\n|---|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(map(str, row)) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--ruff")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--scratch", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    options = parser.parse_args()
    options.freshpyc = os.path.abspath(options.freshpyc)
    bench = Bench(options)
    try:
        bench.cold()
        bench.daemon()
        bench.table()
    finally:
        shutil.rmtree(bench.home, ignore_errors=True)


main()
