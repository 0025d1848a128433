#!/usr/bin/env python3
"""Checks the wheels of well-known packages with `freshpyc check`, which must not report anything false.

    run.py [--freshpyc BINARY] [--python PYTHON] [--cache DIR] [--only NAME[,NAME]] [--offline] [--record]

Packages and versions are listed in packages.txt. pip downloads each wheel for PYTHON (3.11 or 3.12, on Linux x86_64)
into the cache, by default $XDG_CACHE_HOME/freshpyc-wheels, and the wheel is unpacked there as pip would install it.
With --offline, only what is already in the cache is used. An environment without packages is made there, too, so that
the answer does not depend on what is installed for PYTHON.

Each package is checked alone, with an empty database, first without and then with --strict. Every error and warning
must be in verdicts.json with the verdict `true` and a sentence about what would fail, and every finding there must be
found; the verdict `false` is for known mistakes of freshpyc. Prints what does not agree, and how many packages pass
with --strict. --record adds unknown findings to verdicts.json with the verdict null, to be judged.

Exit status 1 if a finding is not true, a true one is not found, or fewer than 80 % of the packages pass with --strict;
2 if a package could not be checked.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = os.path.join(HERE, "packages.txt")
VERDICTS = os.path.join(HERE, "verdicts.json")
LEAST_STRICT = 80  # percent


class Unavailable(Exception):
    """A package that cannot be downloaded, unpacked or checked."""


def packages(only):
    with open(PACKAGES, encoding="utf-8") as stream:
        pins = dict(line.strip().split("==") for line in stream if line.strip())
    unknown = sorted(set(only or ()) - set(pins))
    if unknown:
        sys.exit("run.py: not in packages.txt: " + ", ".join(unknown))
    return {name: version for name, version in pins.items() if not only or name in only}


def run(words, **options):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True, **options)


class Cache:
    """Wheels, and one directory for each unpacked wheel."""

    def __init__(self, folder, python, offline):
        self.python, self.offline = python, offline
        self.series = run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).stdout.strip()
        if self.series not in ("3.11", "3.12"):
            sys.exit("run.py: %s is not Python 3.11 or 3.12" % python)
        self.folder = os.path.join(folder, self.series)
        os.makedirs(self.folder, exist_ok=True)

    def interpreter(self):
        """The interpreter of an environment in which nothing is installed, not even pip."""
        home = os.path.join(self.folder, "environment")
        interpreter = os.path.join(home, "bin", "python")
        if not os.path.exists(interpreter):
            made = run([self.python, "-m", "venv", "--without-pip", home])
            if made.returncode != 0:
                sys.exit("run.py: " + made.stderr)
        return interpreter

    def wheel(self, name, version):
        folder = os.path.join(self.folder, "wheels", "%s-%s" % (name, version))
        if not os.path.isdir(folder):
            if self.offline:
                raise Unavailable("is not in the cache")
            with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
                words = [self.python, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
                done = run(words + ["--dest", scratch, "%s==%s" % (name, version)])
                if done.returncode != 0:
                    raise Unavailable("pip cannot download it: " + done.stderr.strip())
                shutil.copytree(scratch, folder)
        wheels = [entry for entry in os.listdir(folder) if entry.endswith(".whl")]
        if len(wheels) != 1:
            raise Unavailable("%s does not contain exactly one wheel" % folder)
        return os.path.join(folder, wheels[0])

    def tree(self, name, version):
        """The wheel's files, as they would be in site-packages."""
        folder = os.path.join(self.folder, "trees", "%s-%s" % (name, version))
        if os.path.isdir(folder):
            return folder
        wheel = self.wheel(name, version)
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(scratch)
            # NAME.data has a directory for each place of an installation (PEP 427). Only two of them are imported from.
            for data in [entry for entry in os.listdir(scratch) if entry.endswith(".data")]:
                for place in ("purelib", "platlib"):
                    inside = os.path.join(scratch, data, place)
                    if os.path.isdir(inside):
                        shutil.copytree(inside, scratch, dirs_exist_ok=True)
                shutil.rmtree(os.path.join(scratch, data))
            shutil.copytree(scratch, folder)
        return folder


class Checker:
    def __init__(self, binary, interpreter):
        self.binary, self.interpreter = binary, interpreter

    def check(self, tree):
        """The errors and warnings of a tree as text, and whether it passes with --strict."""
        with tempfile.TemporaryDirectory(prefix="freshpyc-wheels-") as state:
            plain, passes = self.report(tree, state)
            strict, passes = self.report(tree, state, "--strict")
        if plain != strict:
            raise Unavailable("has other findings when it is checked again:\n  " + "\n  ".join(
                sorted(set(plain) ^ set(strict))))
        return plain, passes

    def report(self, tree, state, *more):
        words = [self.binary, "check", "--no-daemon", "--format", "json", "--python", self.interpreter]
        done = run(words + ["--state-dir", state, *more], cwd=tree)
        if done.returncode not in (0, 1):
            raise Unavailable("exit status %d: %s" % (done.returncode, done.stderr.strip()))
        found = [finding for finding in json.loads(done.stdout)["diagnostics"] if finding["severity"] != "note"]
        return sorted(text(finding) for finding in found), done.returncode == 0


def text(finding):
    """A finding as `check` prints it, without the column."""
    line = ":%d" % finding["line"] if "line" in finding else ""
    return "%(path)s%(at)s: %(severity)s: %(message)s [%(rule)s]" % dict(finding, at=line)


class Verdicts:
    """For each package, a list of groups: `verdict`, `why`, the `findings` that it covers, and `python` if only that
    version has them."""

    def __init__(self, series):
        self.series = series
        with open(VERDICTS, encoding="utf-8") as stream:
            self.groups = json.load(stream)

    def of(self, name):
        groups = [group for group in self.groups.get(name, []) if group.get("python", self.series) == self.series]
        return {finding: group["verdict"] for group in groups for finding in group["findings"]}

    def record(self, name, findings):
        groups = self.groups.setdefault(name, [])
        groups.append({"verdict": None, "why": "", "findings": findings})

    def write(self):
        with open(VERDICTS, "w", encoding="utf-8") as stream:
            json.dump(dict(sorted(self.groups.items())), stream, indent=2, ensure_ascii=False)
            stream.write("\n")


def severity(finding):
    """`error` or `warning`, from a finding's text."""
    return "error" if ": error: " in finding else "warning"


class Summary:
    def __init__(self, least):
        self.least = least
        self.counts = collections.Counter()
        self.checked = self.passing = self.modules = 0
        self.unavailable = []

    def add(self, name, findings, passes, verdicts):
        """Prints the findings that are not known to be true, and returns the unknown ones."""
        self.checked += 1
        self.passing += passes
        lines, unknown = [], []
        for finding in findings:
            verdict = verdicts.get(finding)
            word = {True: "true", False: "false"}.get(verdict, "unknown")
            self.counts[word, severity(finding)] += 1
            if word != "true":
                lines.append("  %s: %s" % (word, finding))
            if finding not in verdicts:
                unknown.append(finding)
        for finding in sorted(set(verdicts) - set(findings)):
            word = "not found" if verdicts[finding] else "fixed, remove its verdict"
            self.counts[word, severity(finding)] += 1
            lines.append("  %s: %s" % (word, finding))
        print("%s: %s with --strict, findings: %d" % (name, "passes" if passes else "fails", len(findings)))
        for line in lines:
            print(line)
        sys.stdout.flush()
        return unknown

    def lack(self, name, problem):
        self.unavailable.append(name)
        print("%s: %s" % (name, problem), flush=True)

    def end(self):
        """Prints the sums, and returns the exit status."""
        for kind in ("error", "warning"):
            words = ("true", "false", "unknown", "not found")
            print("%ss: %s" % (kind, ", ".join("%d %s" % (self.counts[word, kind], word) for word in words)))
        share = 100 * self.passing // max(self.checked, 1)
        print("%d of %d packages pass with --strict (%d %%)" % (self.passing, self.checked, share))
        if self.unavailable or not self.checked:
            print("not checked: " + (", ".join(self.unavailable) or "everything"))
            return 2
        wrong = sum(self.counts[word, kind] for word, kind in self.counts if word in ("false", "unknown", "not found"))
        return 1 if wrong or share < self.least else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--cache", default=os.path.join(caches, "freshpyc-wheels"))
    parser.add_argument("--only", type=lambda value: value.split(","))
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()

    cache = Cache(os.path.abspath(options.cache), options.python, options.offline)
    checker = Checker(os.path.abspath(options.freshpyc), cache.interpreter())
    verdicts = Verdicts(cache.series)
    summary = Summary(0 if options.only else LEAST_STRICT)
    for name, version in packages(options.only).items():
        try:
            findings, passes = checker.check(cache.tree(name, version))
        except Unavailable as problem:
            summary.lack(name, problem)
            continue
        unknown = summary.add(name, findings, passes, verdicts.of(name))
        if options.record and unknown:
            verdicts.record(name, unknown)
    if options.record:
        verdicts.write()
    sys.exit(summary.end())


if __name__ == "__main__":
    main()
