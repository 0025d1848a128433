#!/usr/bin/env python3
"""Compares the imports that `freshpyc graph` lists with those that Python's own parser finds.

    compare.py BINARY INTERPRETER DIRECTORY...

Every import statement of every file that parses must be listed exactly once: line, column, level, module, names and
aliases. Only calls (`load ...`) may be listed in addition. Targets and kinds of imports are not compared. Exit status 1
on any difference, 2 if nothing could be compared.
"""

import ast
import collections
import json
import os
import subprocess
import sys


def statement(node):
    """An import as `graph` prints it."""
    names = ", ".join(item.name + (" as " + item.asname if item.asname else "") for item in node.names)
    if isinstance(node, ast.Import):
        return "import " + names
    return "from " + "." * (node.level or 0) + (node.module or "") + " import " + names


def parsed(path):
    """The imports of a file as [line, column, statement]; None if it does not parse."""
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        return None
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.append([node.lineno, node.col_offset + 1, statement(node)])
    return found


def serve():
    """Runs in the interpreter: reads one path per line, and prints one line with its imports."""
    for line in sys.stdin:
        print(json.dumps(parsed(json.loads(line))), flush=True)


def listed(binary, interpreter, folder):
    """The imports and calls of the graph, by path."""
    words = [binary, "graph", "--no-daemon", "--format", "json", "--python", interpreter]
    run = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, check=False)
    if run.returncode != 0:
        sys.exit(2)
    modules = {}
    for module in json.loads(run.stdout)["modules"]:
        kept = [[one["line"], one["column"], one["statement"]] for one in module["imports"]]
        modules[module["path"]] = [one for one in kept if not one[2].startswith("load ")]
    return modules


def compare(binary, interpreter, folder, ask):
    """Prints the differences in one directory, and returns their number."""
    modules = listed(binary, interpreter, folder)
    files = statements = differences = skipped = 0
    for path in sorted(modules):
        expected = ask(os.path.join(folder, path))
        if expected is None:
            skipped += 1
            continue
        files += 1
        statements += len(expected)
        wanted = collections.Counter(map(tuple, expected))
        found = collections.Counter(map(tuple, modules[path]))
        for sign, rest in (("missing", wanted - found), ("too many", found - wanted)):
            for line, column, text in sorted(rest.elements()):
                differences += 1
                print("%s:%d:%d: %s: %s" % (path, line, column, sign, text))
    print(
        "%s: %d files, %d statements compared, %d differences (%d files do not parse)"
        % (folder, files, statements, differences, skipped),
        flush=True,
    )
    return differences, files


def main(arguments):
    if len(arguments) < 3:
        sys.exit(__doc__)
    binary, interpreter = os.path.abspath(arguments[0]), os.path.abspath(arguments[1])
    environment = dict(os.environ, PYTHONUTF8="1", PYTHONDONTWRITEBYTECODE="1")
    server = subprocess.Popen(
        [interpreter, "-W", "ignore", os.path.abspath(__file__), "--serve"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, universal_newlines=True,
    )

    def ask(path):
        server.stdin.write(json.dumps(path) + "\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())

    results = [compare(binary, interpreter, os.path.abspath(folder), ask) for folder in arguments[2:]]
    server.stdin.close()
    server.wait()
    if any(differences for differences, _ in results):
        return 1
    return 0 if all(files for _, files in results) else 2


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(main(sys.argv[1:]))
