"""Operations on the daemon, its workers, interpreters, store and configuration, and commands of other clients."""
import json
import os
import shutil
import signal
import time

from daemon import Difference, wait_until
from judge import Judge
from truth import Truth
from world import operation


class Processes:
    # The daemon and its workers

    @operation(1)
    def kill_worker(self):
        for process in self.daemon.status()["workers"]["processes"]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.note("kill the workers")

    def restart(self, number):
        self.daemon.end(number)
        self.note("signal %d to the daemon" % number)
        for _ in range(self.rng.randrange(3)):
            self.edit()
        self.start()

    def start(self):
        self.restore_environments()
        self.may_have_lost_orphans = True
        self.daemon.store = self.rng.choice(["none", os.path.join(self.home, "store")])
        self.daemon.start()
        self.note("start the daemon, FRESHPYC_STORE=%s" % self.daemon.store)

    @operation(1)
    def kill_daemon(self):
        self.restart(signal.SIGKILL)

    @operation(1)
    def terminate(self):
        self.restart(signal.SIGTERM)

    @operation(1)
    def hang_up(self):
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            self.daemon.signal(signal.SIGHUP)
        self.note("SIGHUP to the daemon")

    @operation(1)
    def suspend(self):
        self.daemon.signal(signal.SIGSTOP)
        try:
            for _ in range(self.rng.randrange(1, 4)):
                getattr(self, self.rng.choice(["edit", "delete", "make_folder", "move_folder", "create"]))()
        finally:
            self.daemon.signal(signal.SIGCONT)
        self.note("all of that while the daemon was stopped by SIGSTOP")

    # The store

    @operation(1)
    def wipe_store(self):
        shutil.rmtree(os.path.join(self.home, "store"), ignore_errors=True)
        self.note("remove the store")

    @operation(1)
    def damage_store(self):
        path = self.choose([os.path.join(folder, name) for folder, names, files in os.walk(os.path.join(self.home, "store"))
                            for name in files])
        if path:
            self.quietly(self.damage, path)
            self.note("damage %s", path)

    # Interpreters

    @operation(1)
    def replace_environment(self):
        """Replaces an environment with one from another interpreter."""
        name, base = self.rng.choice("ab"), self.rng.choice(self.options.bases)
        how = self.rng.randrange(4)
        if how == 0 or how == 3:
            self.environments.create(name, base, copies=how == 3)
        elif how == 1:
            self.environments.switch(name, base, self.index)
        else:
            self.environments.switch_interpreter(name, base)
        self.remove_orphans_below(self.root)
        self.note("env-%s %s %s" % (name, ("is made again from", "is now a link to one of", "gets the interpreter",
                                           "is made again, with a copy of")[how], base))

    @operation(1)
    def delete_environment(self):
        name = self.rng.choice("ab")
        self.environments.delete(name)
        self.note("remove env-%s" % name)

    # The configuration

    def reconfigure(self):
        """Writes the configuration, sends SIGHUP, and waits until the daemon uses it."""
        self.restore_environments()
        self.remove_orphans_below(self.root)
        self.configure()
        self.daemon.signal(signal.SIGHUP)
        self.note("freshpyc.json: python %s, exclude %s, optimize %s; SIGHUP" % (self.selected, self.excludes, self.levels))
        wait_until(self.has_configuration, 30, "the daemon has not taken the configuration after SIGHUP")

    def has_configuration(self):
        """Whether the daemon uses the current configuration. If not, `build` reports that it works alone."""
        return "alone" not in self.daemon.run("build", check=False, alone=True).stderr

    @operation(1)
    def toggle_exclude(self):
        self.excludes = [] if self.excludes else [self.rng.choice(["*7.py", "d*/", "moved*/", "m1*.py", "*5.py"])]
        self.reconfigure()

    @operation(1)
    def toggle_levels(self):
        self.levels = self.rng.choice([[0], [0, 2], [1]])
        self.reconfigure()

    @operation(1)
    def select_interpreters(self):
        self.selected = self.rng.choice([["a"], ["b"], ["a", "b"]])
        self.reconfigure()

    # Other clients

    def agrees(self, words, done, patterns, judges, levels):
        """Checks that the report of a `build` is true, and that everything was built."""
        truth = Truth(self.root, patterns, judges, levels)
        if truth.closed:
            return
        report = json.loads(done.stdout) if done.stdout else {}
        modules = report.get("modules", {})
        low, high = truth.failed
        if truth.modules and not truth.agrees(modules.get("total", -1), modules.get("failed", -1)):
            raise Difference("%s: reports %s, and there are %d modules, %d to %d failed: %s; findings: %s" % (
                words, modules, truth.modules, low, high, sorted(truth.failing),
                [(one["path"], one["rule"]) for one in report.get("diagnostics", []) if one["severity"] == "error"]))
        if truth.modules and not done.returncode and low:
            raise Difference("%s: exit status 0, and %d modules fail" % (words, low))
        differences = [line for line in truth.differences if "temporary file" not in line and "without a source" not in line]
        if differences:
            raise Difference("%s:\n%s" % (words, "\n".join(differences)))

    @operation(2)
    def client_build(self):
        """Runs `build` with the daemon's options, so that the daemon answers."""
        if not self.missing:
            words = ["build", "--format", "json"]
            self.note("freshpyc %s" % " ".join(words))
            done = self.daemon.run(*words, check=False, alone=True)
            self.agrees(words, done, self.excludes, self.judges(), self.levels)

    @operation(1)
    def client_build_alone(self):
        """Runs `build` with other options, so that it works without the daemon."""
        if self.missing:
            return
        patterns, judges, levels = self.excludes, self.judges(), self.levels
        words = ["build", "--format", "json"]
        kind = self.rng.randrange(4)
        if kind == 0:
            patterns = [self.rng.choice(["*3.py", "s/", "d*/"])]
            words += ["--exclude", patterns[0]]
        elif kind == 1:
            levels = [self.rng.choice([1, 2])]
            words += ["-O", str(levels[0])]
        elif kind == 2:
            base = self.rng.choice(self.options.bases)
            judges = [Judge.of(base)]
            words += ["--python", base]
        else:
            words += ["--no-daemon"]
        self.note("freshpyc %s" % " ".join(words))
        done = self.daemon.run(*words, check=False, alone=True)
        if kind == 3 and done.returncode == 2 and not done.stdout:
            return  # The daemon holds the database.
        self.agrees(words, done, patterns, judges, levels)

    @operation(2)
    def client_graph(self):
        """Checks that the daemon's graph is the same as that of a command without a daemon and without a database."""
        if self.missing:
            return
        words = ["graph", "--format", "json"]
        judges = self.judges()
        kind = self.rng.randrange(4)
        if kind == 0:
            words += ["--exclude", self.rng.choice(["*3.py", "s/", "d*/"])]
        elif kind == 1:
            words += ["--source-root", os.path.relpath(self.place(), self.root)]
        elif kind == 2:
            base = self.rng.choice(self.options.bases)
            judges = [Judge.of(base)]
            words += ["--python", base]
        self.note("freshpyc %s" % " ".join(words))
        asked = self.edges(words)
        state = os.path.join(self.home, "state-%d" % self.index)
        alone = self.edges(words + ["--no-daemon", "--state-dir", state])
        shutil.rmtree(state, ignore_errors=True)
        # A source that does not compile keeps the imports of its last version that did, which a fresh scan cannot know.
        truth = Truth(self.root, self.excludes, judges, self.levels)
        if truth.closed or len(truth.readable) < len(truth.sources):
            return  # The daemon may have read files earlier that cannot be read now.
        broken = {os.path.relpath(path, self.root) for path in truth.failing}
        wrong = [(key, asked.get(key), alone.get(key)) for key in sorted(asked.keys() | alone.keys())
                 if key not in broken and asked.get(key) != alone.get(key)]
        if wrong:
            raise Difference("%s: the daemon's answer and a fresh one differ: %s" % (words, wrong[:5]))

    def edges(self, words):
        done = self.daemon.run(*words, check=False, alone=True)
        if not done.stdout:
            return {"error": (done.returncode, done.stderr)}
        edges = {}
        for module in json.loads(done.stdout)["modules"]:
            if not module.get("outdated"):
                edges[module["path"]] = sorted((one["line"], one["statement"], one.get("to")) for one in module["imports"])
        return edges
