#!/usr/bin/env python3
"""Changes functions of real projects, and checks that `freshpyc affected --tests` names every test file that then fails.

    run.py [--freshpyc BINARY] [--work DIR] [--seed N] [--changes N] [--project NAME[,NAME]] [--change N] [--modules]
           [--afresh]

projects.json lists the projects. Each is downloaded as a source distribution with pip, and installed in a virtual
environment of its own; both stay in the work directory for the next run. The suite runs unchanged first. Then, for each
change, one function that the suite runs is changed so that it raises, returns nothing, or takes the other branch of a
condition; the whole suite runs; and the files with new failures must all be in freshpyc's answer. With `--modules`, modules
of which no function runs (tables, and modules that only define classes) are made to raise at their end instead.

A seed gives the same changes every time. `--change N` makes only change N. The exit status is 1 if a test file was
omitted that fails a second time, and on its own. A file that fails only after other tests is printed, but does not
count: it fails because of the state that those tests left behind.

Needs Python 3.12 or newer (it uses `sys.monitoring`), and pip with a package index.
"""
import argparse
import hashlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from mutation import functions, mutate, mutate_module  # noqa: E402
from project import Project  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


class Memory:
    """What suites did, in a file. It does not depend on freshpyc, and takes nearly all of the time."""

    def __init__(self, path, afresh):
        self.path, self.known = path, {}
        if os.path.exists(path) and not afresh:
            with open(path, encoding="utf-8") as stream:
                self.known = json.load(stream)

    def get(self, key, find):
        if key not in self.known:
            self.known[key] = find()
            with open(self.path + ".new", "w", encoding="utf-8") as stream:
                json.dump(self.known, stream)
            os.replace(self.path + ".new", self.path)
        return json.loads(json.dumps(self.known[key]))


class Trial:
    """All changes of one project."""

    def __init__(self, project, options):
        self.project, self.options = project, options
        self.changes = self.breaking = self.omitted = self.afterwards = 0
        self.shares = []

    def go(self):
        self.project.prepare()
        self.memory = Memory(os.path.join(self.project.folder, "memory.json"), self.options.afresh)
        before = self.memory.get("unchanged", self.unchanged)
        self.test_files, self.known = before["files"], set(before["failed"])
        self.targets = before["functions"]
        if self.options.modules:
            self.targets = {path: [0] for path in before["modules"] if path not in self.targets}
        self.limit = max(60, 4 * before["seconds"])
        print("%s %s: %d test files, %d known failures, %d places in %d modules to change, %.1f s" % (
            self.project.name, self.project.description["version"], len(self.test_files), len(self.known),
            sum(map(len, self.targets.values())), len(self.targets), before["seconds"]), flush=True)
        if not self.targets:
            return
        numbers = [self.options.change] if self.options.change else range(1, self.options.changes + 1)
        for number in numbers:
            self.change(number)

    def unchanged(self):
        """Runs the suite twice: what fails once is known to fail."""
        first = self.project.whole_suite(self.options.limit, functions=True)
        second = self.project.whole_suite(self.options.limit)
        if first.timed_out or not first.files or first.files != second.files:
            sys.exit("%s: the unchanged suite does not run:\n%s" % (self.project.name, first.output[-4000:]))
        return {"files": sorted(first.files), "failed": sorted(set(first.failed) | set(second.failed)),
                "functions": self.functions(first), "modules": self.modules(first), "seconds": first.seconds}

    def functions(self, outcome):
        """The lines of the functions that ran, by module. Test files are not changed, and neither is code that is not a
        function in a source."""
        found = {}
        for path, line in outcome.functions:
            if line and not path.startswith("..") and path not in outcome.files:
                found.setdefault(path, set()).add(line)
        for path in list(found):
            try:
                found[path] = sorted(found[path].intersection(first for first, _, _ in functions(self.contents(path))))
            except (ValueError, SyntaxError):
                found[path] = []
            if not found[path]:
                del found[path]
        return found

    def modules(self, outcome):
        """The modules that ran, without test files."""
        return sorted({path for path, line in outcome.functions if line == 0 and not path.startswith("..")
                       and path not in outcome.files and self.contents(path).strip()})

    def contents(self, path):
        """Nothing if there is no such file: what a test wrote is gone."""
        try:
            with open(os.path.join(self.project.root, path), "rb") as stream:
                return stream.read()
        except OSError:
            return b""

    def change(self, number):
        choose = random.Random("%s %s %s" % (self.options.seed, self.project.name, number))
        mutation = None
        while mutation is None:
            path = choose.choice(sorted(self.targets))
            source = self.contents(path)
            line = choose.choice(self.targets[path])
            mutation = mutate(source, line, choose) if line else mutate_module(source)
        full = os.path.join(self.project.root, path)
        key = hashlib.sha256(path.encode() + b"\0" + mutation.text).hexdigest()
        stamp = os.stat(full)
        try:
            with open(full, "wb") as stream:
                stream.write(mutation.text)
            selected = self.selected(path)
            result = self.memory.get(key, self.changed)
            missing = [test_file for test_file in sorted(result["failing"]) if test_file not in selected]
            alone = self.memory.get(key + " alone " + " ".join(missing), lambda: self.failing_alone(missing))
        finally:
            with open(full, "wb") as stream:
                stream.write(source)
            os.utime(full, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        if missing:
            flaky = self.memory.get(key + " unchanged", self.changed)["failing"]
            result["failing"] = {one: test for one, test in result["failing"].items() if one not in flaky}
            missing = [one for one in missing if one not in flaky]
        self.report(number, path, mutation, selected, result, missing, alone)

    def changed(self):
        """What the whole suite does now."""
        outcome = self.project.whole_suite(self.limit)
        return {"failing": self.project.failing_files(outcome, self.test_files, self.known),
                "seconds": outcome.seconds, "timed_out": outcome.timed_out}

    def failing_alone(self, paths):
        """Those of these test files that fail even if no other runs before them."""
        found = []
        for path in paths:
            outcome = self.project.these_files([path], self.limit)
            if path in self.project.failing_files(outcome, self.test_files, self.known):
                found.append(path)
        return found

    def selected(self, path):
        """The test files that freshpyc's answer contains. A directory in it stands for all test files below."""
        words = [self.options.freshpyc, "affected", "--tests", "--no-daemon", "--python", self.project.python,
                 "--state-dir", self.project.state, path]
        run = subprocess.run(words, cwd=self.project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             check=False)
        if run.returncode != 0:
            sys.exit("%s: exit status %d\n%s" % (" ".join(words), run.returncode, run.stderr))
        answer = {line.rstrip("/") for line in run.stdout.splitlines()}

        def covers(test_file):
            while test_file and test_file not in answer:
                test_file = os.path.dirname(test_file)
            return bool(test_file) or "." in answer

        return set(filter(covers, self.test_files))

    def report(self, number, path, mutation, selected, result, missing, alone):
        self.changes += 1
        self.breaking += bool(result["failing"])
        self.shares.append(len(selected) / len(self.test_files))
        print("%s %d: %s:%d: %s in %s: %d of %d test files fail, %d selected (%.1f s%s)" % (
            self.project.name, number, path, mutation.line, mutation.kind, mutation.name, len(result["failing"]),
            len(self.test_files), len(selected), result["seconds"], ", time limit" if result["timed_out"] else ""),
            flush=True)
        for test_file in missing:
            test = result["failing"][test_file]
            if test_file in alone:
                self.omitted += 1
                print("  OMITTED %s: %s\n    to repeat it: run.py --seed %s --project %s --change %d%s" % (
                    test_file, test, self.options.seed, self.project.name, number,
                    " --modules" * self.options.modules), flush=True)
            else:
                self.afterwards += 1
                print("  fails only after other tests: %s: %s" % (test_file, test), flush=True)


def table(trials):
    print("\n| project | changes | broke a test | omitted test files | fail only after others | test files selected, median |")
    print("|---|---|---|---|---|---|")
    for trial in trials:
        print("| %s %s | %d | %d | %d | %d | %.0f %% of %d |" % (
            trial.project.name, trial.project.description["version"], trial.changes, trial.breaking, trial.omitted,
            trial.afterwards, 100 * statistics.median(trial.shares), len(trial.test_files)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--work", default=os.path.join(HERE, "../../.build/affected"),
                        help="downloads and environments stay here (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--changes", type=int, default=20, help="of each project")
    parser.add_argument("--change", type=int, help="only the change with this number")
    parser.add_argument("--project", help="only these projects, separated by commas")
    parser.add_argument("--modules", action="store_true", help="change modules none of whose functions runs")
    parser.add_argument("--afresh", action="store_true", help="forget what suites did in earlier runs")
    parser.add_argument("--limit", type=float, default=600, help="seconds for the unchanged suite")
    options = parser.parse_args()
    if sys.version_info < (3, 12):
        sys.exit("run.py needs Python 3.12 or newer")
    options.freshpyc = os.path.abspath(options.freshpyc)
    with open(os.path.join(HERE, "projects.json"), encoding="utf-8") as stream:
        descriptions = json.load(stream)
    if options.project:
        wanted = options.project.split(",")
        unknown = set(wanted) - {one["name"] for one in descriptions}
        if unknown:
            sys.exit("no project %s in projects.json" % ", ".join(sorted(unknown)))
        descriptions = [one for one in descriptions if one["name"] in wanted]
    print("seed %d" % options.seed)
    trials = []
    for description in descriptions:
        trial = Trial(Project(description, os.path.abspath(options.work)), options)
        trial.go()
        if trial.changes:
            trials.append(trial)
    table(trials)
    omitted = sum(trial.omitted for trial in trials)
    print("\n%d changes, %d test files omitted" % (sum(trial.changes for trial in trials), omitted))
    return 1 if omitted else 0


if __name__ == "__main__":
    # So that a changed file is restored, and no suite left, when this script is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
