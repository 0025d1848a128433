"""The oracle: CPython itself says what every artifact of a tree should be.

    oracle.py ROOT LEVELS MODE      LEVELS such as 0,2; MODE timestamp, checked-hash, unchecked-hash or guarded
                                    (timestamp, or checked-hash where the source is young)

Prints a line for each difference from a clean recompile, each artifact without a source, each temporary file.
"""
import importlib.util
import importlib._bootstrap_external as external
import marshal
import os
import sys
import warnings

warnings.simplefilter("ignore")
SKIPPED = {".git", ".freshpyc", "node_modules", "site-packages", ".venv"}


def same(left, right):
    """Deep equality that tells 1 from True, 0.0 from -0.0, and looks at every attribute of code."""
    if type(left) is not type(right):
        return False
    if hasattr(left, "co_code"):
        names = [name for name in dir(left) if name.startswith("co_") and not callable(getattr(left, name))
                 and name != "co_lnotab"]
        return all(same(getattr(left, name), getattr(right, name)) for name in names)
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, frozenset):
        return sorted(map(repr, left)) == sorted(map(repr, right))
    return repr(left) == repr(right)


def header(path, source, mode):
    stats = os.stat(path)
    if mode == "timestamp":
        return external._code_to_timestamp_pyc(compile("", "", "exec"), stats.st_mtime, stats.st_size)[:16]
    hashed = importlib.util.source_hash(source)
    return external._code_to_hash_pyc(compile("", "", "exec"), hashed, mode == "checked-hash")[:16]


def check(path, level, mode, filename=None):
    """What is wrong with the artifact of a source, or None; `filename` is what its code should name."""
    with open(path, "rb") as stream:
        source = stream.read()
    cache = importlib.util.cache_from_source(path, optimization="" if level == 0 else level)
    try:
        code = compile(source, filename or path, "exec", dont_inherit=True, optimize=level)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        code = None
    if not os.path.exists(cache):
        return None if code is None else "no bytecode"
    if code is None:
        return "bytecode of a source that does not compile"
    with open(cache, "rb") as stream:
        found = stream.read()
    modes = [mode] if mode != "guarded" else ["timestamp", "checked-hash"]
    if not any(found[:16] == bytes(header(path, source, one)) for one in modes):
        return "header is %s" % found[:16].hex()
    try:
        loaded = marshal.loads(found[16:])
    except Exception as error:
        return "body: %r" % error
    return None if same(loaded, code) else "code differs"


def main(root, levels, mode):
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in SKIPPED]
        if os.path.basename(folder) == "__pycache__":
            for name in files:
                source = os.path.join(os.path.dirname(folder), name.split(".cpython-")[0].split(".pypy")[0] + ".py")
                if not name.endswith(".pyc") or not os.path.exists(source):
                    print("left over: %s" % os.path.join(folder, name))
            continue
        for name in files:
            path = os.path.join(folder, name)
            if not name.endswith(".py") or not os.path.isfile(path):
                continue
            for level in levels:
                try:
                    difference = check(path, level, mode)
                except OSError as error:
                    difference = str(error)
                if difference:
                    print("%s (level %d): %s" % (ascii(path), level, difference))


if __name__ == "__main__":
    main(sys.argv[1], [int(level) for level in sys.argv[2].split(",")], sys.argv[3])
