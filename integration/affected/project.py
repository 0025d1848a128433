"""A real project: its sources, its virtual environment, and runs of its test suite."""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Outcome:
    """One run of a suite: which files have tests, and which tests failed, with their files."""

    def __init__(self):
        self.files = set()
        self.failed = {}
        self.functions = []
        self.status = 0
        self.seconds = 0.0
        self.timed_out = False
        self.output = ""


class Project:
    """One project. All its files are in its own directory below the work directory."""

    def __init__(self, description, work):
        self.description = description
        self.name = description["name"]
        self.folder = os.path.join(work, self.name)
        self.environment = os.path.join(self.folder, "environment")
        self.python = os.path.join(self.environment, "bin", "python")
        self.root = os.path.join(self.folder, "source")
        self.state = os.path.join(self.folder, "state")

    # Preparing

    def prepare(self):
        """Downloads, unpacks and installs the project, unless this was done before for the same description."""
        ready = os.path.join(self.folder, "ready.json")
        if os.path.exists(ready):
            with open(ready, encoding="utf-8") as stream:
                if json.load(stream) == self.description:
                    return
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.command([sys.executable, "-m", "venv", self.environment], self.folder)
        pip = [self.python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        self.command(pip + ["install"] + self.description["needs"], self.folder)
        requirement = "%s==%s" % (self.name, self.description["version"])
        downloads = os.path.join(self.folder, "download")
        self.command(pip + ["download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--dest", downloads,
                            requirement], self.folder)
        with tarfile.open(os.path.join(downloads, os.listdir(downloads)[0])) as archive:
            archive.extractall(self.folder + "/unpacked", filter="data")
        unpacked = os.path.join(self.folder, "unpacked")
        os.rename(os.path.join(unpacked, os.listdir(unpacked)[0]), self.root)
        self.command(pip + ["install", "--no-deps", "--no-build-isolation", "--editable", self.root], self.folder)
        with open(ready, "w", encoding="utf-8") as stream:
            json.dump(self.description, stream)

    def command(self, words, folder):
        run = subprocess.run(words, cwd=folder, env=self.variables(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, check=False)
        if run.returncode != 0:
            sys.exit("%s: exit status %d\n%s" % (" ".join(words), run.returncode, run.stdout[-4000:]))

    def variables(self):
        """The variables of everything that runs for the project. Bytecode is not written: none can be out of date."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("PYTHON", "PYTEST_")) and name not in ("VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE")}
        path = os.path.join(self.environment, "bin") + os.pathsep + kept.get("PATH", "")
        return dict(kept, PATH=path, VIRTUAL_ENV=self.environment, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0",
                    **self.description.get("environment", {}))

    # Running

    def whole_suite(self, limit, functions=False):
        return self.run(self.description.get("tests", []), limit, functions)

    def these_files(self, paths, limit):
        """Runs these test files alone."""
        if "pytest" not in self.description["suite"]:
            paths = [re.sub(r"(/__init__)?\.py$", "", path).replace("/", ".") for path in paths]
        return self.run(paths, limit)

    def run(self, tests, limit, functions=False):
        record = os.path.join(self.folder, "record.jsonl")
        printed = os.path.join(self.folder, "output.txt")
        words = [self.python, os.path.join(HERE, "record.py"), record] + ["--functions"] * functions
        words += self.description["suite"]
        if "pytest" in self.description["suite"]:
            words += ["-p", "no:cacheprovider", "--continue-on-collection-errors", "--maxfail=100000", "--tb=native"]
        outcome = Outcome()
        began = time.monotonic()
        with open(printed, "wb") as stream:
            process = subprocess.Popen(words + tests, cwd=self.root, env=self.variables(), stdin=subprocess.DEVNULL,
                                       stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
                                       preexec_fn=limit_memory)
            try:
                process.wait(limit)
            except subprocess.TimeoutExpired:
                outcome.timed_out = True
            finally:
                # Also if this script is ended. A test may have left children that wait for something.
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                outcome.status = process.wait()
        outcome.seconds = time.monotonic() - began
        with open(printed, encoding="utf-8", errors="replace") as stream:
            outcome.output = stream.read()
        self.read(record, outcome)
        return outcome

    def read(self, record, outcome):
        running = None
        with open(record, encoding="utf-8") as stream:
            for line in stream:
                try:
                    event, path, detail = json.loads(line)
                except ValueError:  # cut off when the suite was killed
                    break
                path = os.path.relpath(os.path.realpath(path), os.path.realpath(self.root))
                if event == "function":
                    outcome.functions.append((path, detail))
                elif event == "fail":
                    outcome.failed[detail] = path
                else:
                    outcome.files.add(path)
                    running = (detail, path)
        # The test that was running when the suite hung or crashed has failed.
        if running and (outcome.timed_out or outcome.status < 0):
            outcome.failed[running[0]] = running[1]

    def failing_files(self, outcome, test_files, known):
        """The test files with a failure that is not known, as a dictionary: file → one of its tests.

        A failing conftest.py or `__init__.py` counts as all test files below it.
        """
        found = {}

        def below(folder, test):
            for path in test_files:
                if folder == "." or path == folder or path.startswith(folder + "/"):
                    found.setdefault(path, test)

        for test, path in outcome.failed.items():
            if test in known:
                continue
            if path in test_files:
                found.setdefault(path, test)
            elif os.path.basename(path) in ("conftest.py", "__init__.py"):
                below(os.path.dirname(path) or ".", test)
            elif os.path.isdir(os.path.join(self.root, path)):
                below(path, test)
            else:
                found.setdefault(path, test)
        if not outcome.files and not outcome.failed and outcome.status != 0:
            # The suite did not even begin.
            match = re.search(r"while loading conftest '([^']*)'", outcome.output)
            folder = os.path.relpath(os.path.dirname(match.group(1)), self.root) if match else "."
            below(folder, "(nothing ran)")
        return found


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
