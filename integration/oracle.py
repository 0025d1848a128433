"""The oracle: uses CPython to determine what every artifact of a tree should be.

    oracle.py ROOT LEVELS MODE      LEVELS such as 0,2; MODE timestamp, checked-hash, unchecked-hash or guarded
                                    (timestamp, or checked-hash if the source was just saved)
    oracle.py --serve               answers requests on standard input, see `serve`

Prints a line for each difference from a clean recompile, each artifact without a source, and each temporary file.
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
    """Deep equality that distinguishes 1 from True and 0.0 from -0.0, and compares every attribute of code."""
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
    """Describes what is wrong with the artifact of a source, or returns None. `filename` is the expected co_filename."""
    with open(path, "rb") as stream:
        source = stream.read()
    cache = importlib.util.cache_from_source(path, optimization="" if level == 0 else level)
    code = compiled(filename or path, source, level)
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


def compiled(path, source, level):
    """The code of a source, or None if it does not compile."""
    try:
        return compile(source, path, "exec", dont_inherit=True, optimize=level)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def judge(path, source, level, body):
    """Whether the source compiles, and how the body of its bytecode differs from the result (None: it does not)."""
    code = compiled(path, source, level)
    if code is None or body is None:
        return code is not None, None
    try:
        loaded = marshal.loads(body)
    except Exception as error:
        return True, "body: %r" % error
    return True, None if same(loaded, code) else "code differs"


def serve():
    """Reads marshalled requests, and writes one marshalled answer for each. The first output identifies the interpreter.

    ("judge", [(path, source, level, body or None), ...])   a list of results of `judge`
    ("hash", [source, ...])                                 a list of hashes as in the headers of hash-based bytecode
    ("code", [(path, source), ...])                         a list of bodies
    """
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answer = {"magic": importlib.util.MAGIC_NUMBER, "tag": sys.implementation.cache_tag, "version": sys.version_info[:3]}
    while True:
        answers.write(marshal.dumps(answer, 2))
        answers.flush()
        try:
            kind, items = marshal.load(requests)
        except EOFError:
            return
        if kind == "judge":
            answer = [judge(*item) for item in items]
        elif kind == "hash":
            answer = [importlib.util.source_hash(item) for item in items]
        else:
            answer = [marshal.dumps(compile(source, path, "exec", dont_inherit=True)) for path, source in items]


if __name__ == "__main__" and sys.argv[1] == "--serve":
    serve()
elif __name__ == "__main__":
    main(sys.argv[1], [int(level) for level in sys.argv[2].split(",")], sys.argv[3])
