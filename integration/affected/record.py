#!/usr/bin/env python3
"""Runs a test suite in this interpreter and records the results by test file.

    record.py RECORD [--functions] -m MODULE [ARGUMENT...]
    record.py RECORD [--functions] SCRIPT [ARGUMENT...]

Writes one JSON list per line to RECORD while the suite runs, so that a suite that is killed leaves a record, too:

    ["start", FILE, TEST]       a test begins
    ["fail", FILE, TEST]        a test, or the collection of a file or a directory, failed
    ["function", FILE, LINE]    with --functions, at the end: this function ran (the line of its first decorator or `def`),
                                or this module (line 0)

A module named pytest is recorded by a plugin. Anything else is taken for a runner that is based on unittest.
"""
import atexit
import json
import os
import runpy
import sys


class Record:
    def __init__(self, path):
        self.stream = open(path, "w", encoding="utf-8")
        self.process = os.getpid()

    def write(self, *event):
        # A child that a test forked must not write what the parent writes.
        if os.getpid() == self.process:
            self.stream.write(json.dumps(event) + "\n")
            self.stream.flush()


class PytestPlugin:
    def __init__(self, record):
        self.record = record
        self.root = os.getcwd()

    def pytest_configure(self, config):
        self.root = str(config.rootpath)

    def path(self, identifier):
        return os.path.join(self.root, identifier.partition("::")[0])

    def pytest_runtest_logstart(self, nodeid, location):
        self.record.write("start", self.path(nodeid), nodeid)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.record.write("fail", self.path(report.nodeid), report.nodeid)

    def pytest_collectreport(self, report):
        if report.failed:
            self.record.write("fail", self.path(report.nodeid), report.nodeid)


def watch_unittest(record):
    """Makes every TestResult report to the record, whatever runner made it."""
    import unittest

    def path(test):
        kind = type(test).__module__
        if kind == "unittest.loader":  # a module that could not be imported
            return unloaded(test.id().partition("_FailedTest.")[2])
        if kind == "unittest.suite":  # setUpClass (package.module.Class)
            name = test.id().partition("(")[2].rstrip(")")
            while name not in sys.modules and "." in name:
                name = name.rpartition(".")[0]
        else:
            name = kind
        return os.path.abspath(sys.modules[name].__file__)

    def unloaded(name):
        inside = os.path.join(*name.split(".")) + ".py"
        found = [path for path in (os.path.join(folder, inside) for folder in sys.path) if os.path.exists(path)]
        return os.path.abspath((found or [inside])[0])

    def wrapped(name, event):
        original = getattr(unittest.TestResult, name)

        def method(self, test, *rest):
            if name != "addSubTest" or rest[1] is not None:
                record.write(event, path(test), test.id())
            return original(self, test, *rest)

        setattr(unittest.TestResult, name, method)

    wrapped("startTest", "start")
    for name in ("addError", "addFailure", "addUnexpectedSuccess", "addSubTest"):
        wrapped(name, "fail")


def watch_functions(record):
    seen = set()
    events = sys.monitoring

    def started(code, _):
        if code.co_name == "<module>":
            seen.add((code.co_filename, 0))
        elif not code.co_name.startswith("<"):
            seen.add((code.co_filename, code.co_firstlineno))
        return events.DISABLE

    def write():
        events.set_events(3, 0)
        for path, line in sorted(seen):
            record.write("function", os.path.abspath(path), line)

    events.use_tool_id(3, "record")
    events.register_callback(3, events.events.PY_START, started)
    events.set_events(3, events.events.PY_START)
    atexit.register(write)


def main(arguments):
    record = Record(arguments.pop(0))
    if arguments[0] == "--functions":
        arguments.pop(0)
        watch_functions(record)
    program = arguments.pop(0)
    if program == "-m":
        program = arguments.pop(0)
        sys.path[0] = os.getcwd()
        if program == "pytest":
            import pytest
            sys.exit(pytest.main(arguments, plugins=[PytestPlugin(record)]))
        watch_unittest(record)
        sys.argv = [program] + arguments
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(program))
        watch_unittest(record)
        sys.argv = [program] + arguments
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
