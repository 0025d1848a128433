"""The expected state of a tree, computed from the tree itself and CPython, and not from any output of freshpyc.

A `Truth` is computed after `wait` has returned. `differences` lists everything that is wrong; `modules` and `failed` are
the numbers that `status`, `build` and `wait` must report. A number that is not known exactly (some bytecode cannot be
replaced, but is right) is a range.
"""
import fnmatch
import os
import stat
import struct

SKIPPED = {"__pycache__", ".freshpyc", ".git", ".venv", "node_modules", "site-packages"}


class Source:
    def __init__(self, path, folder, name, status, text):
        self.path, self.folder, self.name, self.status, self.text = path, folder, name, status, text


def excluded(patterns, name, is_folder):
    """Whether a pattern excludes a name. All patterns here are names: `*7.py` for files, `d*3/` for directories."""
    return any(fnmatch.fnmatchcase(name, pattern.rstrip("/")) and pattern.endswith("/") <= is_folder
               for pattern in patterns)


def permits(mode, bits):
    """Whether the owner has these permissions: freshpyc runs as the owner, without root's capabilities."""
    return (mode >> 6) & bits == bits


def is_reachable(path, home):
    """Whether freshpyc has permission to access a link's target, which may be behind other links anywhere."""
    folder, left = "/", [part for part in reversed(path.split("/")) if part]
    links = 0
    while left:
        if not os.path.lexists(folder):
            return True
        if folder.startswith(home) and not permits(os.stat(folder).st_mode, 1):
            return False
        step = os.path.normpath(os.path.join(folder, left.pop()))
        if os.path.islink(step):
            links += 1
            if links > 40:
                # The links form a circle. The kernel gives up here, too, but not for lack of permission.
                return True
            target = os.readlink(step)
            left += [part for part in reversed(target.split("/")) if part]
            folder = "/" if target.startswith("/") else folder
        else:
            folder = step
    return True


def scope(root, patterns=(), enters_closed=False):
    """The sources in scope, the directories that freshpyc cannot read, and the directories that are in scope.

    `enters_closed`: whether to list the sources in directories that freshpyc cannot read, too.
    """
    sources, closed, folders = [], [], []
    pending = [root]
    while pending:
        folder = pending.pop()
        if not permits(os.stat(folder).st_mode, 5):
            closed.append(folder)
            if not enters_closed:
                continue
        with os.scandir(folder) as entries:
            entries = list(entries)
        if folder != root and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        folders.append(folder)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED and not excluded(patterns, entry.name, True):
                    pending.append(entry.path)
            elif entry.name.endswith(".py") and entry.name != ".py" and not excluded(patterns, entry.name, False):
                try:
                    status = os.stat(entry.path)
                except OSError:
                    # A broken link. If its path goes through a closed directory, only root can tell that it is broken.
                    if entry.is_symlink() and not is_reachable(entry.path, os.path.dirname(root)):
                        closed.append(entry.path)
                    continue
                if entry.is_symlink() and not is_reachable(entry.path, os.path.dirname(root)):
                    closed.append(entry.path)
                    continue
                if stat.S_ISREG(status.st_mode):
                    sources.append(Source(entry.path, folder, entry.name, status, None))
    return sources, closed, folders


class Truth:
    """Checks the bytecode of all sources in scope for each judge (an interpreter) and level.

    `enters_closed`: also checks sources in directories that freshpyc cannot read now. It may have read them before.
    """

    def __init__(self, root, patterns, judges, levels, enters_closed=False):
        self.differences = []
        self.sources, self.closed, self.folders = scope(root, patterns, enters_closed)
        self.root, self.patterns, self.judges, self.levels = root, patterns, judges, levels
        self.caches = {}
        # Sources that fail, that may fail, and that fail only because they cannot be read or their bytecode not be written.
        self.failing, self.doubtful, self.unwritten = set(), set(), set()
        # Deleted sources with bytecode that cannot be removed: their records may stay.
        self.stuck = set()
        # Whether there may be bytecode that freshpyc cannot see, and therefore records of deleted sources.
        self.is_blind = False
        self.readable = []
        for source in self.sources:
            if permits(source.status.st_mode, 4):
                with open(source.path, "rb") as stream:
                    source.text = stream.read()
                self.readable.append(source)
            else:
                self.failing.add(source.path)
                self.unwritten.add(source.path)
        for judge in judges:
            for level in levels:
                self.check(judge, level)
        self.check_leftovers()
        self.doubtful -= self.failing

    @property
    def modules(self):
        return len(self.sources)

    def agrees(self, modules, failed):
        """Whether these numbers are right. Sources whose bytecode was never written need not be counted."""
        unwritten = len(self.unwritten)
        if self.is_blind:
            return self.modules - unwritten <= modules and self.failed[0] - unwritten <= failed
        return (self.modules - unwritten <= modules <= self.modules + len(self.stuck)
                and self.failed[0] - unwritten <= failed <= self.failed[1])

    @property
    def failed(self):
        """The smallest and the largest possible number of failed modules."""
        return len(self.failing), len(self.failing) + len(self.doubtful) + len(self.stuck)

    def cache(self, folder):
        """The names in a bytecode directory, and whether freshpyc can write there."""
        if folder not in self.caches:
            path = os.path.join(folder, "__pycache__")
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                found = set(), permits(os.stat(folder).st_mode, 3)
            else:
                if not stat.S_ISDIR(status.st_mode):
                    found = set(), False
                else:
                    found = set(os.listdir(path)), permits(status.st_mode, 7)
                    self.is_blind = self.is_blind or not permits(status.st_mode, 1)
            self.caches[folder] = found
        return self.caches[folder]

    def say(self, path, text):
        self.differences.append("%s: %s" % (ascii(os.path.relpath(path, self.root)), text))

    def check(self, judge, level):
        suffix = ".%s%s.pyc" % (judge.tag, ".opt-%d" % level if level else "")
        questions, found = [], []
        for source in self.readable:
            name = source.name[:-3] + suffix
            data = None
            if name in self.cache(source.folder)[0]:
                path = os.path.join(source.folder, "__pycache__", name)
                try:
                    with open(path, "rb") as stream:
                        data = stream.read()
                except (FileNotFoundError, IsADirectoryError):
                    pass
            found.append(data)
            questions.append((source.path, source.text, level, None if data is None else data[16:]))
        for source, data, (compiles, difference) in zip(self.readable, found, judge.judge(questions)):
            name = source.name[:-3] + suffix
            wrong = None
            if not compiles:
                self.failing.add(source.path)
                if data is not None:
                    wrong = "bytecode of a source that does not compile"
                    if self.is_importable(judge, source, data):
                        wrong += ", and import takes it"
            elif data is None:
                wrong = "no bytecode"
            elif not self.is_importable(judge, source, data):
                wrong = "import does not take the header %s; the source has mtime %d ns, %d bytes" % (
                    data[:16].hex(), source.status.st_mtime_ns, source.status.st_size)
            elif data[4:8] == b"\1\0\0\0":
                wrong = "unchecked hash"
            else:
                wrong = difference
            if not self.cache(source.folder)[1]:
                # Nothing can be written there. Either an error is recorded, or the bytecode was already right.
                if wrong and compiles:
                    self.failing.add(source.path)
                    self.unwritten.add(source.path)
                elif compiles:
                    self.doubtful.add(source.path)
            elif wrong:
                self.say(source.path, "%s: %s" % (name, wrong))

    @staticmethod
    def is_importable(judge, source, data):
        """Whether `import` would run the bytecode, by the conditions of importlib._bootstrap_external."""
        if len(data) < 16 or data[:4] != judge.magic:
            return False
        flags = struct.unpack("<I", data[4:8])[0]
        if flags == 0:
            seconds = int(source.status.st_mtime) & 0xFFFFFFFF
            return struct.unpack("<II", data[8:16]) == (seconds, source.status.st_size & 0xFFFFFFFF)
        return flags == 1 or flags == 3 and data[8:16] == judge.source_hash(source.text)

    def check_leftovers(self):
        """Finds bytecode without a source, and temporary files, in directories that are in scope."""
        suffixes = tuple(".%s%s.pyc" % (judge.tag, ".opt-%d" % level if level else "")
                         for judge in self.judges for level in self.levels)
        for folder in self.folders:
            names, writable = self.cache(folder)
            for name in names:
                path = os.path.join(folder, "__pycache__", name)
                if name.startswith(".freshpyc-"):
                    if writable:
                        self.say(path, "temporary file")
                    continue
                suffix = next((suffix for suffix in suffixes if name.endswith(suffix) and name != suffix), None)
                if not suffix and not writable and ".cpython-" in name:
                    # Bytecode of another interpreter or level, which cannot be removed either.
                    source = os.path.join(folder, name.split(".cpython-")[0] + ".py")
                    if not os.path.isfile(source):
                        self.stuck.add(source)
                elif suffix:
                    source = os.path.join(folder, name[:-len(suffix)] + ".py")
                    if not writable and not os.path.isfile(source):
                        self.stuck.add(source)
                    elif not os.path.lexists(source) and not excluded(self.patterns, os.path.basename(source), False):
                        self.say(path, "bytecode without a source")
