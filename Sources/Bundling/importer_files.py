# Lets programs open, list and stat the files of a bundle by path. A part of importer.py.

class Function(object):
    """A function that never becomes a method, like those of posix: pathlib keeps os.stat in a class (before 3.11)."""

    def __init__(self, function, real, module='os'):
        self.function = function
        self.__name__ = self.__qualname__ = real.__name__
        self.__module__ = module
        self.__doc__ = real.__doc__

    def __reduce__(self):  # pickled by name
        return self.__name__

    def __call__(self, *args, **keywords):
        return self.function(*args, **keywords)


def provide_files(bundle):
    """Lets programs open, list and stat the files of the bundle by path, as if it were a directory.

    Programs find their data beside __file__. Only calls with such a path are answered here, and nothing is written.
    """
    import builtins
    import errno
    import io
    import os
    import stat

    beginning = bundle.prefix
    resolved = os.path.realpath(bundle.file) + '/'
    if resolved != beginning:
        bundle.real_prefix = resolved
    real_open, real_listdir, real_scandir = io.open, os.listdir, os.scandir
    real_access, real_readlink, real_listxattr = os.access, os.readlink, os.listxattr

    def inside(path):
        """The path in the bundle; None for all others."""
        if type(path) is not str:
            if isinstance(path, int) or path is None:
                return None
            try:
                path = os.fsdecode(path)
            except TypeError:
                return None
        if path.startswith(beginning) or path.startswith(resolved):
            return bundle.relative(path)
        if bundle.native_folder and path.startswith(bundle.native_folder):
            # Sources are not laid out.
            inner = bundle.relative(path)
            return inner if inner in bundle.files and inner not in bundle.native[1] else None
        # Two ways to write a path: `/opt/./app.pyz/x` and `/opt/app.pyz/x`.
        if path.startswith('/') and ('/.' in path or '//' in path):
            plain = os.path.normpath(path)
            if plain != path:
                return inside(plain)
        return None

    def missing(path):
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    times = None

    def status(path, inner):
        nonlocal times
        if times is None:
            times = bundle.status()
        if inner in bundle.files:
            mode, size = stat.S_IFREG | 0o444, bundle.files[inner][3]
        elif inner in bundle.folders:
            mode, size = stat.S_IFDIR | 0o555, 0
        else:
            raise missing(path)
        number = hash(inner) & 0x7FFFFFFFFFFFFFFF
        return os.stat_result((mode, number, times.st_dev, 1, times.st_uid, times.st_gid, size,
                               int(times.st_atime), int(times.st_mtime), int(times.st_ctime)),
                              {key: getattr(times, key) for key in ('st_atime', 'st_mtime', 'st_ctime', 'st_atime_ns',
                                                                    'st_mtime_ns', 'st_ctime_ns', 'st_blksize',
                                                                    'st_blocks', 'st_rdev')})

    def replacing_stat(real):
        def replacement(path, *args, **keywords):
            inner = inside(path)
            return real(path, *args, **keywords) if inner is None else status(path, inner)
        return Function(replacement, real)

    def replacing_open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True,
                       opener=None):
        inner = inside(file)
        if inner is None:
            return real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if inner in bundle.folders:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
        if any(letter in mode for letter in 'wxa+'):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), file)
        if inner not in bundle.files:
            raise missing(file)
        if set(mode) - set('rbtU') or len(set(mode)) != len(mode) or 'r' not in mode and 'U' not in mode:
            raise ValueError('invalid mode: %r' % mode)
        if 'b' in mode and (encoding is not None or errors is not None or newline is not None):
            raise ValueError('binary mode takes no encoding, errors or newline')
        data = io.BytesIO(bundle.get_data(inner))
        data.name = file
        data.mode = 'rb'
        if 'b' in mode:
            return data if buffering == 0 else io.BufferedReader(data)
        text = io.TextIOWrapper(data, encoding, errors, newline)
        text.mode = mode
        return text

    def folder(path):
        """The same for a directory: the bundle itself is one, too, for those who list it."""
        inner = inside(path)
        if inner is None and not isinstance(path, int) and path is not None:
            place = os.fsdecode(path).rstrip('/') + '/'
            return '' if place in (beginning, resolved) else None
        return inner

    def listdir(path='.'):
        inner = folder(path)
        if inner is None:
            return real_listdir(path)
        if inner not in bundle.folders:
            raise missing(path)
        names = sorted(bundle.folders[inner])
        return [os.fsencode(name) for name in names] if isinstance(path, bytes) else names

    class Entry(object):
        def __init__(self, folder, name):
            self.name = os.fsencode(name) if isinstance(folder, bytes) else name
            self.path = os.path.join(folder, self.name)

        def __fspath__(self):
            return self.path

        def inode(self):
            return self.stat().st_ino

        def stat(self, follow_symlinks=True):
            return os.stat(self.path)

        def is_dir(self, follow_symlinks=True):
            return inside(self.path) in bundle.folders

        def is_file(self, follow_symlinks=True):
            return inside(self.path) in bundle.files

        def is_symlink(self):
            return False

        def is_junction(self):
            return False

    class Scan(object):
        def __init__(self, entries):
            self.entries = iter(entries)

        def __iter__(self):
            return self

        def __next__(self):
            return next(self.entries)

        def __enter__(self):
            return self

        def __exit__(self, *problem):
            pass

        def close(self):
            pass

    def scandir(path='.'):
        inner = folder(path)
        if inner is None:
            return real_scandir(path)
        if inner not in bundle.folders:
            raise missing(path)
        return Scan([Entry(os.fspath(path), name) for name in sorted(bundle.folders[inner])])

    def access(path, mode, **keywords):
        inner = inside(path)
        if inner is None:
            return real_access(path, mode, **keywords)
        return not mode & os.W_OK and (inner in bundle.files or inner in bundle.folders)

    def readlink(path, **keywords):
        if inside(path) is None:
            return real_readlink(path, **keywords)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)

    def listxattr(path=None, **keywords):
        return real_listxattr(path, **keywords) if inside(path) is None else []

    for name in ('stat', 'lstat'):
        real = getattr(os, name)
        replacement = replacing_stat(real)
        for group in ('supports_dir_fd', 'supports_follow_symlinks', 'supports_fd'):
            members = getattr(os, group)
            if real in members:
                members.add(replacement)
        setattr(os, name, replacement)
    os.listdir, os.scandir = Function(listdir, real_listdir), Function(scandir, real_scandir)
    os.access = Function(access, real_access)
    os.readlink, os.listxattr = Function(readlink, real_readlink), Function(listxattr, real_listxattr)
    for real, replacement in ((real_listdir, os.listdir), (real_scandir, os.scandir)):
        if real in os.supports_fd:
            os.supports_fd.add(replacement)
    io.open = builtins.open = Function(replacing_open, real_open, 'io')
    if hasattr(io, 'open_code'):  # what importlib reads sources with, since 3.8
        import _io
        real_open_code = _io.open_code

        def replacing_open_code(path):
            return real_open_code(path) if inside(path) is None else replacing_open(path, 'rb')
        io.open_code = _io.open_code = replacing_open_code
