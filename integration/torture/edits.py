"""Changes that editors, version control and build tools make to a tree."""
import os
import shutil
import time

from truth import scope
from world import operation


class Edits:
    @operation(10)
    def create(self):
        path = os.path.join(self.place(), self.fresh_name())
        self.write(path, self.text())
        self.note("write %s", path)

    @operation(20)
    def edit(self):
        path = self.choose(self.own_sources())
        if path:
            self.write(path, self.text())
            self.note("write %s", path)

    @operation(15)
    def same_size_edit(self):
        path = self.choose(self.own_sources())
        if path:
            with open(path, "rb") as stream:
                text = stream.read()
            self.write(path, self.other_digit(text))
            self.note("write %s, same size", path)

    def other_digit(self, text):
        """Other text of the same size, which compiles if the original does."""
        digits = [index for index, char in enumerate(text) if 48 <= char <= 57]
        if not digits:
            return text
        at = self.rng.choice(digits)
        return text[:at] + (b"1" if text[at:at + 1] != b"1" else b"2") + text[at + 1:]

    @operation(8)
    def replace(self):
        path = self.choose(self.sources())
        if path:
            self.write(path + ".new", self.text())
            os.replace(path + ".new", path)
            self.note("replace %s", path)

    @operation(2)
    def slow_save(self):
        path = self.choose(self.own_sources())
        if path:
            text = self.text()
            with open(path, "wb", buffering=0) as stream:
                stream.write(text[:len(text) // 2])
                time.sleep(0.004)
                stream.write(text[len(text) // 2:])
            self.note("write %s in two halves", path)

    @operation(8)
    def touch(self):
        path = self.choose(self.sources())
        if path:
            then = time.time() - self.rng.randrange(100000)
            os.utime(path, self.rng.choice([None, (then, then)]))
            self.note("touch %s", path)

    @operation(8)
    def rename(self):
        path = self.choose(self.names())
        if path:
            new = os.path.join(self.place(), self.fresh_name())
            os.rename(path, new)
            self.note("rename %s to %s", path, new)

    @operation(5)
    def swap(self):
        one, other = self.choose(self.names()), self.choose(self.names())
        if one and other and one != other:
            os.rename(one, one + ".swap")
            os.rename(other, one)
            os.rename(one + ".swap", other)
            self.note("swap %s and %s", one, other)

    @operation(6)
    def delete(self):
        path = self.choose(self.names())
        if path:
            os.remove(path)
            self.note("remove %s", path)

    @operation(4)
    def make_folder(self):
        folder = os.path.join(self.place(), "d%d" % self.index, "s")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, self.fresh_name())
        self.write(path, self.text())
        self.note("make the directories of %s, write it", path)

    @operation(4)
    def move_folder(self):
        folder = self.choose(self.inner_folders())
        if folder:
            place = self.choose([place for place in self.folders() if not (place + "/").startswith(folder + "/")])
            new = os.path.join(place, "moved%d" % self.index)
            if not os.path.exists(new):
                os.rename(folder, new)
                self.may_have_lost_orphans = True
                self.note("rename %s to %s", folder, new)

    @operation(3)
    def delete_folder(self):
        folders = self.inner_folders()
        if len(folders) > 2:
            folder = self.choose(folders)
            shutil.rmtree(folder, ignore_errors=True)
            self.note("remove the directory %s", folder)

    @operation(2)
    def copy_folder(self):
        """Copies a directory. The daemon works in the copy before it is complete, and in the original."""
        folders = [folder for folder in self.inner_folders() if len(os.listdir(folder)) < 12]
        if folders and len(self.names()) < self.options.modules:
            folder, new = self.choose(folders), os.path.join(self.root, "copy%d" % self.index)
            try:
                shutil.copytree(folder, new, symlinks=True, dirs_exist_ok=True)
            except shutil.Error as error:
                # Bytecode that was removed during the copy, and FIFOs.
                if not all("__pycache__" in os.fspath(entry[0]) or "named pipe" in str(entry[2])
                           for entry in error.args[0]):
                    raise
            self.may_have_lost_orphans = True
            self.note("copy %s to %s", folder, new)

    @operation(2)
    def link(self):
        path = self.choose(self.own_sources())
        if path:
            new = os.path.join(self.place(), "link%d.py" % self.index)
            os.symlink(path, new)
            self.note("link %s as %s", path, new)

    @operation(2)
    def hard_link(self):
        path = self.choose(self.own_sources())
        if path:
            new = os.path.join(self.place(), "hard%d.py" % self.index)
            os.link(path, new)
            if os.path.dirname(new) not in scope(self.root, self.excludes)[2]:
                # A new name out of scope sends no event. freshpyc notices it when it next checks the file.
                os.utime(path)
            self.note("hard link %s as %s", path, new)

    @operation(3)
    def chmod(self):
        path = self.choose(self.sources())
        if path:
            mode = self.rng.choice([0o644, 0o600, 0o755, 0o444])
            os.chmod(path, mode)
            self.note("mode %o for %%s" % mode, path)

    @operation(1)
    def checkout(self):
        """Like git: removes, adds and changes many files at once."""
        for path in self.names():
            what = self.rng.random()
            if what < 0.1:
                os.remove(path)
            elif what < 0.4 and not os.path.islink(path):
                os.remove(path)
                self.write(path, self.text())
        for number in range(max(2, min(10, self.options.modules - len(self.names())))):
            self.write(os.path.join(self.place(), "c%d_%d.py" % (self.index, number)), self.text())
        self.note("many files at once")

    @operation(3)
    def thin_out(self):
        """Keeps the tree small, so that a round stays fast."""
        names = self.names()
        while len(names) > self.options.modules:
            path = self.choose(names)
            names.remove(path)
            os.remove(path)
            self.note("remove %s", path)

    # Bytecode

    def bytecode(self):
        return [os.path.join(folder, name) for folder, names, files in os.walk(self.root)
                if os.path.basename(folder) == "__pycache__" for name in files]

    @operation(4)
    def delete_bytecode(self):
        path = self.choose(self.bytecode())
        if path and self.rng.random() < 0.3:
            shutil.rmtree(os.path.dirname(path), ignore_errors=True)
            self.note("remove the directory of %s", path)
        elif path:
            self.quietly(os.remove, path)
            self.note("remove %s", path)

    @operation(4)
    def damage_bytecode(self):
        path = self.choose(self.bytecode())
        if path:
            self.quietly(self.damage, path)
            self.note("damage %s", path)

    def damage(self, path):
        size = os.path.getsize(path)
        with open(path, "r+b") as stream:
            if self.rng.random() < 0.5 or not size:
                stream.truncate(size // 2)
            else:
                stream.seek(self.rng.randrange(size))
                stream.write(bytes([self.rng.randrange(256)]))

    @staticmethod
    def quietly(action, *arguments):
        """Runs an action on a file that the daemon may have just removed."""
        try:
            action(*arguments)
        except FileNotFoundError:
            pass
