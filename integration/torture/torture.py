"""One run: a plan of operations, and the checks after each round."""
import json
import os
import random
import shutil
import time

from daemon import Difference
from edits import Edits
from hazards import Hazards
from judge import Judge
from processes import Processes
from truth import Truth
from world import OPERATIONS, World

START = 12
# Steps that are not operations.
WAIT, IDLE = "wait", "idle"


def plan(seed, options):
    """The steps of a seed: (number, name). They do not depend on the state of the tree."""
    rng = random.Random(seed)
    weights = {name: weight for name, weight in OPERATIONS.items()
               if name not in options.without and (not options.only or name in options.only)}
    steps = [(number, "create") for number in range(1, START + 1)]
    number, count = START, 0
    while count < options.operations:
        burst = min(rng.choice([1, 1, 2, 5, 20]), options.operations - count)
        for name in rng.choices(list(weights), list(weights.values()), k=burst):
            number += 1
            steps.append((number, name))
        count += burst
        number += 1
        steps.append((number, WAIT))
        if rng.randrange(150) == 0:
            number += 1
            steps.append((number, IDLE))
    return steps


class Torture(Edits, Hazards, Processes, World):
    def go(self, steps, deadline=float("inf"), finishes=True):
        """Runs the steps; the daemon starts after the first files. Returns the number of operations that were run."""
        done, started = 0, False
        for number, name in steps:
            if not started and number > START:
                self.begin(START, "start")
                self.start()
                self.wait()
                started = True
            self.begin(number, name)
            if name == WAIT:
                self.wait()
                if time.monotonic() > deadline:
                    break
            elif name == IDLE:
                self.idle()
            else:
                done += 1
                getattr(self, name)()
        if not finishes:
            return done
        self.begin(0, "finish")
        if not started:
            self.start()
            self.wait()
        self.finish()
        return done

    # Checks

    def wait(self):
        done = self.daemon.run("wait", "--timeout", "60", check=False)
        if not self.daemon.is_alive():
            raise Difference("the daemon is gone: %s%s" % (done.stderr, self.daemon.log_tail()))
        if self.missing:
            return  # Without the interpreter, bytecode can be neither compiled nor checked. It is checked later.
        if done.returncode not in (0, 1):
            raise Difference("wait: exit status %d: %s" % (done.returncode, done.stderr))
        asks = self.rng.random() < 0.3
        try:
            self.look(done.returncode, asks)
        except Difference as difference:
            # When the second of a save is over, a header is rewritten, and `wait` does not wait for that.
            lines = str(difference).split("\n")[1:]
            if not lines or not all("temporary file" in line for line in lines):
                raise
            time.sleep(0.5)
            self.look(done.returncode, asks)

    def idle(self):
        """Checks that the daemon is idle, and that a build compiles nothing."""
        self.daemon.check_idle("blocked" if self.missing else "idle")
        if self.missing:
            return
        done = self.daemon.run("build", "--format", "json", check=False, alone=True)
        modules = json.loads(done.stdout)["modules"] if done.stdout else {}
        if modules.get("compiled") or modules.get("restored"):
            raise Difference("nothing has changed, and a build reports %s" % modules)

    def look(self, exit_status, asks):
        # With exit status 0, files that cannot be read now must be right too: they were read before, and have not changed.
        truth = Truth(self.root, self.excludes, self.judges(), self.levels, enters_closed=exit_status == 0)
        if truth.differences:
            raise Difference("after wait:\n" + "\n".join(truth.differences))
        written = [name for name in os.listdir(self.outside) if name.endswith(".pyc") or name.startswith(".freshpyc")]
        if written:
            raise Difference("written outside of the tree: %s" % written)
        low, high = truth.failed
        if truth.closed:
            if exit_status == 0 and low:
                raise Difference("wait: exit status 0, and %d modules fail: %s" % (low, sorted(truth.failing)[:5]))
            return
        if exit_status == 0 and low or exit_status == 1 and not high and not truth.is_blind:
            raise Difference("wait: exit status %d, and %d to %d modules fail: %s; build: %s" % (
                exit_status, low, high, sorted(truth.failing)[:5], self.daemon.run("build", check=False, alone=True)))
        if asks:
            status = self.daemon.status()
            if not truth.agrees(status["modules"], status["failed"]):
                raise Difference("status: %d modules, %d failed; there are %d, %d to %d fail: %s; recorded, and not there: %s; "
                                 "there, and not recorded: %s" % (
                                     status["modules"], status["failed"], truth.modules, low, high,
                                     sorted(truth.failing)[:5], *self.record_differences(truth)))

    def record_differences(self, truth):
        """Stops the daemon; returns the paths that are only in the database, and those that are only in the tree."""
        self.daemon.stop()
        recorded = {json.loads(path) for path in self.verdicts()}
        there = {os.path.relpath(source.path, self.root) for source in truth.sources}
        return sorted(recorded - there), sorted(there - recorded)

    def finish(self):
        """Checks that the database is the same as after a fresh build, and that no other files are left."""
        self.restore_environments()
        self.unseal()
        self.unblock_bytecode()
        self.wait()
        self.idle()
        self.daemon.stop()
        kept = self.verdicts()
        known = {".gitignore", "CACHEDIR.TAG", "graph.json", "lock", "log", "state.json", "journal.jsonl"}
        left = [name for name in os.listdir(os.path.join(self.root, ".freshpyc")) if name not in known]
        if left:
            raise Difference("left in .freshpyc after `stop`: %s" % left)
        shutil.rmtree(os.path.join(self.root, ".freshpyc"))
        built = self.daemon.run("build", alone=True, check=False)
        fresh = self.verdicts()
        if kept != fresh:
            raise Difference("the database differs from a fresh one: %s; that build: %s" % (
                {key: (kept.get(key), fresh.get(key)) for key in kept.keys() | fresh.keys()
                 if kept.get(key) != fresh.get(key)}, built.stdout + built.stderr))

    def verdicts(self):
        try:
            with open(os.path.join(self.root, ".freshpyc", "state.json")) as stream:
                state = json.load(stream)
        except FileNotFoundError:
            return {}
        # Traces of interpreters and levels that were selected earlier are kept, and do not count as differences.
        # Interpreters that compile alike share the traces of the first one, wherever it was.
        wanted = {"%d.%d.%d" % judge.version for judge in self.judges()}
        selected = [one["version"] in wanted for one in state["interpreters"]]
        return {json.dumps(module["path"]): (module["fingerprint"], sorted(
            {json.dumps((trace["level"], trace["outcome"], trace.get("diagnostics"))) for trace in module["traces"]
             if selected[trace["interpreter"]] and trace["level"] in self.levels})) for module in state["modules"]}

    def end(self, keep):
        self.daemon.kill()
        if not keep:
            shutil.rmtree(self.home, ignore_errors=True)
