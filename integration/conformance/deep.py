#!/usr/bin/env python3
"""Checks that the bytecode and the errors of freshpyc are the same as CPython's.

    deep.py [--freshpyc BINARY] [--python PYTHON ...|all] [--level N ...] [--verb build|precompile]
            [--invalidation MODE] [--jobs N] [--option WORD ...] [--corners] [--stdlib] [TREE ...]

Each TREE (its `*.py`) is copied to a RAM disk and built there, once, for all interpreters. Then each interpreter
compiles every file itself (deep_oracle.py) and compares the result with the file in `__pycache__`, attribute by
attribute. The header must be right, and the errors must be those of `--format json`: class, message and line. With
--stdlib, each interpreter also compiles its own standard library, including the invalid files of its tests; with
--corners, sources that are easily compiled wrongly (corners.py). Prints the differences, and a line for each interpreter
and tree. Exit status 1 on any difference, 2 if something could not be compared.
"""

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import corners

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(HERE, "deep_oracle.py")
MOST_SHOWN = 20
NEVER = ("__pycache__", ".git", ".freshpyc", "site-packages")
# Directories that a build skips because of their names, unless the user names them. The standard library has a package
# `venv`.
NAMED = ("venv", "_build")


def default_binary():
    root = os.path.dirname(os.path.dirname(HERE))
    for kind in ("release", "debug"):
        path = os.path.join(root, ".build", kind, "freshpyc")
        if os.path.exists(path):
            return path
    return "freshpyc"


class Python:
    """An interpreter and its properties."""

    ASK = "import os, sys; print(sys.version_info[0]); print(os.path.dirname(os.__file__)); print(sys.executable)"

    def __init__(self, path):
        # Not `-I`, which Python 2.7 does not have.
        self.path = path
        lines = subprocess.check_output([path, "-S", "-E", "-c", self.ASK], universal_newlines=True).splitlines()
        self.major, self.stdlib = int(lines[0]), lines[1]
        self.name = None  # as the report calls it


def interpreters(binary, specs):
    """The requested interpreters; `all` means one for each cache tag that freshpyc can find."""
    if "all" not in specs:
        return [Python(os.path.abspath(spec)) for spec in specs]
    listed = json.loads(subprocess.check_output([binary, "interpreters", "--format", "json"]))
    found = {}
    for one in listed.get("interpreters", listed) if isinstance(listed, dict) else listed:
        found.setdefault((one["implementation"], one["cacheTag"]), one["path"])
    return [Python(path) for path in found.values()]


def copy(tree, target):
    """Copies the sources of a tree, without its data files."""
    then = time.time() - 3600  # a source that was saved just now would be guarded against a second save
    for folder, names, files in os.walk(tree):
        names[:] = [name for name in names if name not in NEVER]
        files = [name for name in files if name.endswith(".py") and os.path.isfile(os.path.join(folder, name))]
        if files:
            there = os.path.join(target, os.path.relpath(folder, tree))
            os.makedirs(there, exist_ok=True)
        for name in files:
            path = os.path.join(there, name)
            shutil.copyfile(os.path.join(folder, name), path)
            os.utime(path, (then, then))


def write(sources, target):
    then = time.time() - 3600
    for name, content in sources.items():
        path = os.path.join(target, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content)
        os.utime(path, (then, then))


def build(options, tree, pythons):
    words = [options.freshpyc, options.verb, "--format", "json"]
    if options.verb == "build":
        words += ["--no-daemon"]
    if options.invalidation:
        words += ["--invalidation", options.invalidation]
    if options.jobs:
        words += ["--jobs", str(options.jobs)]
    words += options.option
    for level in options.level:
        words += ["-O", str(level)]
    for python in pythons:
        words += ["--python", python.path]
    words.append(tree)
    for folder, names, _ in os.walk(tree):
        words += [os.path.join(folder, name) for name in names if name in NAMED]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in (0, 1):
        sys.stderr.buffer.write(done.stderr)
        sys.exit(2)
    report = json.loads(done.stdout)
    if done.returncode != (1 if report["modules"]["failed"] else 0):
        print("exit status %d with %d failed modules" % (done.returncode, report["modules"]["failed"]))
    names = {one["path"]: one["name"] for one in report["interpreters"]}
    for python in pythons:
        python.name = names.get(python.path) or names[os.path.realpath(python.path)]
    return report


def reported(report, python):
    """The errors that freshpyc has reported for an interpreter: {path: [(class, message, line)]}."""
    found = collections.defaultdict(list)
    for one in report["diagnostics"]:
        if one["severity"] != "error" or "interpreters" in one and python.name not in one["interpreters"]:
            continue
        found[one["path"]].append((one.get("type", ""), one["message"], one.get("line", 0)))
    return found


def ask(python, tree, levels, mode):
    """Yields the JSON objects of the oracle. A source that kills it is reported and skipped."""
    skip = 0
    while True:
        words = [python.path, "-S", "-E"]
        if python.major == 2:  # whose compile() has no level
            words += {0: [], 1: ["-O"], 2: ["-OO"]}[levels[0]]
        words += [ORACLE, tree, ",".join(map(str, levels)), mode, str(skip)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/")
        out, err = process.communicate()
        for line in out.decode("ascii").splitlines():
            yield json.loads(line)
        if process.returncode == 0:
            return
        if process.returncode > 0:
            sys.stderr.buffer.write(err)
            sys.exit(2)
        with open(os.path.join(tree, ".oracle")) as stream:
            at = int(stream.read())
        yield {"crashed": at, "signal": -process.returncode}
        skip = at + 1


def compare(options, tree, label, python, report):
    """Prints the differences and the summary of an interpreter and a tree; returns the number of differences."""
    mode = options.invalidation or {"build": "timestamp", "precompile": "unchecked-hash"}[options.verb]
    begun = time.time()
    totals = collections.Counter()
    differences, expected = [], collections.defaultdict(set)
    # Python 2 uses the same file for both optimized levels.
    places = {bool(level): level for level in sorted(options.level)}
    runs = [[level] for level in places.values()] if python.major == 2 else [options.level]
    for levels in runs:
        for fact in ask(python, tree, levels, mode):
            if "difference" in fact:
                differences.append("%s (level %d): %s" % (fact["path"], fact["level"], fact["difference"]))
            elif "failed" in fact:
                expected[fact["failed"]].add(tuple(fact["error"]))
            elif "crashed" in fact:
                differences.append(
                    "the interpreter dies of source number %d, signal %d" % (fact["crashed"], fact["signal"])
                )
            else:
                totals.update(fact)
    told = reported(report, python)
    for path in sorted(set(expected) | set(told)):
        left, right = expected.get(path, set()), set(told.get(path, ()))
        for one in sorted(left - right):
            differences.append("%s: not reported: %s: %r, line %d" % ((path,) + one))
        for one in sorted(right - left):
            differences.append("%s: reported, but the interpreter does not say so: %s: %r, line %d" % ((path,) + one))
    for text in differences[: options.most]:
        print("  " + text)
    if len(differences) > options.most:
        print("  ... and %d more" % (len(differences) - options.most))
    print(
        "%s, %s: %d files, %d artifacts, %d code objects compared, %d failures compared, %d differences (%.1f s)"
        % (
            python.name,
            label,
            totals["files"] // len(runs),
            totals["artifacts"],
            totals["codes"],
            totals["failures"],
            len(differences),
            time.time() - begun,
        ),
        flush=True,
    )
    if not totals["files"]:
        sys.exit(2)
    return len(differences)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--freshpyc", default=default_binary())
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    parser.add_argument("--level", nargs="+", type=int, default=[0, 2])
    parser.add_argument("--verb", default="build", choices=["build", "precompile"])
    parser.add_argument("--invalidation", choices=["timestamp", "checked-hash", "unchecked-hash"])
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--option", action="append", default=[], help="handed to freshpyc as it is; may be repeated")
    parser.add_argument("--most", type=int, default=MOST_SHOWN, help="differences shown of each interpreter and tree")
    parser.add_argument("--stdlib", action="store_true", help="each interpreter's own")
    parser.add_argument("--corners", action="store_true", help="the sources of corners.py")
    parser.add_argument("tree", nargs="*")
    options = parser.parse_args()
    if not options.tree and not options.stdlib and not options.corners:
        parser.error("which TREE? or --stdlib, or --corners")
    options.freshpyc = shutil.which(options.freshpyc) or parser.error("no such program: " + options.freshpyc)
    options.freshpyc = os.path.abspath(options.freshpyc)
    pythons = interpreters(options.freshpyc, options.python)
    jobs = [(tree, os.path.basename(os.path.normpath(tree)), pythons) for tree in options.tree]
    if options.corners:
        jobs.insert(0, (None, "corners", pythons))
    if options.stdlib:
        jobs += [(python.stdlib, "its standard library", [python]) for python in pythons]
    differences = 0
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    for tree, label, those in jobs:
        with tempfile.TemporaryDirectory(prefix="freshpyc-deep-", dir=memory) as scratch:
            target = os.path.join(os.path.realpath(scratch), "tree")
            copy(tree, target) if tree else write(corners.sources(), target)
            report = build(options, target, those)
            differences += sum(compare(options, target, label, python, report) for python in those)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
