"""Changes to a tree beyond edits: permissions, times, kinds of files, links, planted bytecode, scope."""
import itertools
import os
import shutil
import stat
import struct

from world import operation

# In seconds: the limits of 32 bits, of 64 bits in nanoseconds and of ext4, and the year 1600.
TIMES = [-11676096000, -9223372037, -9223372036, -2147483649, -2147483648, -1, 0, 1, 978307200, 2147483647, 2147483648,
         4294967295, 4294967296, 6442450943, 9223372036, 9223372037, 15032385535, 1 << 40, -(1 << 40)]
FRACTIONS = [0, 0, 1, 500000000, 999999999, 123456789]


class Hazards:
    # Times

    @operation(4)
    def any_time(self):
        self.set_time(self.choose(self.sources()))

    @operation(1)
    def any_time_elsewhere(self):
        """Sets the time of a directory, of bytecode or of the configuration."""
        self.set_time(self.choose(self.folders() + self.bytecode() + [os.path.join(self.root, "freshpyc.json")]))

    def set_time(self, path):
        if path:
            nanoseconds = self.rng.choice(TIMES) * 10**9 + self.rng.choice(FRACTIONS)
            try:
                os.utime(path, ns=(nanoseconds, nanoseconds))
            except (FileNotFoundError, OverflowError, OSError):
                return
            self.note("mtime of %%s is %d ns" % nanoseconds, path)

    # Permissions

    @operation(2)
    def seal_folder(self):
        if self.daemon.can_be_refused:
            self.seal(self.choose(self.inner_folders()), [0o000, 0o300, 0o600, 0o500, 0o444])

    @operation(1)
    def seal_bytecode(self):
        if self.daemon.can_be_refused:
            caches = [os.path.join(folder, "__pycache__") for folder in self.folders()]
            self.seal(self.choose([path for path in caches if os.path.isdir(path)]), [0o000, 0o500])

    @operation(2)
    def seal_source(self):
        if self.daemon.can_be_refused:
            self.seal(self.choose(self.own_sources()), [0o000, 0o200])

    def seal(self, path, modes):
        if path and not os.path.islink(path):
            mode = self.rng.choice(modes)
            os.chmod(path, mode)
            self.note("mode %o for %%s" % mode, path)

    @operation(6)
    def unseal(self):
        """Makes everything readable and writable again."""
        # Directories that were moved out of the tree are reached through links.
        for folder, names, files in itertools.chain(os.walk(self.root), os.walk(self.outside)):
            for name in names + files:
                path = os.path.join(folder, name)
                try:
                    mode = os.lstat(path).st_mode
                except FileNotFoundError:
                    continue
                wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
                if not stat.S_ISLNK(mode) and mode & wanted != wanted and ".freshpyc" not in path:
                    self.quietly(os.chmod, path, stat.S_IMODE(mode) | wanted)
                    if self.may_have_lost_orphans and stat.S_ISDIR(mode):
                        self.remove_orphans_below(path)
                    self.note("mode %o for %%s" % (stat.S_IMODE(mode) | wanted), path)
        self.may_have_lost_orphans = False

    # Kinds of files

    @operation(2)
    def become_folder(self):
        path = self.choose(self.names())
        if path:
            os.remove(path)
            os.mkdir(path)
            if self.rng.random() < 0.5:
                self.write(os.path.join(path, self.fresh_name()), self.text())
            self.note("%s becomes a directory", path)

    @operation(2)
    def become_fifo(self):
        path = self.choose(self.own_sources())
        if path:
            os.remove(path)
            os.mkfifo(path)
            self.note("%s becomes a FIFO", path)

    @operation(1)
    def become_dangling(self):
        path = self.choose(self.own_sources())
        if path:
            os.remove(path)
            os.symlink("nowhere.py", path)
            self.note("%s becomes a link to nothing", path)

    @operation(4)
    def become_source(self):
        others = [path for path in self.names() if not os.path.isfile(path)]
        others += [folder for folder in self.inner_folders() if folder.endswith(".py")]
        path = self.choose(others)
        if path:
            self.clear(path)
            self.write(path, self.text())
            self.note("%s becomes a file", path)

    @operation(1)
    def nameless(self):
        """`.py` has the same cache name as `py.py`. It is not a source."""
        folder = self.place()
        for name in self.rng.sample([".py", "py.py"], self.rng.randrange(1, 3)):
            path = os.path.join(folder, name)
            # A FIFO would make us wait for a reader.
            if os.path.isfile(path) or not os.path.lexists(path):
                self.write(path, self.text())
                self.note("write %s", path)

    @operation(1)
    def block_bytecode(self):
        """Replaces `__pycache__` with a file or a link."""
        path = os.path.join(self.place(), "__pycache__")
        is_file = self.rng.random() < 0.5
        while True:
            self.clear(path)
            try:
                if is_file:
                    os.mknod(path)
                else:
                    os.symlink(self.outside, path)
                break
            except FileExistsError:
                pass  # The daemon has just created it again.
        self.note("%s is in the way", path)

    @operation(3)
    def unblock_bytecode(self):
        for folder in self.folders():
            path = os.path.join(folder, "__pycache__")
            if os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path)):
                os.remove(path)
                self.note("remove %s", path)

    def clear(self, path):
        """Removes a path atomically, because the daemon may write to a directory that is being emptied."""
        if os.path.isdir(path) and not os.path.islink(path):
            gone = os.path.join(self.home, "gone")
            os.rename(path, gone)
            shutil.rmtree(gone, ignore_errors=True)
        elif os.path.lexists(path):
            os.remove(path)

    # Links

    @operation(2)
    def link_outside(self):
        """Gives a source a second name outside the tree, or replaces it with a link to a file there."""
        path = self.choose(self.own_sources())
        if path:
            outside = os.path.join(self.outside, "o%d" % self.index)
            os.link(path, outside)
            if self.rng.random() < 0.3:
                os.remove(path)
                os.symlink(outside, path)
                self.note("move %s to %s and link it", path, outside)
            else:
                # The new name sends no event. freshpyc notices it when it next checks the file.
                os.utime(path)
                self.note("hard link %s as %s, touch it", path, outside)

    @operation(5)
    def edit_outside(self):
        """Edits a source through its name outside the tree. Size and often mtime stay the same; then only ctime changes."""
        path = self.choose([entry.path for entry in os.scandir(self.outside) if entry.name.startswith("o")
                            and entry.is_file()])
        if path:
            status = os.stat(path)
            with open(path, "r+b") as stream:
                text = self.other_digit(stream.read())
                stream.seek(0)
                stream.write(text)
            if self.rng.random() < 0.8:
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            self.note("write %s, size and mtime kept", path)

    @operation(1)
    def folder_becomes_link(self):
        folder = self.choose(self.inner_folders())
        if folder:
            away = os.path.join(self.outside, "folder%d" % self.index)
            os.rename(folder, away)
            os.symlink(away, folder)
            self.note("move %s to %s and link it", folder, away)

    @operation(2)
    def link_becomes_folder(self):
        path = self.choose([os.path.join(folder, name) for folder, names, files in self.walk() for name in names
                            if os.path.islink(os.path.join(folder, name))])
        if path:
            away = os.readlink(path)
            os.remove(path)
            if os.path.isdir(away):
                self.remove_orphans_below(away)
                os.rename(away, path)
            self.note("%s is a directory again", path)

    # Planted bytecode

    @operation(4)
    def plant(self):
        """Writes bytecode with a valid header and wrong code, for a source that compiles or for one that does not."""
        judges = self.judges()
        path = self.choose(self.own_sources())
        if not path or not judges or os.path.islink(os.path.join(os.path.dirname(path), "__pycache__")):
            return
        judge = self.rng.choice(judges)
        if self.rng.random() < 0.5:
            self.write(path, b"def broken%d(:\n" % self.index)
        with open(path, "rb") as stream:
            source = stream.read()
        status = os.stat(path)
        kind = self.rng.randrange(3)
        header = judge.magic + struct.pack("<I", (0, 1, 3)[kind])
        if kind == 0:
            header += struct.pack("<II", int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)
        else:
            header += judge.source_hash(source)
        level = self.rng.choice(self.levels)
        folder = os.path.join(os.path.dirname(path), "__pycache__")
        name = "%s.%s%s.pyc" % (os.path.basename(path)[:-3], judge.tag, ".opt-%d" % level if level else "")
        try:
            os.makedirs(folder, exist_ok=True)
            self.write(os.path.join(folder, name), header + judge.body(path, b"raise SystemExit('planted %d')" % self.index))
        except OSError:
            return
        self.note("plant %s", os.path.join(folder, name))

    # Scope

    @operation(1)
    def leave_scope(self):
        """Turns a directory into an environment with a new pyvenv.cfg."""
        folder = self.choose(self.inner_folders())
        if folder:
            self.write(os.path.join(folder, "pyvenv.cfg"), b"")
            self.note("write pyvenv.cfg into %s", folder)

    @operation(2)
    def enter_scope(self):
        found = [folder for folder, names, files in self.walk() if "pyvenv.cfg" in files]
        folder = self.choose(found)
        if folder:
            self.remove_orphans_below(folder)
            os.remove(os.path.join(folder, "pyvenv.cfg"))
            self.note("remove pyvenv.cfg from %s", folder)
