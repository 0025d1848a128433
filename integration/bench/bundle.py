#!/usr/bin/env python3
"""Compares bundles with the same programs packed by others, and unpacked.

    bundle.py [--freshpyc BINARY] [--work DIR] [--python PYTHON] [--runs N] [--program NAME]... [--cold]

Installs the programs and the other tools with pip once. DIR should be on a RAM disk. For each program: the time to build, the
size, and the median time of a start, all forms in turn. `unpacked`: the virtual environment, with valid bytecode. --cold drops
the page cache before each start (needs root, and a disk for DIR).
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))

PROGRAMS = {
    # name: (requirements, console script, module to run, arguments)
    "django": (["django==5.1.4"], "django-admin", "django", ["--version"]),
    "django-all": (["django==5.1.4"], None, None, []),
    "black": (["black==24.10.0"], "black", "black", ["--version"]),
    "yt-dlp": (["yt-dlp==2024.12.13"], "yt-dlp", "yt_dlp", ["--version"]),
}
# Imports most of Django.
ALL = """
import django.contrib.admin.sites, django.contrib.auth.hashers, django.core.management.commands.runserver
import django.db.models, django.forms, django.template.loader, django.test, django.urls, django.views.generic
import django.contrib.sessions.backends.base, django.contrib.staticfiles.finders, django.core.handlers.wsgi
"""


def run(*words, **keywords):
    done = subprocess.run(words, capture_output=True, text=True, **keywords)
    if done.returncode:
        sys.exit("%s: %s" % (" ".join(words), (done.stdout + done.stderr)[-2000:]))
    return done


def timed(*words, **keywords):
    begun = time.perf_counter()
    run(*words, **keywords)
    return time.perf_counter() - begun


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = os.path.abspath(options.work)
        os.makedirs(self.work, exist_ok=True)
        self.tools = os.path.join(self.work, "tools")
        if not os.path.exists(self.tools):
            run(options.python, "-m", "venv", self.tools)
            run(self.tools + "/bin/pip", "install", "-q", "shiv", "pyinstaller", "pex")

    def place(self, name):
        return os.path.join(self.work, name)

    def prepare(self, name):
        requirements = PROGRAMS[name][0]
        home, target = self.place("env-" + name), self.place("target-" + name)
        if not os.path.exists(home):
            run(self.options.python, "-m", "venv", home)
            run(home + "/bin/pip", "install", "-q", *requirements)
            run(home + "/bin/python", "-m", "compileall", "-q", home + "/lib")
            run(self.options.python, "-m", "pip", "install", "-q", "--no-compile", "--target", target, *requirements)
        source = self.place("src-" + name)
        os.makedirs(source, exist_ok=True)
        with open(source + "/pyproject.toml", "w"):
            pass
        with open(source + "/start.py", "w") as file:
            file.write(ALL if name == "django-all" else
                       "from %s.__main__ import *\n" % PROGRAMS[name][2] if name != "yt-dlp" else
                       "import sys, yt_dlp\nsys.exit(yt_dlp.main())\n")
        return home, target, source

    def build(self, name):
        """Builds all forms. Returns commands, and the times of the builds."""
        _, script, module, words = PROGRAMS[name]
        home, target, source = self.prepare(name)
        freshpyc, python = os.path.abspath(self.options.freshpyc), self.options.python
        commands, times = {}, {}
        bundle, store = self.place(name + ".pyz"), self.place("store-" + name)
        entry = [script] if script else ["start.py"]
        order = [freshpyc, "bundle"] + entry + ["-o", bundle, "-p", home + "/bin/python", "-q", "--store", store]
        shutil.rmtree(store, ignore_errors=True)
        times["bundle"] = timed(*order, cwd=source)
        times["bundle, from the store"] = statistics.median(timed(*order, cwd=source) for _ in range(5))
        commands["bundle"] = [python, bundle] + words
        commands["unpacked"] = ([home + "/bin/" + script] if script else [home + "/bin/python", source + "/start.py"]) + words
        if name != "black":  # its extension modules cannot be imported from an archive
            packed = self.place("zipapp-" + name)
            shutil.rmtree(packed, ignore_errors=True)
            shutil.copytree(target, packed)
            shutil.copy(source + "/start.py", packed + "/__main__.py")
            file = self.place(name + "-zipapp.pyz")
            times["zipapp"] = timed(python, "-m", "zipapp", packed, "-o", file)
            commands["zipapp"] = [python, file] + words
            times["zipapp -c"] = timed(python, "-m", "zipapp", "-c", packed, "-o", self.place(name + "-zipapp-c.pyz"))
            commands["zipapp -c"] = [python, self.place(name + "-zipapp-c.pyz")] + words
        if script:
            file = self.place(name + "-shiv.pyz")
            times["shiv"] = timed(self.tools + "/bin/shiv", "-c", script, "-o", file, "--site-packages", target,
                                  "-p", python)
            commands["shiv"] = [python, file] + words
            file = self.place(name + ".pex")
            caches = dict(os.environ, PEX_ROOT=self.place("pex-build"))
            times["pex"] = timed(self.tools + "/bin/pex", *PROGRAMS[name][0], "-c", script, "-o", file, env=caches)
            commands["pex"] = [python, file] + words
        whole = self.place(name + "-whole")
        times["with interpreter"] = timed(*(order[:order.index("-o")] + ["-o", whole, "--with-interpreter", "-p", home + "/bin/python",
                                                                         "-q", "--store", store]), cwd=source)
        commands["with interpreter"] = [whole] + words
        if self.options.pyinstaller:
            begun = time.perf_counter()
            run(self.tools + "/bin/pyinstaller", "-F", "-y", "--clean", "--log-level", "ERROR", "-n", name + "-pi", "-p",
                home + "/lib/python3.12/site-packages", "--collect-all", PROGRAMS[name][2] or "django",
                "--distpath", self.work, "--workpath", self.place("pi"), "--specpath", self.place("pi"), source + "/start.py")
            times["PyInstaller"] = time.perf_counter() - begun
            commands["PyInstaller"] = [self.place(name + "-pi")] + words
        return commands, times

    def measure(self, name):
        commands, times = self.build(name)
        variables = dict(PATH=os.environ["PATH"], HOME=self.place("home"), SHIV_ROOT=self.place("shiv"),
                         PEX_ROOT=self.place("pex"))
        shutil.rmtree(variables["SHIV_ROOT"], ignore_errors=True)
        shutil.rmtree(variables["PEX_ROOT"], ignore_errors=True)
        shutil.rmtree(variables["HOME"], ignore_errors=True)
        os.makedirs(variables["HOME"])
        first = {}
        for form, command in commands.items():
            if form in ("bundle", "shiv", "pex", "with interpreter"):
                first[form] = timed(*command, env=variables)
            run(*command, env=variables)
        runs = {form: [] for form in commands}
        for _ in range(self.options.runs):
            for form, command in commands.items():
                if self.options.cold:
                    os.sync()
                    with open("/proc/sys/vm/drop_caches", "w") as file:
                        file.write("3\n")
                runs[form].append(timed(*command, env=variables))
        bundle = statistics.median(runs["bundle"])
        print("%s" % name)
        for form in commands:
            median = statistics.median(runs[form])
            file = {"bundle": ".pyz", "pex": ".pex", "with interpreter": "-whole", "zipapp": "-zipapp.pyz", "zipapp -c": "-zipapp-c.pyz", "shiv": "-shiv.pyz",
                    "PyInstaller": "-pi"}.get(form)
            size = "%6.1f MB" % (os.path.getsize(self.place(name + file)) / 1e6) if file else " " * 9
            print("  %-24s start %7.1f ms (%.1f to %.1f)  bundle is %.2f of it  %s%s%s" % (
                form, median * 1e3, min(runs[form]) * 1e3, max(runs[form]) * 1e3, bundle / median, size,
                "  build %.2f s" % times[form] if form in times else "",
                "  first start %.0f ms" % (first[form] * 1e3) if form in first else ""))
        print("  bundle, from the store: build %.2f s" % times["bundle, from the store"], flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freshpyc", default=os.path.join(HERE, "../../.build/release/freshpyc"))
    parser.add_argument("--work", default="/dev/shm/freshpyc-bundles")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--program", action="append", choices=sorted(PROGRAMS))
    parser.add_argument("--no-pyinstaller", dest="pyinstaller", action="store_false")
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    for name in options.program or PROGRAMS:
        bench.measure(name)


if __name__ == "__main__":
    main()
