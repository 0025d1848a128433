#!/usr/bin/env python3
"""Bundles real programs, removes their environments, and runs each from its file alone.

    run.py [--freshpyc BINARY] [--work DIR] [--python VERSION]... [--program NAME]... [--form FORM]...

Pythons are those of pyenv, and `pypy` (pypy3 in PATH). Environments are made once, with pip and a package index, and stay in the work
directory. While a bundle runs, its environment and its sources have other names, and the interpreter is the bare one, isolated (-I).

Forms are pyz, script, dir, executable and interpreter: the last one is an executable with its interpreter, which runs in a root
directory that holds nothing but the C library (needs the right to chroot).
"""
import argparse
import contextlib
import glob
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from programs import PROGRAMS  # noqa: E402


def interpreter(version):
    if version == "pypy":
        return shutil.which("pypy3")
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


SUFFIXES = {"pyz": ".pyz", "script": ".py", "dir": "/", "executable": "", "interpreter": ""}
LIBRARIES = ["ld-linux-*", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libresolv.so.2",
             "libnss_files.so.2", "libnss_dns.so.2"]


def bare_root(folder):
    """A root directory with the C library, and with the files that it reads itself."""
    for name in LIBRARIES:
        for place in glob.glob("/lib64/" + name) + glob.glob("/lib/*-linux-gnu/" + name):
            os.makedirs(folder + os.path.dirname(place), exist_ok=True)
            shutil.copy(os.path.realpath(place), folder + place)
    for directory in ("/tmp", "/dev/shm", "/etc", "/run/home"):
        os.makedirs(folder + directory)
    os.mknod(folder + "/dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    with open(folder + "/etc/hosts", "w") as hosts:
        hosts.write("127.0.0.1 localhost\n")


def check(freshpyc, work, name, version, form):
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
    root = os.path.join(work, "root")
    shutil.rmtree(root, ignore_errors=True)
    is_bare = form == "interpreter"
    if is_bare:
        bare_root(root)
    target = root + "/program" if is_bare else os.path.join(work, "%s-%s-%s%s" % (name, version, form, SUFFIXES[form]))
    done = subprocess.run([freshpyc, "bundle"] + program["bundle"] + ["-o", target, "-p", home + "/bin/python"]
                          + ["--with-interpreter"] * is_bare, cwd=source, capture_output=True, text=True)
    if done.returncode:
        return ["bundle: %d: %s" % (done.returncode, (done.stdout + done.stderr).strip())]
    place = root + "/run" if is_bare else os.path.join(work, "run")
    if not is_bare:
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place + "/home")
    for path, text in program.get("work", {}).items():
        open(os.path.join(place, path), "w").write(text)
    port = free_port()
    seen = "/run" if is_bare else place
    variables = dict(PATH=os.environ["PATH"], HOME=seen + "/home", DATABASE=seen + "/db.sqlite3", LANG="C.UTF-8",
                     XDG_CACHE_HOME=seen + "/home/.cache")
    command = [interpreter(version), "-I", "-B", target]
    if form == "executable":
        command, variables["FRESHPYC_PYTHON"] = [target], interpreter(version)
    elif is_bare:
        command = ["/program"]

    def enter():
        if is_bare:
            os.chroot(root)
            os.chdir("/run")
    wrong = []
    with gone(home, source):
        local = None
        if program.get("local"):
            local = subprocess.Popen([sys.executable, "-m", "http.server", port], cwd=place, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            page(port, "/", local)
        for run in program.get("runs", []):
            words, wanted = [word.replace("PORT", port) for word in run[0]], run[1]
            done = subprocess.run(command + words, cwd=place, capture_output=True, text=True, timeout=300, preexec_fn=enter,
                                  env=dict(variables, **(run[2] if len(run) > 2 else {})), stdin=subprocess.DEVNULL)
            if wanted.lower() not in (done.stdout + done.stderr).lower():
                wrong.append("%s: %d: %s" % (" ".join(words), done.returncode, (done.stdout + done.stderr).strip()[-1500:]))
        if program.get("server"):
            with open(place + "/log", "w") as log:
                server = subprocess.Popen(command + [word.replace("PORT", port) for word in program["server"]], cwd=place,
                                          env=variables, stdout=log, stderr=log, preexec_fn=enter)
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
    if len(natives) > 1 + is_bare:
        wrong.append("several directories of extension modules: %s" % natives)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--work", default=os.path.join(HERE, "../../.build/bundles"))
    parser.add_argument("--python", action="append")
    parser.add_argument("--program", action="append", choices=sorted(PROGRAMS))
    parser.add_argument("--form", action="append", choices=sorted(SUFFIXES))
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
            for form in options.form or ["pyz"]:
                if form in PROGRAMS[name].get("without", []):
                    continue
                wrong = check(freshpyc, work, name, version, form)
                count += 1
                failures += bool(wrong)
                print("%-16s %-8s %-12s %s" % (name, version, form, "; ".join(wrong) or "right"), flush=True)
    print("%d runs, %d wrong" % (count, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
