#!/usr/bin/env python3
"""Runs CPython's own tests of `python -m compileall` and `python -m py_compile` with freshpyc in their place.

    drop_ins.py [--freshpyc BINARY] [--python PYTHON3.13] [--reference] [-k WORD] [--verbose]

Runs the unchanged command-line tests (test_compileall.CommandLineTests..., test_py_compile.PyCompileCLITestCase) from the
`test` package of a CPython 3.13. Only the processes that they start are replaced: `python FLAGS -m compileall ARGUMENTS`
becomes `freshpyc compileall ARGUMENTS` with FRESHPYC_PYTHON=python, and FLAGS become environment variables (-O:
PYTHONOPTIMIZE; -E and -I: no PYTHON variables). With --reference it becomes `python -m compileall ARGUMENTS` with the
same variables: if that passes, the replacement does not affect the tests.

Prints a line for each test. Exit status 1 if a test fails that is not a deliberate difference (DELIBERATE).
"""

import argparse
import contextlib
import glob
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

MODULES = {"compileall": "compileall", "py_compile": "py-compile"}
# Test, why freshpyc differs, and texts that the failure must contain (so that it does not hide other failures).
DELIBERATE = [
    (
        "test_invalid_arg_produces_message",
        "a directory that is not there is an error (exit status 1), not a message and success",
        "Process return code is 1",
        "Can't list 'badfilename'",
    ),
]


def default_binary():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for kind in ("release", "debug"):
        path = os.path.join(root, ".build", kind, "freshpyc")
        if os.path.exists(path):
            return path
    return "freshpyc"


def default_python():
    found = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.13.*/bin/python")))
    return found[-1] if found else shutil.which("python3.13") or sys.executable


def translated(words, environment, target):
    """The command to run instead, and its environment; `None` if the command is not to be replaced.

    target: 'reference', or the path of freshpyc.
    """
    if not isinstance(words, (list, tuple)) or not words or words[0] != sys.executable:
        return None
    environment = dict(os.environ if environment is None else environment)
    rest = list(words[1:])
    while rest:
        flag = rest.pop(0)
        if flag == "-X":
            rest.pop(0)
        elif flag in ("-I", "-E"):
            environment = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
        elif flag in ("-O", "-OO"):
            environment["PYTHONOPTIMIZE"] = str(len(flag) - 1)
        elif flag in ("-m", "-Om") and rest and rest[0] in MODULES:
            if flag == "-Om":
                environment["PYTHONOPTIMIZE"] = "1"
            module = rest.pop(0)
            if target == "reference":
                return [sys.executable, "-m", module] + rest, environment
            environment["FRESHPYC_PYTHON"] = sys.executable
            return [target, MODULES[module]] + rest, environment
        elif flag != "-S":  # only matters without path arguments, and is harmless then
            return None
    return None


class Redirected(subprocess.Popen):
    """A process whose command may be replaced."""

    target = "reference"
    count = 0

    def __init__(self, args, *rest, **options):
        changed = translated(args, options.get("env"), Redirected.target)
        if changed:
            Redirected.count += 1
            args, options["env"] = changed
        super().__init__(args, *rest, **options)


class Result(unittest.TestResult):
    """Prints a line for each test."""

    def __init__(self, reference, verbose):
        super().__init__()
        self.reference, self.verbose = reference, verbose
        self.failed, self.deliberate, self.passed, self.ran_none = [], [], 0, 0

    def startTest(self, test):
        super().startTest(test)
        Redirected.count, self.texts = 0, []

    def addError(self, test, err):
        super().addError(test, err)
        self.texts.append(self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.texts.append(self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.texts.append(self._exc_info_to_string(err, test))

    def stopTest(self, test):
        super().stopTest(test)
        name = ".".join(test.id().split(".")[-2:])
        skipped = [reason for other, reason in self.skipped if other is test]
        if skipped:
            print("skipped  %s: %s" % (name, skipped[0]))
        elif not self.texts:
            self.passed += 1
            self.ran_none += not Redirected.count
            print("ok       %s%s" % (name, "" if Redirected.count else " (starts no such process)"))
        else:
            text = "\n".join(self.texts)
            known = (
                []
                if self.reference
                else [
                    entry
                    for entry in DELIBERATE
                    if name.endswith("." + entry[0]) and all(word in text for word in entry[2:])
                ]
            )
            if known:
                self.deliberate.append(name)
                print("differs  %s: on purpose: %s" % (name, known[0][1]))
            else:
                self.failed.append(name)
                print("FAIL     %s" % name)
                lines = text.rstrip().splitlines()
                print("\n".join("         " + line for line in (lines if self.verbose else lines[-25:])))
        sys.stdout.flush()


def inside(options):
    """Runs the tests, in the interpreter that they belong to."""
    sys.path.pop(0)  # this directory
    Redirected.target = "reference" if options.reference else options.freshpyc
    with tempfile.TemporaryDirectory(
        prefix="freshpyc-drop-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    ) as scratch:
        work = os.path.join(os.path.realpath(scratch), "work")
        os.mkdir(work)
        os.chdir(work)
        tempfile.tempdir = os.path.realpath(scratch)
        os.environ["XDG_CACHE_HOME"] = os.path.join(scratch, "cache")
        for name in ("SOURCE_DATE_EPOCH", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "PYTHONOPTIMIZE"):
            os.environ.pop(name, None)
        from test import test_compileall, test_py_compile
        from test.support import script_helper

        script_helper.interpreter_requires_environment()  # starts a process the first time
        subprocess.Popen = Redirected
        classes = [
            test_compileall.CommandLineTestsWithSourceEpoch,
            test_compileall.CommandLineTestsNoSourceEpoch,
            test_py_compile.PyCompileCLITestCase,
        ]
        loader = unittest.TestLoader()
        loader.testNamePatterns = ["*%s*" % options.k] if options.k else None
        suite = unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))
        result = Result(options.reference, options.verbose)
        with contextlib.redirect_stderr(io.StringIO()):
            suite.run(result)
        os.chdir("/")
    print(
        "%s, tests of CPython %s: %d passed (%d start no such process), %d differ on purpose, %d skipped, %d failed"
        % (
            "python -m, indirectly" if options.reference else "freshpyc",
            sys.version.split()[0],
            result.passed,
            result.ran_none,
            len(result.deliberate),
            len(result.skipped),
            len(result.failed),
        )
    )
    return 1 if result.failed or not result.testsRun else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--freshpyc", default=default_binary())
    parser.add_argument("--python", default=default_python())
    parser.add_argument("--reference", action="store_true", help="run CPython's own modules, in the same indirect way")
    parser.add_argument("-k", metavar="WORD", help="only tests with this in their name")
    parser.add_argument("--verbose", action="store_true", help="failures in full")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.reference:
        options.freshpyc = os.path.abspath(
            shutil.which(options.freshpyc) or parser.error("no freshpyc at " + options.freshpyc)
        )
    if options.inside:
        return inside(options)
    words = [options.python, os.path.abspath(__file__), "--inside", "--freshpyc", options.freshpyc]
    words += ["--reference"] * options.reference + ["--verbose"] * options.verbose
    words += ["-k", options.k] if options.k else []
    return subprocess.run(words).returncode


if __name__ == "__main__":
    sys.exit(main())
