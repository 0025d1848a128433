"""Compares each bytecode file of a tree with what the interpreter that runs this script compiles.

    PYTHON deep_oracle.py ROOT LEVELS MODE SKIP      LEVELS such as 0,2; MODE timestamp, checked-hash, unchecked-hash;
                                                    SKIP: the number of sources to skip at the beginning

Compiles every source below ROOT as py_compile does, and compares the result with its bytecode file. Prints one JSON
object per line: one for each error, one for each difference, and one with the counts at the end. Before each source, its
number is written to the file ROOT/.oracle, which shows the source that caused a crash.

Must not use freshpyc. Runs on CPython 2.7, on CPython 3.6 and newer, and on PyPy.
"""

import json
import marshal
import os
import struct
import sys
import warnings

PYTHON_2 = sys.version_info[0] == 2
CODE = type(compile("", "x", "exec"))
LISTS = ("co_positions", "co_lines", "co_branches")

if PYTHON_2:
    import imp

    MAGIC = imp.get_magic()
else:
    import importlib.util

    MAGIC = importlib.util.MAGIC_NUMBER
HEADER = 8 if PYTHON_2 else 12 if sys.version_info < (3, 7) else 16


class Count(object):
    files = codes = failures = artifacts = 0


def attributes():
    """The data attributes of this interpreter's code objects, and the methods that return more data."""
    sample = compile("", "x", "exec")
    names = [name for name in dir(sample) if name.startswith("co_")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = [name for name in names if not callable(getattr(sample, name))]
    if "co_linetable" in data and "co_lnotab" in data:
        data.remove("co_lnotab")  # computed from co_linetable
    return data, [name for name in LISTS if name in names]


DATA, METHODS = attributes()


def key(value):
    """A key that is equal only for values that are the same to the last bit."""
    kind = type(value)
    if kind is float:
        return "float", struct.pack("<d", value)
    if kind is complex:
        return "complex", struct.pack("<dd", value.real, value.imag)
    if kind is tuple:
        return "tuple", tuple(map(key, value))
    if kind is frozenset:
        return "frozenset", frozenset(map(key, value))
    if kind is CODE:
        return "code", tuple(key(getattr(value, name)) for name in DATA)
    if kind.__name__ == "slice":
        return "slice", key(value.start), key(value.stop), key(value.step)
    return kind.__name__, value


def shown(value):
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "..."


def difference(ours, true, where):
    """Describes the first difference of two values; None if they are the same."""
    if type(ours) is not type(true):
        return "%s: %s %s, CPython has %s %s" % (
            where,
            type(ours).__name__,
            shown(ours),
            type(true).__name__,
            shown(true),
        )
    if isinstance(true, CODE):
        Count.codes += 1
        for name in DATA:
            found = difference(getattr(ours, name), getattr(true, name), "%s.%s" % (where, name))
            if found:
                return found
        for name in METHODS:
            left, right = list(getattr(ours, name)()), list(getattr(true, name)())
            if left != right:
                return "%s.%s() differs" % (where, name)
        return None
    if type(true) is tuple:
        if len(ours) != len(true):
            return "%s: %d items, CPython has %d" % (where, len(ours), len(true))
        for index, pair in enumerate(zip(ours, true)):
            found = difference(pair[0], pair[1], "%s[%d]" % (where, index))
            if found:
                return found
        return None
    if type(true) in (int, str, bytes, bool) and ours == true or key(ours) == key(true):
        return None
    return "%s: %s, CPython has %s" % (where, shown(ours), shown(true))


def header(path, source, mode):
    stats = os.stat(path)
    mtime = struct.pack("<I", int(stats.st_mtime) & 0xFFFFFFFF)
    if PYTHON_2:
        return MAGIC + mtime
    size = struct.pack("<I", stats.st_size & 0xFFFFFFFF)
    if HEADER == 12:
        return MAGIC + mtime + size
    if mode == "timestamp":
        return MAGIC + struct.pack("<I", 0) + mtime + size
    flags = 3 if mode == "checked-hash" else 1
    return MAGIC + struct.pack("<I", flags) + importlib.util.source_hash(source)


def place(path, level):
    if PYTHON_2:
        return path + ("o" if level else "c")
    return importlib.util.cache_from_source(path, optimization=str(level) if level else "")


def read(path):
    if PYTHON_2 and path.endswith(".py"):
        with open(path, "U") as stream:  # like its py_compile
            return stream.read()
    with open(path, "rb") as stream:
        return stream.read()


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def failure(error):
    """(class, message, line). The message of an error without one is its class."""
    name = type(error).__name__
    if isinstance(error, SyntaxError):
        return name, text(error.msg) if error.msg else name, error.lineno or 0
    return name, text(str(error)) or name, 0


def say(**facts):
    line = json.dumps(facts)
    sys.stdout.write(line + "\n")


def judge(path, shown_path, level, mode):
    source = read(path)
    try:
        if PYTHON_2:
            true = compile(source, path, "exec", 0, True)  # uses the level of this process
            true = marshal.loads(marshal.dumps(true))  # joins surrogate pairs in Python 2
        else:
            true = compile(source, path, "exec", dont_inherit=True, optimize=level)
    except Exception as error:
        Count.failures += 1
        say(failed=shown_path, level=level, error=failure(error))
        true = None
    cache = place(path, level)
    if not os.path.lexists(cache):
        return None if true is None else "no bytecode"
    if true is None:
        return "bytecode of a source that does not compile"
    Count.artifacts += 1
    found = read(cache)
    expected = header(path, source, mode)
    if found[:HEADER] != expected:
        return "header is %r, should be %r" % (found[:HEADER], expected)
    try:
        ours = marshal.loads(found[HEADER:])
    except Exception as error:
        return "body cannot be loaded: %r" % error
    return difference(ours, true, "")


def sources(root):
    for folder, names, files in sorted(os.walk(root)):
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name.endswith(".py") and os.path.isfile(path):
                yield path


def main(root, levels, mode, skip):
    warnings.simplefilter("ignore")
    mark = os.open(os.path.join(root, ".oracle"), os.O_WRONLY | os.O_CREAT, 438)
    for number, path in enumerate(sources(root)):
        if number < skip:
            continue
        os.lseek(mark, 0, os.SEEK_SET)
        os.write(mark, ("%10d" % number).encode("ascii"))
        shown_path = os.path.relpath(path, root)
        if isinstance(shown_path, bytes):
            shown_path = shown_path.decode("utf-8", "replace")
        Count.files += 1
        for level in levels:
            found = judge(path, shown_path, level, mode)
            if found:
                say(path=shown_path, level=level, difference=found)
        if number % 64 == 0:
            sys.stdout.flush()
    say(files=Count.files, codes=Count.codes, failures=Count.failures, artifacts=Count.artifacts)


if __name__ == "__main__":
    main(sys.argv[1], [int(level) for level in sys.argv[2].split(",")], sys.argv[3], int(sys.argv[4]))
