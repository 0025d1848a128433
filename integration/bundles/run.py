#!/usr/bin/env python3
"""Bundles real programs, removes their environments, and runs each from its file alone.

    run.py [--freshpyc BINARY] [--work DIR] [--python VERSION]... [--program NAME]... [--form pyz]

Pythons are those of pyenv. Environments are made once, with pip and a package index, and stay in the work directory. While a
bundle runs, its environment and its sources have other names, and the interpreter is the bare one, isolated (-I).
"""
import argparse
import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from programs import PROGRAMS  # noqa: E402


def interpreter(version):
    pattern = os.path.expanduser("~/.pyenv/versions/%s*/bin/python" % (version + "." if version[0].isdigit() else version))
    found = sorted(glob.glob(pattern))
    return found[-1] if found else None


def environment(work, name, version, program):
    """A virtual environment with the requirements; None if they cannot be installed."""
    requirements = program.get("requires", [])
    folder = os.path.join(work, "env", "%s-%s" % (name, version))
    mark = os.path.join(folder, "installed.json")
    if os.path.exists(mark) and json.load(open(mark)) == requirements:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([interpreter(version), "-m", "venv", folder], check=True)
    if requirements:
        done = subprocess.run([folder + "/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
                              + requirements, capture_output=True, text=True)
        if done.returncode:
            print("  cannot install: %s" % done.stderr.strip().splitlines()[-1])
            return None
    json.dump(requirements, open(mark, "w"))
    return folder


@contextlib.contextmanager
def gone(*folders):
    """Gives directories other names for a while."""
    for folder in folders:
        os.rename(folder, folder + ".gone")
    try:
        yield
    finally:
        for folder in folders:
            os.rename(folder + ".gone", folder)


def free_port():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return str(listener.getsockname()[1])


def page(port, path, server):
    for _ in range(100):
        try:
            with urllib.request.urlopen("http://localhost:%s%s" % (port, path), timeout=10) as answer:
                return answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return "%s %s" % (error, error.read()[:2000])
        except OSError:
            if server.poll() is not None:
                return "the server ended"
            time.sleep(0.1)
    return "no answer"


def writes(home):
    return sorted(os.path.relpath(os.path.join(folder, name), home) for folder, _, names in os.walk(home) for name in names)


def check(freshpyc, work, name, version):
    program = PROGRAMS[name]
    home = environment(work, name, version, program)
    if home is None:
        return ["not installable"]
    source = os.path.join(work, "src", "%s-%s" % (name, version))
    shutil.rmtree(source, ignore_errors=True)
    os.makedirs(source)
    open(os.path.join(source, "pyproject.toml"), "w").close()
    for path, text in program.get("files", {}).items():
        place = os.path.join(source, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        open(place, "w").write(text)
    target = os.path.join(work, "%s-%s.pyz" % (name, version))
    done = subprocess.run([freshpyc, "bundle"] + program["bundle"] + ["-o", target, "-p", home + "/bin/python"], cwd=source,
                          capture_output=True, text=True)
    if done.returncode:
        return ["bundle: %d: %s" % (done.returncode, (done.stdout + done.stderr).strip())]
    place = os.path.join(work, "run")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place + "/home")
    for path, text in program.get("work", {}).items():
        open(os.path.join(place, path), "w").write(text)
    port = free_port()
    variables = dict(PATH=os.environ["PATH"], HOME=place + "/home", DATABASE=place + "/db.sqlite3", LANG="C.UTF-8",
                     XDG_CACHE_HOME=place + "/home/.cache")
    command = [interpreter(version), "-I", "-B", target]
    wrong = []
    with gone(home, source):
        local = None
        if program.get("local"):
            local = subprocess.Popen([sys.executable, "-m", "http.server", port], cwd=place, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            page(port, "/", local)
        for run in program.get("runs", []):
            words, wanted = [word.replace("PORT", port) for word in run[0]], run[1]
            done = subprocess.run(command + words, cwd=place, capture_output=True, text=True, timeout=300,
                                  env=dict(variables, **(run[2] if len(run) > 2 else {})), stdin=subprocess.DEVNULL)
            if wanted.lower() not in (done.stdout + done.stderr).lower():
                wrong.append("%s: %d: %s" % (" ".join(words), done.returncode, (done.stdout + done.stderr).strip()[-1500:]))
        if program.get("server"):
            with open(place + "/log", "w") as log:
                server = subprocess.Popen(command + [word.replace("PORT", port) for word in program["server"]], cwd=place,
                                          env=variables, stdout=log, stderr=log)
                for path, wanted in program["pages"]:
                    answer = page(port, path, server)
                    if wanted.lower() not in answer.lower():
                        wrong.append("%s: %s" % (path, answer[-1500:]))
                server.terminate()
                server.wait()
            if wrong:
                wrong.append(open(place + "/log").read()[-1500:])
        if local is not None:
            local.kill()
    natives = glob.glob(place + "/home/.cache/freshpyc/bundles/*")
    if len(natives) > 1:
        wrong.append("several directories of extension modules: %s" % natives)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--work", default=os.path.join(HERE, "../../.build/bundles"))
    parser.add_argument("--python", action="append")
    parser.add_argument("--program", action="append", choices=sorted(PROGRAMS))
    options = parser.parse_args()
    freshpyc, work = os.path.abspath(options.freshpyc), os.path.abspath(options.work)
    os.makedirs(work, exist_ok=True)
    failures = count = 0
    for name in options.program or PROGRAMS:
        for version in options.python or ["3.8", "3.12", "3.13"]:
            if version not in PROGRAMS[name].get("pythons", [version]):
                continue
            if interpreter(version) is None:
                print("%-16s %-8s no such Python" % (name, version), flush=True)
                continue
            wrong = check(freshpyc, work, name, version)
            count += 1
            failures += bool(wrong)
            print("%-16s %-8s %s" % (name, version, "; ".join(wrong) or "right"), flush=True)
    print("%d runs, %d wrong" % (count, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
