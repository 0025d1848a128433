#!/usr/bin/env python3
"""Builds a tree in many ways that must not affect the bytecode, and compares the bytecode byte by byte.

    reproducible.py [--freshpyc BINARY] [--python PYTHON ...|all] [--level N ...] [--verb precompile|build]
                    [--only WAY ...] [--option WORD ...] TREE ...

The first way is the reference: files created in the order of their names, one worker, everything cold. The others: files
created in reverse or random order, and with other times; four workers; some modules alone, on new workers; a warm daemon
after many edits (`build`); other directories, with `--strip-prefix` and `--prepend-prefix`; another time zone, language,
umask and PYTHONHASHSEED; code from the store; existing bytecode, from freshpyc and from CPython. Prints a line for each
way. Exit status 1 if a file differs from the reference; then `freshpyc inspect` shows both versions of the first such
file.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile

from deep import NEVER, default_binary, interpreters

THEN = 1_700_000_000


def sources(tree):
    found = []
    for folder, names, files in os.walk(tree):
        names[:] = [name for name in names if name not in NEVER]
        found += [os.path.relpath(os.path.join(folder, name), tree) for name in files if name.endswith(".py")]
    return sorted(found)


def copy(tree, names, target, times=None):
    """Copies the sources in the order of `names`, each with the same time, or with its own."""
    for name in names:
        there = os.path.join(target, name)
        os.makedirs(os.path.dirname(there), exist_ok=True)
        shutil.copyfile(os.path.join(tree, name), there)
        when = times(name) if times else THEN
        os.utime(there, (when, when))


def bytecode(root):
    """{path relative to root: bytes} of all bytecode below it."""
    found = {}
    for folder, _, files in os.walk(root):
        for name in files:
            if name.endswith((".pyc", ".pyo")):
                path = os.path.join(folder, name)
                with open(path, "rb") as stream:
                    found[os.path.relpath(path, root)] = stream.read()
    return found


class Ways:
    def __init__(self, options, tree, scratch):
        self.options, self.tree, self.scratch = options, tree, scratch
        self.names = sources(tree)
        self.environment = dict(os.environ, XDG_CACHE_HOME=os.path.join(scratch, "cache"))
        self.environment.pop("SOURCE_DATE_EPOCH", None)
        self.count = 0

    def place(self, *parts):
        """A new directory. Its depth must not affect the bytecode."""
        self.count += 1
        path = os.path.join(self.scratch, "way%d" % self.count, *parts)
        os.makedirs(path)
        return path

    def freshpyc(self, root, *more, paths=(), jobs=1, changes=None, prefix=None, store=None, verb=None):
        verb = verb or self.options.verb
        words = [self.options.freshpyc, verb, "--jobs", str(jobs), "--quiet"]
        words += ["--invalidation", "unchecked-hash"]
        if verb == "precompile":
            words += ["--strip-prefix", prefix or root, "--prepend-prefix", "/app"]
            words += ["--store", store] if store else ["--no-store"]
        else:
            words += ["--no-daemon"]
        for python in self.options.pythons:
            words += ["--python", python.path]
        for level in self.options.level:
            words += ["-O", str(level)]
        words += [*more, *self.options.option, *(paths or [root])]
        environment = dict(self.environment, **(changes or {}))
        done = subprocess.run(words, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode not in (0, 1):
            sys.stderr.buffer.write(done.stderr)
            sys.exit(2)

    # Each way is a method that returns the directory of the bytecode. The first line of its docstring is printed.

    def measure(self):
        """one worker, files made in the order of their names"""
        root = self.place("tree")
        copy(self.tree, self.names, root)
        self.freshpyc(root)
        return root

    def again(self):
        """one worker, the same once more"""
        return self.measure()

    def reverse(self):
        """four workers, files made in reverse order"""
        root = self.place("tree")
        copy(self.tree, reversed(self.names), root)
        self.freshpyc(root, jobs=4)
        return root

    def shuffled(self):
        """two workers, files made by chance, each with its own time"""
        root = self.place("tree")
        names = self.names[:]
        random.Random(5).shuffle(names)
        copy(self.tree, names, root, times=lambda name: THEN - 10 * len(name) - self.names.index(name))
        self.freshpyc(root, jobs=2)
        return root

    def one_by_one(self):
        """some modules alone, each on a fresh worker, then the rest on warm ones"""
        root = self.place("tree")
        copy(self.tree, self.names, root)
        for name in random.Random(7).sample(self.names, min(20, len(self.names))):
            self.freshpyc(root, paths=[os.path.join(root, name)])
        self.freshpyc(root, jobs=2)
        return root

    def elsewhere(self):
        """a folder of another name and depth, its prefix stripped"""
        root = self.place("a", "much longer folder", "ünï", "srv")
        copy(self.tree, self.names, root)
        self.freshpyc(root, jobs=2)
        return root

    def relative(self):
        """named by a relative path, from inside"""
        root = self.place("tree")
        copy(self.tree, self.names, root)
        self.freshpyc(root, paths=["."], jobs=2)
        return root

    def surroundings(self):
        """another time zone, language, umask, hash seed, optimization of the environment"""
        root = self.place("tree")
        copy(self.tree, self.names, root)
        old = os.umask(0o077)
        try:
            self.freshpyc(
                root,
                jobs=3,
                changes={
                    "TZ": "Asia/Kathmandu",
                    "LC_ALL": "C",
                    "LANG": "tr_TR.UTF-8",
                    "PYTHONHASHSEED": "12345",
                    "PYTHONOPTIMIZE": "2",
                    "PYTHONUTF8": "0",
                    "HOME": "/nonexistent",
                },
            )
        finally:
            os.umask(old)
        return root

    def twice(self):
        """over bytecode that is there, forced where the verb can"""
        root = self.place("tree")
        copy(self.tree, self.names, root)
        self.freshpyc(root)
        self.freshpyc(root, *(["--force"] if self.options.verb == "build" else []), jobs=2)
        return root

    def after_cpython(self):
        """over bytecode that CPython's compileall has left"""
        root = self.place("tree")
        copy(self.tree, self.names, root)
        for python in self.options.pythons:
            if python.major > 2:
                subprocess.run(
                    [python.path, "-m", "compileall", "-qq", root], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
        self.freshpyc(root, jobs=2)
        return root

    def edited(self):
        """after every tenth module was another, and was put back"""
        root = self.place("tree")
        copy(self.tree, self.names, root)
        for name in self.names[::10]:
            with open(os.path.join(root, name), "ab") as stream:
                stream.write(b"\nanother = {'a', 'b', 1.0, -1, (2, 3)}\n")
        self.freshpyc(root, jobs=2)
        copy(self.tree, self.names[::10], root)
        self.freshpyc(root, jobs=2)
        return root

    def stored(self):
        """from a store that another build has filled, in another folder"""
        if self.options.verb != "precompile":
            return None
        store = os.path.join(self.scratch, "store")
        for folder in ("first", "second"):
            root = self.place(folder)
            copy(self.tree, self.names, root)
            self.freshpyc(root, jobs=2, store=store)
        return root

    def output(self):
        """into a tree of its own (--output)"""
        if self.options.verb != "precompile":
            return None
        root, target = self.place("tree"), self.place("out")
        copy(self.tree, self.names, root)
        self.freshpyc(root, "--output", target, jobs=2)
        if any(name.endswith(".pyc") for _, _, files in os.walk(root) for name in files):
            print("  bytecode in the source tree, though --output was given")
        return target

    def daemon(self):
        """by a daemon, warm from edits of every tenth module"""
        if self.options.verb != "build" or len(self.options.pythons) > 1:
            return None
        root = self.place("tree")
        copy(self.tree, self.names, root)
        words = ["--invalidation", "unchecked-hash", "--python", self.options.pythons[0].path, *self.options.option]
        for level in self.options.level:
            words += ["-O", str(level)]
        quiet = {"cwd": root, "env": self.environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([self.options.freshpyc, "watch", "--background", *words, root], **quiet)
        try:
            for name in self.names[::10]:
                with open(os.path.join(root, name), "ab") as stream:
                    stream.write(b"\nanother = {'a', 'b', 1.0, -1, (2, 3)}\n")
            subprocess.run([self.options.freshpyc, "wait", root], **quiet)
            copy(self.tree, self.names[::10], root)
            subprocess.run([self.options.freshpyc, "wait", root], **quiet)
        finally:
            subprocess.run([self.options.freshpyc, "stop", root], **quiet)
        return root

    WAYS = [
        "again",
        "reverse",
        "shuffled",
        "one_by_one",
        "elsewhere",
        "relative",
        "surroundings",
        "twice",
        "after_cpython",
        "edited",
        "stored",
        "output",
        "daemon",
    ]
    # Without a prefix to strip, the name of the directory is in the bytecode.
    MOVES = ["elsewhere", "output"]


def inspected(binary, path):
    done = subprocess.run([binary, "inspect", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return ["    " + line for line in done.stdout.decode("utf-8", "replace").splitlines()[:40]]


def compare(options, measure, found, root, aside):
    """Returns the number of files that differ, and shows the first one. `aside` is a directory for its reference."""
    different = [name for name in sorted(set(measure) | set(found)) if measure.get(name) != found.get(name)]
    if different:
        name = different[0]
        print("  %s: %s" % (name, "only in one of both" if name not in measure or name not in found else "differs"))
        if name in measure and name in found:
            left, right = measure[name], found[name]
            at = next(
                (place for place, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), min(len(left), len(right))
            )
            print(
                "    first at byte %d of %d and %d: %s, %s"
                % (at, len(left), len(right), left[at : at + 16].hex(), right[at : at + 16].hex())
            )
            kept = os.path.join(aside, os.path.basename(name))
            with open(kept, "wb") as stream:
                stream.write(left)
            for path in (kept, os.path.join(root, name)):
                print("  %s" % path)
                print("\n".join(inspected(options.freshpyc, path)))
    return len(different)


def prove(options, tree, memory):
    differences = compared = 0
    label = os.path.basename(os.path.normpath(tree))
    with tempfile.TemporaryDirectory(prefix="freshpyc-same-", dir=memory) as scratch:
        ways = Ways(options, os.path.abspath(tree), os.path.realpath(scratch))
        if options.verb == "build":
            # The path is in the bytecode, so every way uses the same directory, one after the other.
            fixed = os.path.join(ways.scratch, "tree")

            def place(*parts):
                shutil.rmtree(fixed, ignore_errors=True)
                os.makedirs(fixed)
                return fixed

            ways.place = place
        aside = os.path.join(ways.scratch, "measure")
        os.mkdir(aside)
        measure = bytecode(ways.measure())
        for way in options.only or ways.WAYS:
            if options.verb == "build" and way in ways.MOVES:
                continue
            root = getattr(ways, way)()
            if root is None:
                continue
            compared += 1
            count = compare(options, measure, bytecode(root), root, aside)
            differences += count
            print(
                "%s  %s: %s, %d files, %d differ"
                % (
                    "DIFFERS" if count else "same   ",
                    label,
                    getattr(Ways, way).__doc__.split("\n")[0],
                    len(measure),
                    count,
                ),
                flush=True,
            )
            if options.verb == "precompile":
                shutil.rmtree(root)
    if not compared or not measure:
        sys.exit(2)
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--freshpyc", default=default_binary())
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    parser.add_argument("--level", nargs="+", type=int, default=[0])
    parser.add_argument("--verb", default="precompile", choices=["precompile", "build"])
    parser.add_argument("--only", nargs="+", choices=Ways.WAYS, help="these ways")
    parser.add_argument("--option", action="append", default=[], help="handed to freshpyc as it is; may be repeated")
    parser.add_argument("tree", nargs="+")
    options = parser.parse_args()
    options.freshpyc = os.path.abspath(
        shutil.which(options.freshpyc) or parser.error("no freshpyc at " + options.freshpyc)
    )
    options.pythons = interpreters(options.freshpyc, options.python)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    return 1 if sum(prove(options, tree, memory) for tree in options.tree) else 0


if __name__ == "__main__":
    sys.exit(main())
