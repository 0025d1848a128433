"""Virtual environments that are replaced while a daemon uses them.

An environment has the files that `python -m venv --without-pip` creates: `pyvenv.cfg` and `bin/python`. They are created
without running Python. Each environment has a name (`a`, `b`) and the path `env-NAME`, a directory or a link to one.
"""
import glob
import os
import shutil
import subprocess


def installed(first):
    """The interpreters for environments: `first`, and those of pyenv, 3.8 and newer, one for each minor version."""
    found = {}
    for python in [first] + sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python"))):
        # For an environment, use the interpreter that it was made from.
        question = "import sys; print(getattr(sys, '_base_executable', sys.executable), *sys.version_info[:2])"
        done = subprocess.run([python, "-I", "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True)
        if done.returncode == 0:
            path, major, minor = done.stdout.rsplit(None, 2)
            version = int(major), int(minor)
            if version >= (3, 8) and version not in found:
                found[version] = path
    return list(found.values())


class Environments:
    def __init__(self, home, bases):
        self.home, self.bases = home, bases
        self.base = {}
        os.mkdir(os.path.join(home, "envs"))

    def path(self, name):
        return os.path.join(self.home, "env-" + name)

    def python(self, name):
        return os.path.join(self.path(name), "bin", "python")

    def make(self, folder, base, copies):
        os.makedirs(os.path.join(folder, "bin"))
        with open(os.path.join(folder, "pyvenv.cfg"), "w") as stream:
            stream.write("home = %s\ninclude-system-site-packages = false\n" % os.path.dirname(base))
        python = os.path.join(folder, "bin", "python")
        if copies:
            shutil.copyfile(os.path.realpath(base), python)
            os.chmod(python, 0o755)
        else:
            os.symlink(base, python)

    def create(self, name, base, copies=False):
        """Creates an environment as a directory. `copies`: with a copy of the interpreter, not a link to it."""
        self.delete(name)
        self.make(self.path(name), base, copies)
        self.base[name] = base

    def delete(self, name):
        path = self.path(name)
        if os.path.islink(path):
            os.remove(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
        self.base[name] = None

    def switch(self, name, base, number):
        """Replaces the link to an environment atomically."""
        folder = os.path.join(self.home, "envs", "%s-%d" % (name, number))
        self.make(folder, base, False)
        path = self.path(name)
        if not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        os.symlink(folder, path + ".new")
        os.rename(path + ".new", path)
        self.base[name] = base

    def switch_interpreter(self, name, base):
        """Replaces only `bin/python`, like an upgrade of the system's Python."""
        if not self.base.get(name):
            return self.create(name, base)
        python = self.python(name)
        os.symlink(base, python + ".new")
        os.rename(python + ".new", python)
        with open(os.path.join(self.path(name), "pyvenv.cfg"), "w") as stream:
            stream.write("home = %s\ninclude-system-site-packages = false\n" % os.path.dirname(base))
        self.base[name] = base
