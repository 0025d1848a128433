#!/usr/bin/env python3
"""Edits, moves and deletes files under a running daemon, and measures the daemon.

    churn.py --root TREE --process PID [--edits N]

Prints descriptors, watches, memory and zombies after a warm-up and at the end. Exits with 1 if any of them grew.
"""
import argparse
import json
import os
import shutil
import socket
import sys


class Daemon:
    def __init__(self, root, process):
        self.process = process
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        os.chdir(os.path.join(root, ".freshpyc"))
        self.socket.connect("socket" if not runtime else self.found(runtime))
        self.answers = self.socket.makefile()

    @staticmethod
    def found(runtime):
        place = os.path.join(runtime, "freshpyc")
        return next(os.path.join(place, name) for name in os.listdir(place))

    def ask(self, method):
        self.socket.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode() + b"\n")
        answer = json.loads(self.answers.readline())
        if "error" in answer:
            sys.exit("the daemon returned an error: %s" % answer["error"])
        return answer["result"]

    def figures(self):
        status = self.ask("status")
        with open("/proc/%d/task/%d/children" % (self.process, self.process)) as stream:
            children = stream.read().split()
        zombies = 0
        for child in children:
            try:
                with open("/proc/%s/stat" % child) as stream:
                    zombies += stream.read().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                pass
        return {
            "descriptors": len(os.listdir("/proc/%d/fd" % self.process)),
            "watches": status["watches"]["used"],
            "memory": status["memory"],
            "zombies": zombies,
        }


def churn(root, daemon, edits, begin):
    """Edits files in rounds. A round changes only contents: all names are the same afterwards."""
    folder = os.path.join(root, "churn")
    for number in range(begin, begin + edits, 10):
        os.makedirs(folder, exist_ok=True)
        for index in range(8):
            with open(os.path.join(folder, "m%d.py" % index), "w") as stream:
                stream.write("x = %d\n" % (number + index))
        os.rename(folder, folder + "2")
        os.rename(folder + "2", folder)
        with open(os.path.join(root, "a.py"), "w") as stream:
            stream.write("x = %d\n" % number)
        daemon.ask("wait")
        if number % 100 == 0:
            shutil.rmtree(folder)
    if os.path.isdir(folder):
        shutil.rmtree(folder)
    daemon.ask("wait")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--process", type=int, required=True)
    parser.add_argument("--edits", type=int, default=50000)
    options = parser.parse_args()
    root = os.path.abspath(options.root)
    daemon = Daemon(root, options.process)
    warm = max(options.edits // 10, 200)
    churn(root, daemon, warm, 0)
    before = daemon.figures()
    print("after %d edits: %s" % (warm, before))
    churn(root, daemon, options.edits, warm)
    after = daemon.figures()
    print("after %d edits: %s" % (warm + options.edits, after))
    flat = (after["descriptors"] <= before["descriptors"] + 2 and after["watches"] <= before["watches"]
            and after["zombies"] == 0 and after["memory"] <= before["memory"] * 1.2 + (4 << 20))
    return 0 if flat else 1


sys.exit(main())
