#!/usr/bin/env python3
"""Measures a branch switch of thousands of files under `watch`, compared with a cold build of as many.

    branch.py --tree DIR [--files N] [--freshpyc BINARY] [--python PYTHON] [--runs N]

DIR is a Python tree; it is copied to /dev/shm and put under git, with a second branch in which N files (5000) differ. Prints the
seconds from the end of `git checkout` to the end of `wait`, how many waves there were, and the most memory of the daemon.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from run import HERE, forget, sources, spread


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    freshpyc = os.path.abspath(options.freshpyc)
    home = tempfile.mkdtemp(prefix="freshpyc-branch-", dir="/dev/shm")
    tree = home + "/tree"
    shutil.copytree(options.tree, tree, ignore=shutil.ignore_patterns("__pycache__", ".freshpyc"))

    def run(*words, **more):
        return subprocess.run(words, cwd=tree, capture_output=True, text=True, **more)

    def timed(*words):
        begun = time.perf_counter()
        done = run(*words)
        if done.returncode:
            sys.exit("%s: %s" % (words, done.stderr))
        return time.perf_counter() - begun

    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.invalid"]
    files = sorted(sources(tree))[:options.files]
    with open(tree + "/.gitignore", "w") as file:
        file.write("__pycache__/\n.freshpyc/\n")
    try:
        for words in (["init", "-q", "-b", "one", "."], ["add", "-A"], ["commit", "-qm", "one"], ["checkout", "-qb", "two"]):
            run(*git, *words, check=True)
        for path in files:
            with open(path, "a") as file:
                file.write("\n# two\n")
        run(*git, "commit", "-qam", "two", check=True)
        cold = []
        for _ in range(options.runs):
            forget(tree)
            cold.append(timed(freshpyc, "build", "-q", "--no-store", "--python", options.python, *files))
        timed(freshpyc, "watch", "--background", "--no-store", "--python", options.python)
        try:
            process = re.search(r"process (\d+)", run(freshpyc, "status").stdout).group(1)
            log = tree + "/.freshpyc/log"
            switches, waves = [], []
            for number in range(options.runs):
                with open(log) as file:
                    before = len(re.findall("modules compiled", file.read()))
                run(*git, "checkout", "-q", "one" if number % 2 == 0 else "two", check=True)
                begun = time.perf_counter()
                run(freshpyc, "wait")
                switches.append(time.perf_counter() - begun)
                time.sleep(1)
                with open(log) as file:
                    waves.append(len(re.findall("modules compiled", file.read())) - before)
            with open("/proc/%s/status" % process) as file:
                text = file.read()
            most, now = (int(re.search(key + r":\s+(\d+)", text).group(1)) / 1000 for key in ("VmHWM", "VmRSS"))
        finally:
            run(freshpyc, "stop")
        ratio = statistics.median(ours / other for ours, other in zip(switches, cold))
        print("| %d files | switch under watch, until `wait` ends | cold build of these files | ratio | waves | memory |" % len(files))
        print("|---|---|---|---|---|---|")
        print("| | %s | %s | %.2f | %s | at most %.0f MB, then %.0f MB |" % (
            spread(switches), spread(cold), ratio, "1" if set(waves) == {1} else waves, most, now))
    finally:
        shutil.rmtree(home)


main()
