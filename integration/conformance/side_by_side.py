#!/usr/bin/env python3
"""Compares `freshpyc compileall` and `freshpyc py-compile` with CPython 3.13's modules, command by command.

    side_by_side.py [--freshpyc BINARY] [--python PYTHON3.13] [-k WORD] [--list]

For each command line below, the same tree is created twice at the same path: once for `python -m compileall`, once for
`freshpyc compileall`. The exit status, standard output, standard error and all files afterwards (kind, mode and hard
links; for bytecode, the header and each attribute of the code) must be the same. If the module ends with a traceback,
only the status and the files must be. Prints a line for each command. Exit status 1 on a difference that is not
deliberate.
"""

import argparse
import contextlib
import difflib
import glob
import marshal
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile

from drop_ins import MODULES, default_binary, default_python

THEN = 1_600_000_000
TREE = {
    "pkg/__init__.py": b"",
    "pkg/bar.py": b"'''A text.'''\nassert True\nx = 1\n",
    "pkg/const.py": b"y = 2\n",
    "pkg/bad.py": b"def f(:\n    pass\n",
    "pkg/bad_encoding.py": b"# coding: no-such\n",
    "pkg/bad_indent.py": b"if 1:\n  x\n    y\n",
    "pkg/bad_tabs.py": b"if 1:\n\tx\n        y\n",
    "pkg/bad_utf8.py": b"x = '\xff'\n",
    "pkg/bad_nul.py": b"x = 1\0\n",
    "pkg/bad_late.py": b"x = 1\nreturn x\n",
    "pkg/bad_text.py": "x = 'ünï' +\n".encode(),
    "pkg/bad_string.py": b"x = '''never\nends\n",
    "pkg/bad_global.py": b"def f():\n    x = 1\n    global x\n",
    "pkg/warns.py": b"x = '\\d'\nassert (1, 'always')\n",
    "pkg/latin.py": b"# coding: latin-1\nx = '\xe4\\d'\n",
    "pkg/latin_bad.py": b"# coding: latin-1\nx = '\xe4' +\n",
    "pkg/latin_late.py": b"# coding: latin-1\nreturn '\xe4'\n",
    "pkg/crlf.py": b"x = 1\r\ny = '''a\r\nb'''\r\n",
    "pkg/bom.py": b"\xef\xbb\xbfx = 1\n",
    "pkg/data.txt": b"x = \n",
    "pkg/script": b"#!/usr/bin/env python\n",
    "pkg/name with space.py": b"x = 1\n",
    "pkg/quote'.py": b"x = 1\n",
    "pkg/quote'\".py": b"x = 1\n",
    "pkg/new\nline.py": b"x = 1\n",
    "pkg/ünï.py": b"x = 1\n",
    b"pkg/latin\xff.py": b"x = 1\n",
    "pkg/.hidden.py": b"x = 1\n",
    "pkg/two.dots.py": b"x = 1\n",
    "pkg/.py": b"x = 1\n",
    "pkg/upper.PY": b"x = 1\n",
    "pkg/sub/__init__.py": b"",
    "pkg/sub/one.py": b"x = 1\n",
    "pkg/sub/deep/__init__.py": b"",
    "pkg/sub/deep/two.py": b"def f():\n    raise ValueError\n",
    "pkg/.hidden/three.py": b"x = 1\n",
    "pkg/node_modules/four.py": b"x = 1\n",
    "pkg/venv/pyvenv.cfg": b"home = /usr\n",
    "pkg/venv/five.py": b"x = 1\n",
    "pkg/folder.py/six.py": b"x = 1\n",
    "pkg/empty/readme": b"",
    "outside/far.py": b"x = 1\n",
    "good/__init__.py": b"",
    "good/a.py": b"'''A text.'''\nassert True\n",
    "good/b.py": b"x = 1\n",
    "good/sub/c.py": b"x = 1\n",
    "list": b"good/a.py\ngood/sub\n\n  good/b.py  \n",
    "list-crlf": "good/a.py\r\npkg/bad.py\rpkg/\u00fcn\u00ef.py\r\n".encode(),
    "list-bad": b"pkg/bad.py\nnosuch\ngood\n",
}
LINKS = {
    "pkg/link.py": "../outside/far.py",
    "pkg/inside.py": "bar.py",
    "pkg/dangling.py": "nowhere.py",
    "pkg/loop.py": "loop.py",
    "pkg/dirlink": "../outside",
    "toplink": "good",
}
MODES = {"good/a.py": 0o640, "good/b.py": 0o444, "good/sub/c.py": 0o755, "pkg/bar.py": 0o600}


class Case:
    def __init__(
        self,
        words,
        verb="compileall",
        before=(),
        change=None,
        variables=None,
        stdin=b"",
        unordered=False,
        purpose=None,
        differs=(),
        cwd=".",
    ):
        self.words, self.verb, self.before, self.change = words, verb, before, change
        self.variables, self.stdin, self.unordered, self.cwd = variables or {}, stdin, unordered, cwd
        # Why freshpyc differs, and in which fields: 'status', 'stdout', 'stderr', 'files'.
        self.purpose, self.differs = purpose, differs

    def __str__(self):
        parts = ["%s=%s" % pair for pair in self.variables.items()] + [self.verb] + list(map(ascii, self.words))
        text = " ".join(part.strip("'") if " " not in part else part for part in parts)
        if self.cwd != ".":
            text = "(in %s) %s" % (self.cwd, text)
        if self.before:
            text += "  after %s" % ", ".join(" ".join(words) for words in self.before)
        if self.change:
            text += "  with %s" % self.change.__name__.replace("_", " ")
        return text


def touched(root):
    os.utime(os.path.join(root, "good/a.py"), (THEN + 100, THEN + 100))


def another_size(root):
    with open(os.path.join(root, "good/b.py"), "wb") as stream:
        stream.write(b"x = 12345\n")
    os.utime(os.path.join(root, "good/b.py"), (THEN, THEN))


def damaged_magic(root):
    flip(glob.glob(os.path.join(root, "good/__pycache__/a.*.pyc"))[0], 0)


def damaged_mtime(root):
    flip(glob.glob(os.path.join(root, "good/__pycache__/a.*.pyc"))[0], 8)


def bytecode_that_is_a_link(root):
    cache = glob.glob(os.path.join(root, "good/__pycache__/a.*.pyc"))[0]
    os.rename(cache, os.path.join(root, "elsewhere.pyc"))
    os.symlink(os.path.join(root, "elsewhere.pyc"), cache)
    touched(root)


def bytecode_that_is_a_folder(root):
    cache = glob.glob(os.path.join(root, "good/__pycache__/a.*.pyc"))[0]
    os.remove(cache)
    os.mkdir(cache)


def pycache_that_is_a_file(root):
    shutil.rmtree(os.path.join(root, "good/__pycache__"))
    with open(os.path.join(root, "good/__pycache__"), "wb"):
        pass


def bytecode_that_is_a_link_and_fresh(root):
    bytecode_that_is_a_link(root)
    os.utime(os.path.join(root, "good/a.py"), (THEN, THEN))


def pycache_that_is_a_link(root):
    os.rename(os.path.join(root, "good/__pycache__"), os.path.join(root, "elsewhere"))
    os.symlink("../elsewhere", os.path.join(root, "good/__pycache__"))
    touched(root)


def prefix_that_is_a_file(root):
    with open(os.path.join(root, "prefix"), "wb"):
        pass


def prefix_that_is_a_link(root):
    os.mkdir(os.path.join(root, "elsewhere"))
    os.symlink("elsewhere", os.path.join(root, "prefix"))


def flip(path, place):
    with open(path, "r+b") as stream:
        stream.seek(place)
        byte = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte[0] ^ 1]))


HELP = "every verb's help has examples"
MISSING = "what is not there is an error (exit status 1)"
SIZE = "a source of another size is compiled again, though its time is the same"
THROUGH_LINKS = "nothing is written through a link: what it leads to may be anybody's"
ONE_FILE = "with -b all levels are one file, which CPython deletes before it links it to itself"
EPOCH = {"SOURCE_DATE_EPOCH": "1234567890"}
COMPILEALL = r"""
pkg; -q pkg; -qq pkg; -qqq pkg; good; -q good; -l pkg; -l good
-r 0 good; -r 1 pkg; -r2 pkg; -l -r 1 pkg; -r -1 good
good pkg; good good; good/; ./good; good//sub; good/../good; .; {root}/good; toplink; pkg/dirlink; pkg/link.py
good/a.py; good/a.py good/a.py; good/a.py good; ./good/a.py; {root}/good/a.py
pkg/data.txt; pkg/script; pkg/upper.PY; pkg/.py; pkg/empty; pkg/folder.py; pkg/venv; pkg/node_modules
pkg/bad.py; -q pkg/bad.py; -qq pkg/bad.py; pkg/bad_encoding.py; pkg/bad_utf8.py; pkg/bad_nul.py; pkg/bad_late.py
pkg/bad_text.py; pkg/warns.py
-f good; -b good; -b -o 0 -o 2 good; -bq pkg
-d /opt/x good; -d rel pkg; -d /opt/x good/a.py; -d '' good; -d/x good/sub; -d x -s y good; -d x -p y good
-s good good; -s {root} {root}/good; -s nope good; -q -s nope good; -qq -s nope good; -s good/ good; -s go good
-s good -p /opt good; -s {root}/good -p / {root}/good; -s good/a.py good/a.py; -s '' good
-p /opt good; -p rel good; -p /opt {root}/good; -p '' good; -p /x -q pkg
-x ba pkg; -x '[\\/]sub[\\/]' pkg; -x ^pkg pkg; -x ( good; -x '' good; -x (?i)BAD|nul pkg; -x '(?<!x)a\.py$' good
-x ü pkg
-i list; -i list-bad; -i nosuch; -q -i nosuch; -qq -i nosuch; -i list pkg/const.py; -i list-crlf; -i good; -i ''
--invalidation-mode checked-hash good; --invalidation-mode=unchecked-hash good; --invalidation-mode timestamp good
--invalidation-mode nope good; --inv checked-hash good; --invalidation-mode
-o 0 -o 1 -o 2 good; -o0 good; -o 2 -o 2 good; -o -1 good; -o 3 good; -o x good; '-o 1' good; -o -2 good
--hardlink-dupes good; --hardlink-dupes -o 1 good; --hardlink-dupes -o1 -o1 good; --hardlink-dupes -o0 -o1 -o2 good
--hard -o0 -o2 good; --hardlink-dupes -o0 -o1 pkg; --hardlink-dupes=1 good
-e pkg pkg; -e outside pkg; -e '' pkg; -e nosuch pkg; -e . pkg
--nope; -z; -r; -r x good; -j x; -fl good; -lqf good; -- good; -j -1 good; --workers; good --nope
--force good; -l -l good
good pkg/bad.py -q; good -q pkg; -q good -f pkg; -r=1 pkg; -q=1 good; -q= good; -lz good; -lr=0 pkg; -lr0 pkg; -h= good
--h good; --hard; -r -- good; '-foo bar'; good -- pkg; -- good -- pkg; -r 1_0 good; -r ' 1' good; -r +1 pkg; -r 1.5
-r 99999999999999999999 good; --invalidation-mode=x good; --inv= good; -i; -o; --work x; -qf=1 good; -q-f good
-j -1 good/a.py; good/a.py -j -1
./good/a.py good/a.py; -f good good/a.py; pkg/bad.py pkg/bad.py; toplink good; good toplink; -b good good; -b -f good good
--invalidation-mode checked-hash ./good/a.py good/a.py; -d /x good/a.py good/a.py; -f -p /x good -p /y
-o 0 -o 3 good; -o 3 -o 4 pkg; -o 3 pkg/bad.py; -q -o 3 good; -qq -o -9 good; -o -1 -o 0 good; -o 99999999999999999999 good
-d . pkg/warns.py; -s pkg pkg; -d pkg pkg/warns.py; -d nosuch pkg/bad_late.py; -d . good/../pkg/bad_late.py
-d pkg pkg/bad_late.py; pkg/latin.py; pkg/latin_bad.py; pkg/latin_late.py; -o0 -o1 pkg/warns.py; -o0 -o1 -o2 pkg
pkg/.; pkg/..; ''; -i list ''
"""
# Help, which has examples as for every verb of freshpyc.
HELP_LINES = "-h; --help; --help -z; -z --help; good --help; -lh; --he; -r 1 -h -r x; -x ( -h"
# With several workers, the lines are printed in any order.
PARALLEL = """
-j 2 good; -j2 pkg; --workers 2 good; --workers=1 pkg; -j 0 good; -j 2 -q pkg; -j2 good/a.py pkg/bad.py; --work 2 good
-j2 -o0 -o2 --hardlink-dupes good
"""
ABSENT = """
nosuch; nosuch.py; -q nosuch; -qq nosuch; good nosuch; nosuch good; pkg/dangling.py; pkg/loop.py; -- -good; -1
/dev/null
"""
PY_COMPILE = """
good/a.py; good/a.py good/b.py; pkg/bad.py; -q pkg/bad.py; --quiet good/a.py; good/a.py pkg/bad.py good/b.py
nosuch.py; -q nosuch.py; good/a.py nosuch.py good/b.py; good; --nope; --q pkg/bad.py; ''; - good/a.py; -- good/a.py
-qq pkg/bad.py; -qx; -q; good/a.py -q; good/a.py -q pkg/bad.py; -q=1 good/a.py; --quiet=1 good/a.py; -z good/a.py; --
good/a.py/x; pkg/loop.py; nosuch/x.py; pkg/latin.py; pkg/latin_bad.py; pkg/latin_late.py; good/a.py good/a.py
pkg/data.txt; pkg/script; list; pkg/warns.py; pkg/bad_encoding.py; pkg/bad_utf8.py; pkg/bad_nul.py; pkg/bad_indent.py
pkg/bad_tabs.py; pkg/bad_late.py; pkg/bad_text.py; pkg/bad_string.py; pkg/bad_global.py; pkg/link.py; pkg/dangling.py
pkg/ünï.py; 'pkg/new\\nline.py'; pkg/folder.py; {root}/good/a.py; ./good/a.py; good/../good/a.py; pkg/two.dots.py
pkg/.py; pkg/.hidden.py
"""


def commands(text):
    """Splits text into commands, and each command into words like a shell. Newlines and semicolons separate commands."""
    for command in text.replace(";", "\n").splitlines():
        if command.strip():
            yield [word.replace("\\n", "\n") for word in shlex.split(command)]


def cases():
    yield from (Case(words) for words in commands(COMPILEALL))
    yield from (Case(words, unordered=True) for words in commands(PARALLEL))
    yield from (Case(words, purpose=MISSING, differs=("status",)) for words in commands(ABSENT))
    yield from (Case(words, purpose=HELP, differs=("stdout",)) for words in commands(HELP_LINES))
    yield Case(
        ["-b", "-o0", "-o2", "--hardlink-dupes", "good/a.py"],
        purpose=ONE_FILE,
        differs=("status", "stdout", "files"),
    )
    yield Case(["-i", "-"], stdin=b"good/a.py\ngood/sub\n")
    yield Case(["-i", "-"], stdin=b"")
    yield Case(["-i", "-", "pkg/const.py"], stdin=b"pkg/bad.py")
    for words in (
        ["good"],
        ["-q", "good"],
        ["-f", "good"],
        ["-o0", "-o2", "good"],
        ["--invalidation-mode=checked-hash", "good"],
    ):
        yield Case(words, before=[["-q", "good"]])
        yield Case(words, before=[["-q", "--invalidation-mode=checked-hash", "good"]])
    yield Case(
        ["good"],
        before=[["-q", "good"]],
        change=pycache_that_is_a_link,
        purpose=THROUGH_LINKS,
        differs=("status", "stdout", "files"),
    )
    for change in (
        touched,
        damaged_magic,
        damaged_mtime,
        bytecode_that_is_a_link,
        bytecode_that_is_a_link_and_fresh,
        bytecode_that_is_a_folder,
        pycache_that_is_a_file,
    ):
        yield Case(["good"], before=[["-q", "good"]], change=change)
    yield Case(["-q", "good"], before=[["-q", "good"]], change=bytecode_that_is_a_link)
    yield Case(["good"], before=[["-q", "good"]], change=another_size, purpose=SIZE, differs=("stdout", "files"))
    yield Case(["-b", "good"], before=[["-q", "-b", "good"]])
    yield Case(
        ["-o0", "-o1", "--hardlink-dupes", "good"],
        before=[["-q", "-o0", "-o1", "--hardlink-dupes", "good"]],
        change=touched,
    )
    yield Case(["-f", "-o0", "-o2", "good"], before=[["-q", "-o0", "-o1", "-o2", "--hardlink-dupes", "good"]])
    yield from (
        Case(words, variables=EPOCH)
        for words in [["good"], ["-q", "pkg"], ["--invalidation-mode", "timestamp", "good"]]
    )
    yield Case(["good"], variables=EPOCH, before=[["-q", "good"]])
    yield Case(["good"], variables={"SOURCE_DATE_EPOCH": ""})
    yield from (Case(["good"], variables={"PYTHONOPTIMIZE": level}) for level in ("0", "1", "2", "x", "-1", " 1", ""))
    yield Case(["-o", "-1", "-o", "1", "good"], variables={"PYTHONOPTIMIZE": "1"})
    yield Case(["good"], variables={"PYTHONPYCACHEPREFIX": "{root}/prefix"})
    yield Case(["good", "{root}/pkg/const.py"], variables={"PYTHONPYCACHEPREFIX": "{root}/prefix"})
    yield Case(["-b", "good"], variables={"PYTHONPYCACHEPREFIX": "{root}/prefix"})
    for prefix in ("prefix", "./prefix//y/", "{root}/prefix/"):
        yield Case(["good", "toplink", "./good/../pkg/const.py"], variables={"PYTHONPYCACHEPREFIX": prefix})
    for change in (prefix_that_is_a_file, prefix_that_is_a_link):
        yield Case(["-o1", "good"], variables={"PYTHONPYCACHEPREFIX": "prefix"}, change=change)
    for filters in (
        "ignore",
        "error",
        "always",
        "once",
        "default",
        "ignore::SyntaxWarning",
        "error::SyntaxWarning",
        "error::DeprecationWarning",
        "error,ignore:assertion",
        "ignore:::pkg.warns",
        "ignore::SyntaxWarning::2",
        "error::SyntaxWarning:pkg/warns:2",
    ):
        yield Case(["pkg/warns.py"], variables={"PYTHONWARNINGS": filters})
    yield Case(["-o0", "-o1", "-o2", "pkg/warns.py"], variables={"PYTHONWARNINGS": "error:assertion"})
    yield Case(["-d", "x", "pkg/warns.py"], variables={"PYTHONWARNINGS": "error"})
    yield from (Case(["--nope"], variables={"COLUMNS": width}) for width in ("40", "200"))
    # No path arguments: the directories of sys.path. The prefix keeps the standard library's bytecode out of the way.
    yield Case([], variables={"PYTHONPATH": "{root}/good", "PYTHONPYCACHEPREFIX": "{root}/prefix"})
    yield Case(["-q"], variables={"PYTHONPATH": "{root}/good:{root}/pkg", "PYTHONPYCACHEPREFIX": "{root}/prefix"})
    yield Case(["-qq"], variables={"PYTHONPATH": "{root}/nosuch", "PYTHONPYCACHEPREFIX": "{root}/prefix"})
    yield Case(["-r1", "-d", "x", "-o2", "-x", "a"], variables={"PYTHONPYCACHEPREFIX": "{root}/prefix"}, cwd="good")
    yield Case(["-l"], variables={"PYTHONPATH": ":sub", "PYTHONPYCACHEPREFIX": "{root}/prefix"}, cwd="good")
    yield Case([], variables={"PYTHONPATH": "sub", "PYTHONSAFEPATH": "1"}, cwd="good")
    yield Case(["warns.py", "bad_late.py"], cwd="pkg")
    yield Case(["sub", "a.py"], cwd="good")
    yield Case(["../good"], cwd="pkg")

    def py(words, **more):
        return Case(words, verb="py_compile", **more)

    yield from (py(words) for words in commands(PY_COMPILE))
    yield py([])
    yield from (py(words, purpose=HELP, differs=("stdout",)) for words in commands("-h; -qh; --help x"))
    yield py([b"pkg/latin\xff.py"])
    yield py(["-"], stdin=b"good/a.py\ngood/b.py\n")
    yield py(["-"], stdin=b"good/a.py\npkg/bad.py\ngood/b.py")
    yield py(["-q", "-"], stdin=b"pkg/bad.py\n")
    yield py(["-"], stdin=b"")
    yield py(["-"], stdin=b"good/a.py\n\n")
    yield py(["good/a.py"], before=[["-q", "good"]])
    for change in (bytecode_that_is_a_link, bytecode_that_is_a_folder, pycache_that_is_a_file):
        yield py(["good/a.py"], before=[["-q", "good"]], change=change)
        yield py(["-q", "good/a.py"], before=[["-q", "good"]], change=change)
    yield py(["pkg/warns.py", "good/a.py"], variables={"PYTHONWARNINGS": "error"})
    yield py(["pkg/warns.py"], variables={"PYTHONWARNINGS": "ignore"})
    yield py(["warns.py", "bad_late.py"], cwd="pkg")
    yield py(["good/a.py"], variables=EPOCH)
    yield py(["good/a.py"], variables={"PYTHONOPTIMIZE": "2"})
    yield py(["good/a.py"], variables={"PYTHONPYCACHEPREFIX": "{root}/prefix"})


def make(root):
    if os.path.exists(root):
        shutil.rmtree(root)
    rooted = os.fsencode(root)
    for name, content in TREE.items():
        path = os.path.join(rooted, os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content)
        os.utime(path, (THEN, THEN))
    for name, target in LINKS.items():
        os.symlink(target, os.path.join(root, name))
    for name, mode in MODES.items():
        os.chmod(os.path.join(root, name), mode)


def seen(root):
    """The files below a directory: {path: (kind and mode, content)}, and an entry for each group of hard-linked bytecode."""
    found, inodes = {}, {}
    for folder, names, files in os.walk(root):
        names.sort()
        for name in sorted(names + files):
            path = os.path.join(folder, name)
            stats = os.lstat(path)
            kind, mode = stat.S_IFMT(stats.st_mode), stat.S_IMODE(stats.st_mode)
            shown = ascii(os.path.relpath(path, root))
            content = None
            if stat.S_ISLNK(stats.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(stats.st_mode):
                with open(path, "rb") as stream:
                    content = stream.read()
                if path.endswith(".pyc"):
                    inodes.setdefault(stats.st_ino, []).append(shown)
                    content = (content[:16].hex(),) + body(content[16:])
            found[shown] = (stat.filemode(kind | mode), content)
    for group in inodes.values():
        found["one file: " + ", ".join(group)] = len(group)
    return found


def body(data):
    import deep_oracle

    try:
        return "code", deep_oracle.key(marshal.loads(data))
    except (ValueError, EOFError, TypeError):
        return "bytes", data


def run(case, words, root, home):
    def filled(word):
        return word if isinstance(word, bytes) else word.replace("{root}", root)

    environment = {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "XDG_CACHE_HOME": home,
        "LC_ALL": "C.UTF-8",
        "FRESHPYC_PYTHON": sys.executable,
        # Do not count the bytecode of modules that Python imports for itself.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.update((name, filled(value)) for name, value in case.variables.items())
    done = subprocess.run(
        words + list(map(filled, case.words)),
        cwd=os.path.join(root, case.cwd),
        env=environment,
        input=case.stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # The name of a temporary file ends with the address of an object.
    out, err = (re.sub(rb"(\.pyc\.)\d+", rb"\1N", text) for text in (done.stdout, done.stderr))
    if case.unordered:
        out, err = (b"\n".join(sorted(text.split(b"\n"))) for text in (out, err))
    return {"status": done.returncode, "stdout": out, "stderr": err, "files": seen(root)}


def prepared(case, root):
    make(root)
    for words in case.before:
        subprocess.run([sys.executable, "-m", "compileall"] + list(words), cwd=root, check=True)
    if case.change:
        case.change(root)


def differing(true, ours):
    """The fields that differ: {field: lines}."""
    traceback = b"Traceback (most recent call last)" in true["stderr"]
    found = {}
    if true["status"] != ours["status"]:
        found["status"] = ["%d, freshpyc %d" % (true["status"], ours["status"])]
    for field in () if traceback else ("stdout", "stderr"):
        if true[field] != ours[field]:
            texts = (
                [ascii(line) for line in true[field].split(b"\n")],
                [ascii(line) for line in ours[field].split(b"\n")],
            )
            found[field] = [
                line for line in difflib.unified_diff(*texts, lineterm="", n=0) if not line.startswith(("---", "+++"))
            ]
    left, right = true["files"], ours["files"]
    changed = [name for name in sorted(set(left) | set(right)) if left.get(name) != right.get(name)]
    if changed:
        found["files"] = [
            "%s: %s, freshpyc %s" % (name, brief(left.get(name)), brief(right.get(name))) for name in changed
        ]
    return found


def brief(entry):
    if not isinstance(entry, tuple):
        return "absent" if entry is None else str(entry)
    mode, content = entry
    if isinstance(content, tuple):
        return "%s header %s, body #%06x" % (mode, content[0], hash(content[1:]) & 0xFFFFFF)
    return "%s %.40r" % (mode, content)


def inside(options):
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    failed = deliberate = total = 0
    with tempfile.TemporaryDirectory(prefix="freshpyc-side-", dir=memory) as scratch:
        root, home = os.path.join(os.path.realpath(scratch), "tree"), os.path.join(scratch, "home")
        os.mkdir(home)
        for case in cases():
            if options.k and options.k not in str(case):
                continue
            if options.list:
                print(case)
                continue
            total += 1
            prepared(case, root)
            true = run(case, [sys.executable, "-m", case.verb], root, home)
            prepared(case, root)
            ours = run(case, [options.freshpyc, MODULES[case.verb]], root, home)
            found = differing(true, ours)
            wrong = {field: lines for field, lines in found.items() if field not in case.differs}
            if wrong:
                failed += 1
                print("FAIL     %s" % case)
                for field, lines in wrong.items():
                    for line in lines[: options.most]:
                        print("           %s: %s" % (field, line))
                    if len(lines) > options.most:
                        print("           %s: ... and %d more" % (field, len(lines) - options.most))
            elif found:
                deliberate += 1
                print("differs  %s: on purpose: %s" % (case, case.purpose))
            else:
                print("ok       %s%s" % (case, " (a traceback there)" if b"Traceback (most" in true["stderr"] else ""))
            sys.stdout.flush()
    print(
        "%d commands: %d the same, %d differ on purpose, %d failed"
        % (total, total - failed - deliberate, deliberate, failed)
    )
    return 1 if failed or not total and not options.list else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--freshpyc", default=default_binary())
    parser.add_argument("--python", default=default_python())
    parser.add_argument("-k", metavar="WORD", help="only commands with this in them")
    parser.add_argument("--list", action="store_true", help="print the commands")
    parser.add_argument("--most", type=int, default=6, help="lines shown of each difference")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options)
    if not options.list:
        options.freshpyc = os.path.abspath(
            shutil.which(options.freshpyc) or parser.error("no freshpyc at " + options.freshpyc)
        )
    words = [
        options.python,
        os.path.abspath(__file__),
        "--inside",
        "--freshpyc",
        options.freshpyc,
        "--most",
        str(options.most),
    ]
    words += ["--list"] * options.list + (["-k", options.k] if options.k else [])
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
    return subprocess.run(words, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
