"""The objects of the operations: the tree, a directory outside it, environments, the configuration, the daemon.

Everything is reproducible: an operation has a number, and its choices depend only on the seed, that number and the
available choices. So an operation does the same if others are omitted.
"""
import json
import os
import random
import stat
import tempfile
import zlib

from daemon import Daemon
from environments import Environments
from judge import Judge

OPERATIONS = {}


def operation(weight):
    """Registers a method as an operation. The weight determines how often it is chosen, relative to the others."""
    def register(method):
        OPERATIONS[method.__name__] = weight
        return method
    return register


class World:
    def __init__(self, options, seed):
        self.seed, self.options = seed, options
        self.home = tempfile.mkdtemp(prefix="freshpyc-torture-%d-" % seed, dir=options.scratch)
        self.root = os.path.join(self.home, "tree")
        self.outside = os.path.join(self.home, "outside")
        os.mkdir(self.root)
        os.mkdir(self.outside)
        self.index, self.draws, self.rng = 0, 0, random.Random(seed)
        self.notes = []
        # Whether bytecode without a source may have been added to a directory when the daemon could not clean it.
        self.may_have_lost_orphans = False
        self.trace = []
        self.log_tail = ""
        self.environments = Environments(self.home, options.bases)
        self.environments.create("a", options.bases[0])
        self.environments.create("b", options.bases[seed % len(options.bases)])
        self.selected, self.excludes, self.levels = ["a"], [], [0]
        self.daemon = Daemon(options.freshpyc, self.root, self.home)
        self.configure()

    def begin(self, index, name):
        self.index, self.draws, self.notes = index, 0, []
        self.rng = random.Random("%d/%d" % (self.seed, index))
        self.trace.append((index, name, self.notes))

    def note(self, text, *paths):
        self.notes.append(text % tuple(ascii(os.path.relpath(path, self.home)) for path in paths))

    # Choices

    def choose(self, paths):
        """One of the paths, or None if there are none. The choice does not depend on the number of paths."""
        self.draws += 1
        salt = ("%d/%d/%d/" % (self.seed, self.index, self.draws)).encode()
        start = len(self.home)
        return max(paths, key=lambda path: zlib.crc32(path[start:].encode("utf-8", "surrogateescape"), zlib.crc32(salt)),
                   default=None)

    def walk(self):
        """All directories except `__pycache__` and `.freshpyc`, readable or not; does not follow links."""
        for folder, names, files in os.walk(self.root):
            names[:] = sorted(name for name in names if name not in ("__pycache__", ".freshpyc"))
            yield folder, names, files

    def folders(self):
        return [folder for folder, names, files in self.walk()]

    def inner_folders(self):
        return [folder for folder, names, files in self.walk() if folder != self.root]

    def names(self):
        """All files named `*.py`, including links, FIFOs and files that cannot be read."""
        return [os.path.join(folder, name) for folder, names, files in self.walk() for name in files
                if name.endswith(".py")]

    def sources(self):
        """Regular files, and links to regular files."""
        return [path for path in self.names() if os.path.isfile(path)]

    def own_sources(self):
        """Regular files that are not links."""
        return [path for path in self.names() if stat.S_ISREG(os.lstat(path).st_mode)]

    def place(self):
        return self.choose(self.folders())

    def fresh_name(self):
        return self.rng.choice(["m%d.py", "m%d.py", "m%d.py", "\u00fc%d.py", "a b%d.py", "dot.%d.py"]) % self.index

    # Contents

    def text(self):
        kind = self.rng.random()
        number = self.index
        if kind < 0.08:
            return b"def broken%d(:\n" % number
        if kind < 0.11:
            return b""
        if kind < 0.12:
            return b"# coding: nonsense-%d\nx = 1\n" % number
        if kind < 0.13:
            return b"x%d = 1\0\n" % number
        if kind < 0.17:
            return self.rng.choice([
                b"match %d:\n    case 1: pass\n", b"try:\n    pass\nexcept* %d: pass\n", b"type t = %d\n",
                b"x = f'{'%d'}'\n", b"def f[T](x: T = %d): pass\n"]) % number
        if kind < 0.20:
            return b"x = '\\d%d' is 'a'\n" % number
        if kind < 0.22:
            return b"\xef\xbb\xbfx%d = '\xc3\xbc'\r\ny = 2\r\n" % number
        if kind < 0.30:
            others = [os.path.basename(path)[:-3] for path in self.sources()]
            others = [name for name in others if name.isidentifier() and name.isascii()]
            if others:
                return b"import %s\nx = %d\n" % (self.rng.choice(others).encode(), number)
        return b"".join(b"v%d = {%d, 'text', (1, %d)}\n" % (line, number, line)
                        for line in range(self.rng.randrange(1, 12)))

    def write(self, path, text):
        with open(path, "wb") as stream:
            stream.write(text)

    # Configuration and interpreters

    def configure(self):
        """Writes freshpyc.json as an editor does. The daemon reads it after SIGHUP, or when it starts.

        `timeout`: CPython opens a source again to show the line of a syntax error. If it has become a FIFO, CPython hangs.
        """
        path = os.path.join(self.root, "freshpyc.json")
        with open(path + ".new", "w") as stream:
            json.dump({"python": ["../env-%s/bin/python" % name for name in self.selected], "exclude": self.excludes,
                       "optimize": self.levels, "jobs": 2, "timeout": 10}, stream)
        os.rename(path + ".new", path)

    @property
    def missing(self):
        """Whether a selected interpreter does not exist."""
        return any(self.environments.base[name] is None for name in self.selected)

    def bases(self):
        return [self.environments.base[name] for name in self.selected if self.environments.base[name]]

    def judges(self):
        return list({base: Judge.of(base) for base in self.bases()}.values())

    def restore_environments(self):
        if self.missing:
            self.remove_orphans_below(self.root)
        for name in self.selected:
            if self.environments.base[name] is None:
                self.environments.create(name, self.rng.choice(self.options.bases))
                self.note("env-%s is %s" % (name, self.environments.base[name]))

    def remove_orphans_below(self, top):
        """Removes bytecode without a source, like `clean`, before a directory comes back into scope."""
        for folder, names, files in os.walk(top):
            if os.path.basename(folder) == "__pycache__":
                for name in files:
                    source = os.path.join(os.path.dirname(folder), name.split(".cpython-")[0] + ".py")
                    if name.endswith(".pyc") and not os.path.lexists(source):
                        self.quietly(os.remove, os.path.join(folder, name))
