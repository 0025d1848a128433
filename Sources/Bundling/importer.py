# Imports the modules of a bundle (see Bundling in ARCHITECTURE.md). Runs inside the bundle, on Python 3.6 and newer.
#
# Everything here costs time at every start: no module is searched for in a file system, and no directory is listed. What is rarely
# needed is in a function that imports what it needs.
import sys
import marshal
import _imp
from posix import open as _open, close as _close, dup as _dup, fstat as _fstat, pread as _pread, O_RDONLY, O_CLOEXEC
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader, _NamespacePath, decode_source

PACKAGE, NAMESPACE, EXTENSION, UNPACKED, DEFLATED = 1, 2, 4, 8, 16


class Bundle(object):
    """Finder and loader of all modules of one bundle."""

    def __init__(self, archive, index):
        # archive: absolute path of the file. index: what IndexWriter wrote for this interpreter.
        self.file = archive
        self.prefix = archive + '/'
        self.modules, self.listing, self.native, self.entry = index
        self.descriptor = None
        self.identity = None
        self.open()
        self.known_files = None
        self.known_folders = None
        self.native_folder = None
        # With links resolved, if that is another path.
        self.real_prefix = None

    def open(self):
        descriptor = _open(self.file, O_RDONLY | O_CLOEXEC)
        low = []
        while descriptor < 3:  # standard streams are closed, and the program may open others there
            low.append(descriptor)
            descriptor = _dup(descriptor)
        for number in low:
            _close(number)
        self.descriptor = descriptor
        if self.identity is None:
            status = _fstat(descriptor)
            self.identity = status.st_dev, status.st_ino

    def status(self):
        """That of the file."""
        return _fstat(self.descriptor)

    def read(self, offset, size):
        # Programs that become daemons close all files, and open others with the same numbers.
        try:
            status = _fstat(self.descriptor)
            is_own = (status.st_dev, status.st_ino) == self.identity
        except OSError:
            is_own = False
        if not is_own:
            self.open()
            status = _fstat(self.descriptor)
            if (status.st_dev, status.st_ino) != self.identity:
                raise OSError('%s: the bundle was replaced while it runs; start the program again' % self.file)
        data = _pread(self.descriptor, size, offset)
        while len(data) < size:  # a signal, or more than read(2) gives at once
            more = _pread(self.descriptor, size - len(data), offset + len(data))
            if not more:
                raise OSError('%s: the bundle has changed while it runs; start the program again' % self.file)
            data += more
        return data

    # The finder.

    # What multiprocessing imports as the main module in new processes.
    main_of_processes = {'init_main_from_name': '_freshpyc_bundle'}

    def find_spec(self, name, path=None, target=None):
        found = self.modules.get(name)
        if found is None:
            if name == 'multiprocessing.spawn':
                return spawn_spec(self, path)
            parent = name.rpartition('.')[0]
            # A directory of data is a namespace package (PEP 420).
            if parent not in self.modules or name.replace('.', '/') not in self.folders:
                return None
            kind = NAMESPACE
        else:
            kind = found[2]
        if kind & NAMESPACE:
            spec = ModuleSpec(name, Folder(self), is_package=True)
            place = self.prefix + name.replace('.', '/')
            spec.submodule_search_locations = _NamespacePath(name, [place], lambda name, path: None)
            return spec
        prefix = self.unpacked if kind & UNPACKED else self.prefix
        if kind & EXTENSION:
            spec = ModuleSpec(name, ExtensionFileLoader(name, prefix + found[3]), origin=prefix + found[3])
        else:
            spec = ModuleSpec(name, self, origin=self.get_filename(name))
        spec._set_fileattr = True
        if kind & PACKAGE:
            spec.submodule_search_locations = [prefix + name.replace('.', '/')]
        return spec

    def invalidate_caches(self):
        pass

    def find_distributions(self, context=None):
        return distributions(self, context)

    @staticmethod
    def path(name, kind):
        return name.replace('.', '/') + ('/__init__.py' if kind & PACKAGE else '.py')

    # The loader.

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__spec__.name), module.__dict__)

    def load_module(self, name):  # of old plugin systems
        from importlib import import_module
        return import_module(name)

    def entry_of(self, name):
        if name == '__main__' and self.entry[0] == 'module':
            name = self.entry[1]
        found = self.modules.get(name)
        if found is None or found[2] & (NAMESPACE | EXTENSION):
            raise ImportError('%s has no module %r' % (self.file, name), name=name)
        return found

    def get_code(self, name):
        offset, size, kind = self.entry_of(name)[:3]
        path = self.get_filename(name)
        if not size:
            return compile(self.get_data(path), path, 'exec', dont_inherit=True)
        data = self.read(offset, size)
        if kind & DEFLATED:  # a whole bytecode file
            data = inflate(self, data)[16 if sys.version_info >= (3, 7) else 12:]
        code = marshal.loads(data)
        _imp._fix_co_filename(code, path)
        return code

    def get_source(self, name):
        path = self.get_filename(name)
        return decode_source(self.get_data(path)) if self.relative(path) in self.files else None

    def is_package(self, name):
        return bool(self.entry_of(name)[2] & PACKAGE)

    def get_filename(self, name):
        found = self.entry_of(name)
        kind = found[2]
        if len(found) > 3:
            path = found[3]
        else:
            path = self.path(self.entry[1] if name == '__main__' else name, kind)
        return (self.unpacked if kind & UNPACKED else self.prefix) + path

    # Files.

    @property
    def files(self):
        if self.known_files is None:
            self.known_files = marshal.loads(self.read(*self.listing))
        return self.known_files

    def relative(self, path):
        """The path inside the bundle; None if it leads elsewhere."""
        if path.startswith(self.prefix):
            path = path[len(self.prefix):]
        elif self.real_prefix and path.startswith(self.real_prefix):
            path = path[len(self.real_prefix):]
        elif self.native_folder and path.startswith(self.unpacked):
            path = path[len(self.unpacked):]
        elif path == self.file:
            return ''
        elif path.startswith('/'):
            return None
        if './' in path or '//' in path or path.endswith(('/', '/.', '/..')):
            import posixpath
            path = posixpath.normpath(path)
            if path.startswith('..'):
                return None
        return '' if path == '.' else path

    def get_data(self, path):
        found = self.files.get(self.relative(path))
        if found is None:
            import errno
            raise OSError(errno.ENOENT, 'the bundle has no such file', path)
        offset, size, method = found[:3]
        data = self.read(offset, size)
        return inflate(self, data) if method else data

    @property
    def folders(self):
        """The names in each directory."""
        if self.known_folders is None:
            folders = {'': set()}
            for path in self.files:
                while path:
                    parent, _, name = path.rpartition('/')
                    names = folders.setdefault(parent, set())
                    if name in names:
                        break
                    names.add(name)
                    path = parent
            self.known_folders = folders
        return self.known_folders

    def get_resource_reader(self, name):
        found = self.modules.get(name)
        if found is None:
            return None
        return resource_reader(self, name if found[2] & PACKAGE else name.rpartition('.')[0])

    # Extension modules.

    @property
    def unpacked(self):
        """Where distributions with extension modules are laid out."""
        if self.native_folder is None:
            self.native_folder = lay_out(self) + '/'
        return self.native_folder


class Script(Bundle):
    """A bundle that is a Python script: its contents were decoded, and are in memory."""

    def __init__(self, archive, index, data):
        self.data = data
        self.main_of_processes = {'init_main_from_path': archive}
        Bundle.__init__(self, archive, index)

    def open(self):
        pass

    def status(self):
        from posix import stat
        return stat(self.file)

    def read(self, offset, size):
        return self.data[offset:offset + size]


def inflate(bundle, data):
    try:
        from zlib import decompress
    except ImportError:
        sys.exit('%s: this bundle is compressed, and this Python has no zlib; use another one' % bundle.file)
    return decompress(data, -15)


class Portion(object):
    """What sys.path_hooks gives for a directory of the bundle: lets pkgutil and PathFinder look into packages."""

    def __init__(self, bundle, folder):
        self.bundle = bundle
        self.package = folder.replace('/', '.') + '.' if folder else ''

    def find_spec(self, name, target=None):
        actual = self.package + name.rpartition('.')[2]
        spec = self.bundle.find_spec(actual)
        if spec is None or name == actual:
            return spec
        # The directory is on sys.path, so that the module has another name.
        loader = spec.loader
        if loader is self.bundle:
            loader = Renamed(self.bundle, actual)
        elif isinstance(loader, ExtensionFileLoader):
            loader = ExtensionFileLoader(name, spec.origin)
        renamed = ModuleSpec(name, loader, origin=spec.origin, is_package=spec.submodule_search_locations is not None)
        renamed._set_fileattr = spec.has_location
        renamed.submodule_search_locations = spec.submodule_search_locations
        return renamed

    def invalidate_caches(self):
        pass

    def iter_modules(self, prefix=''):
        start = self.package
        for name in sorted(self.bundle.modules):
            if name.startswith(start) and '.' not in name[len(start):]:
                kind = self.bundle.modules[name][2]
                if not kind & NAMESPACE:
                    yield prefix + name[len(start):], bool(kind & PACKAGE)


class Folder(object):
    """Loads namespace packages. That of Python takes a path in an archive for two directories (since 3.13)."""

    def __init__(self, bundle):
        self.bundle = bundle

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__file__ = None

    def is_package(self, name):
        return True

    def get_source(self, name):
        return ''

    def get_code(self, name):
        return compile('', '<namespace>', 'exec', dont_inherit=True)

    def get_resource_reader(self, name):
        return resource_reader(self.bundle, name)


class Renamed(object):
    """Loads a module under another name."""

    def __init__(self, bundle, actual):
        self.bundle = bundle
        self.actual = actual

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__spec__.name), module.__dict__)

    def get_code(self, name):
        return self.bundle.get_code(self.actual)

    def get_source(self, name):
        return self.bundle.get_source(self.actual)

    def get_filename(self, name):
        return self.bundle.get_filename(self.actual)

    def is_package(self, name):
        return self.bundle.is_package(self.actual)

    def get_resource_reader(self, name):
        return self.bundle.get_resource_reader(self.actual)

    def get_data(self, path):
        return self.bundle.get_data(path)


def spawn_spec(bundle, path):
    """That of multiprocessing.spawn, changed so that new processes find this importer."""
    from _frozen_importlib_external import PathFinder
    spec = PathFinder.find_spec('multiprocessing.spawn', path)
    if spec is None:
        return None
    load = spec.loader.exec_module

    def exec_module(module):
        load(module)
        real = module.get_preparation_data

        def get_preparation_data(name):
            data = real(name)
            data.pop('init_main_from_path', None)
            data.pop('init_main_from_name', None)
            data.update(bundle.main_of_processes)
            return data
        module.get_preparation_data = get_preparation_data
    spec.loader.exec_module = exec_module
    return spec


def hook(bundle, real):
    """A function for sys.path_hooks. real: that of FileFinder, which it replaces, with its name: programs look for it."""
    def path_hook_for_FileFinder(path):
        if path.startswith(bundle.prefix) or bundle.real_prefix and path.startswith(bundle.real_prefix) or bundle.native_folder and path.startswith(bundle.native_folder):
            folder = bundle.relative(path)
            if folder in bundle.folders:
                return Portion(bundle, folder)
            return None  # zipimport would take a file for an archive
        return real(path)
    return path_hook_for_FileFinder


def resource_reader(bundle, package):
    try:
        from importlib.resources.abc import TraversableResources
    except ImportError:
        try:
            from importlib.abc import TraversableResources
        except ImportError:  # before 3.9
            from importlib.abc import ResourceReader as TraversableResources

    found = bundle.modules.get(package)
    place = bundle.unpacked if found is not None and found[2] & UNPACKED else bundle.prefix
    place += package.replace('.', '/')

    class Reader(TraversableResources):
        folder = place

        def files(self):
            return Resource(bundle, self.folder)

        def open_resource(self, resource):
            import io
            return io.BytesIO(bundle.get_data(self.folder + '/' + resource))

        def resource_path(self, resource):
            if sys.version_info >= (3, 9):
                raise FileNotFoundError(resource)
            # Before, importlib.resources would take the path in the bundle for that of a file.
            return temporary_file(bundle, self.folder + '/' + resource)

        def is_resource(self, name):
            return bundle.relative(self.folder + '/' + name) in bundle.files

        def contents(self):
            return iter(sorted(bundle.folders.get(bundle.relative(self.folder), ())))

    return Reader()


def temporary_file(bundle, path):
    """A copy of a file, removed at the end of the program."""
    import atexit
    import os
    import tempfile
    descriptor, place = tempfile.mkstemp(os.path.basename(path))

    def remove():
        try:
            os.remove(place)
        except OSError:
            pass
    atexit.register(in_this_process(remove))
    with os.fdopen(descriptor, 'wb') as file:
        file.write(bundle.get_data(path))
    return place


def in_this_process(function):
    """The same, but in a child after fork it does nothing."""
    import os
    process = os.getpid()

    def guarded():
        if os.getpid() == process:
            function()
    return guarded


class Resource(object):
    """A file or directory of the bundle, as importlib.resources sees it (importlib.resources.abc.Traversable)."""

    def __init__(self, bundle, path):
        self.bundle = bundle
        self.path = path

    @property
    def name(self):
        return self.path.rpartition('/')[2]

    def __fspath__(self):
        return self.path

    def __str__(self):
        return self.path

    def __repr__(self):
        return 'Resource(%r)' % self.path

    def __eq__(self, other):
        return isinstance(other, Resource) and self.path == other.path

    def __hash__(self):
        return hash(self.path)

    def __lt__(self, other):
        return self.path < other.path

    def __getattr__(self, name):  # the rest of what a path has
        import pathlib
        return getattr(pathlib.Path(self.path), name)

    def is_dir(self):
        return self.bundle.relative(self.path) in self.bundle.folders

    def is_file(self):
        return self.bundle.relative(self.path) in self.bundle.files

    def exists(self):
        return self.is_dir() or self.is_file()

    def iterdir(self):
        names = self.bundle.folders.get(self.bundle.relative(self.path))
        if names is None:
            raise NotADirectoryError(self.path)
        return (Resource(self.bundle, self.path + '/' + name) for name in sorted(names))

    def joinpath(self, *parts):
        path = self.path
        for part in parts:
            path += '/' + str(part)
        return Resource(self.bundle, self.bundle.prefix + (self.bundle.relative(path) or ''))

    def __truediv__(self, part):
        return self.joinpath(part)

    @property
    def parent(self):
        return Resource(self.bundle, self.path.rpartition('/')[0])

    def read_bytes(self):
        if self.is_dir():
            raise IsADirectoryError(self.path)
        return self.bundle.get_data(self.path)

    def read_text(self, encoding=None, errors=None):
        with self.open('r', encoding=encoding, errors=errors) as file:
            return file.read()

    def open(self, mode='r', *args, **keywords):
        import io
        file = io.BytesIO(self.read_bytes())
        return file if 'b' in mode else io.TextIOWrapper(file, *args, **keywords)


def distributions(bundle, context):
    """The installed distributions that are in the bundle, for importlib.metadata."""
    try:
        from importlib.metadata import Distribution
    except ImportError:  # before 3.8, the backport asks
        from importlib_metadata import Distribution
    import re

    class Bundled(Distribution):
        def __init__(self, folder):
            self.folder = folder

        def read_text(self, filename):
            path = self.folder + '/' + str(filename)
            return bundle.get_data(path).decode('utf-8') if path in bundle.files else None

        def locate_file(self, path):
            return Resource(bundle, bundle.prefix + str(path))

    def plain(name):
        return re.sub('[-_.]+', '-', name).lower()

    wanted = getattr(context, 'name', None)
    for folder in sorted(bundle.folders['']):
        name, _, kind = folder.rpartition('.')
        if kind == 'dist-info' and (wanted is None or plain(name.partition('-')[0]) == plain(wanted)):
            yield Bundled(folder)


def cache_folders():
    """Where extension modules may be laid out, best first."""
    import os
    home = os.environ.get('XDG_CACHE_HOME', '')
    if home.startswith('/'):
        yield home + '/freshpyc/bundles'
        return
    home = os.path.expanduser('~')
    # After sudo, it may be that of another user, who must be able to write to it.
    if home.startswith('/') and home != '/' and os.path.isdir(home) and os.stat(home).st_uid == os.geteuid():
        home += '/.cache'
        yield home + '/freshpyc/bundles'


def is_own(status):
    import os
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def is_whole(bundle, folder, names):
    """Whether a directory has all files, written by this user and by nobody else."""
    import os
    try:
        if not is_own(os.lstat(folder)):
            return False
        for name in names:
            status = os.lstat(folder + '/' + name)
            if not is_own(status) or status.st_size != bundle.files[name][3]:
                return False
    except OSError:
        return False
    return True


def write_all(bundle, folder, names):
    import os
    from binascii import crc32
    for name in names:
        path = folder + '/' + name
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o700)
        data = bundle.get_data(name)
        if crc32(data) & 0xffffffff != bundle.files[name][4]:
            sys.exit('%s: this bundle is damaged; copy it again' % bundle.file)
        with os.fdopen(descriptor, 'wb') as file:
            file.write(data)
    # After a power loss, files must have their contents if the directory has its name.
    for name in names:
        descriptor = os.open(folder + '/' + name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def wait_for_others(parent):
    """Waits until no other start lays out anything here, for ten seconds at most. Returns a descriptor to be closed."""
    import os
    import time
    descriptor = os.open(parent + '/.lock', os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        from fcntl import flock, LOCK_EX, LOCK_NB
    except ImportError:
        return descriptor
    for _ in range(400):
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(0.025)
        except OSError:  # where files cannot be locked
            break
    return descriptor


def lay_out(bundle):
    """Extension modules must be files. Writes them once, to a directory whose name is a hash of their contents."""
    import os
    import shutil
    import tempfile
    digest, names = bundle.native
    mask = os.umask(0o077)
    try:
        for parent in cache_folders():
            folder = parent + '/' + digest
            if is_whole(bundle, folder, names):
                try:
                    os.utime(folder)
                except OSError:
                    pass
                return folder
            scratch = lock = None
            try:
                os.makedirs(parent, 0o700, exist_ok=True)
                if not is_own(os.lstat(parent)):
                    continue
                lock = wait_for_others(parent)
                if is_whole(bundle, folder, names):
                    return folder
                scratch = tempfile.mkdtemp(prefix='.new-', dir=parent)
                write_all(bundle, scratch, names)
                damaged = None
                if not is_whole(bundle, folder, names) and os.path.lexists(folder):
                    damaged = tempfile.mkdtemp(prefix='.old-', dir=parent)
                    os.rename(folder, damaged + '/old')
                try:
                    os.rename(scratch, folder)
                except OSError:  # another start was faster
                    if not is_whole(bundle, folder, names):
                        raise
                    shutil.rmtree(scratch, ignore_errors=True)
                if damaged is not None:
                    shutil.rmtree(damaged, ignore_errors=True)
                collect(parent, digest)
                return folder
            except OSError:
                if scratch is not None:
                    shutil.rmtree(scratch, ignore_errors=True)
            finally:
                if lock is not None:
                    os.close(lock)
        # No place that lasts: a read-only file system, or no home directory.
        import atexit
        try:
            folder = tempfile.mkdtemp(prefix='freshpyc-')
            atexit.register(in_this_process(lambda: shutil.rmtree(folder, True)))
            write_all(bundle, folder, names)
        except OSError as error:
            sys.exit('%s: cannot unpack extension modules: %s; set XDG_CACHE_HOME or TMPDIR to a directory that can be '
                     'written' % (bundle.file, error))
        return folder
    finally:
        os.umask(mask)


def is_running(folder):
    """Whether a process of this user has a file of the directory in its memory."""
    import os
    for process in os.listdir('/proc'):
        if process.isdigit():
            try:
                with open('/proc/%s/maps' % process, 'rb') as maps:
                    if os.fsencode(folder + '/') in maps.read():
                        return True
            except OSError:  # of another user, or gone
                pass
    return False


def after_layout():
    """Removes old interpreters. What the launcher said must not reach other processes, which may be other Pythons."""
    import os
    sys._xoptions.pop('freshpyc', None)
    words = getattr(sys, 'orig_argv', [])
    if '-X' in words and words[words.index('-X') + 1:][:1] == ['freshpyc=new']:
        del words[words.index('-X'):words.index('-X') + 2]
    parent, _, name = sys.prefix.rpartition('/')
    if parent.endswith(('/freshpyc/bundles', '/freshpyc-%d' % os.geteuid())) and is_digest(name):
        collect(parent, name)


def is_digest(name):
    return len(name) == 32 and not name.strip('0123456789abcdef')


def collect(parent, digest):
    """Removes what no bundle has used for 30 days, and what a killed start left behind."""
    import os
    import shutil
    import time
    now = time.time()
    for name in os.listdir(parent):
        if not is_digest(name) and not name.startswith(('.new-', '.old-')):
            continue
        limit = 86400 if name.startswith('.') else 30 * 86400
        path = parent + '/' + name
        try:
            if name != digest and now - os.lstat(path).st_mtime > limit and not is_running(path):
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass


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


def report(bundle, given):
    """A sys.excepthook whose tracebacks show source lines: that of Python only reads files. Omits the frames of the start.

    given: the __file__ of the main module, as Python was given it.
    """
    starters = ('<frozen runpy>', '<importer of the bundle>', bundle.prefix + '__main__.py', given, '<string>')

    def show(kind, value, trace):
        if issubclass(kind, KeyboardInterrupt):  # Python then ends by the signal, unless something is evaluated here
            return sys.__excepthook__(kind, value, trace)
        import traceback
        while trace is not None and (trace.tb_frame.f_code.co_filename in starters
                                     or trace.tb_frame.f_globals.get('__name__') == 'runpy'):
            trace = trace.tb_next
        traceback.print_exception(kind, value, trace)
    return show


def run(bundle, main):
    """Runs the program in the module __main__; main: its namespace."""
    kind, name, function = bundle.entry
    if main['__name__'] == '__main__':
        main['__spec__'] = None
    if kind == 'call':
        if main['__name__'] != '__main__':
            return
        target = __import__(name, None, None, ['__name__'])
        for part in function.split('.'):
            target = getattr(target, part)
        sys.exit(target())
    code = bundle.get_code('__main__')
    main['__file__'] = code.co_filename
    if kind == 'module':
        main['__package__'] = name.rpartition('.')[0]
        if main['__name__'] == '__main__':
            main['__spec__'] = bundle.find_spec(name)
        if main['__package__']:
            __import__(main['__package__'])
    else:
        main['__package__'] = None
    main['__loader__'] = bundle
    main.pop('_start', None)  # of bootstrap.py
    exec(code, main)


def start(archive, index, main, data=None):
    """data: the contents of a script."""
    for known in sys.meta_path:
        if getattr(known, 'file', None) == archive and hasattr(known, 'modules'):
            bundle = known
            break
    else:
        bundle = Bundle(archive, index) if data is None else Script(archive, index, data)
        sys.meta_path.insert(0, bundle)
        # zipimport would take the bundle's directories.
        sys.path_hooks.insert(0, hook(bundle, sys.path_hooks.pop()))
        provide_files(bundle)
        # Nothing else is in the outer archive: look there last.
        if archive in sys.path:
            sys.path.remove(archive)
            sys.path.append(archive)
    if 'freshpyc' in sys._xoptions:  # the launcher has just laid out the interpreter
        after_layout()
    if main is not None:
        if sys.excepthook is sys.__excepthook__:
            sys.excepthook = report(bundle, main.get('__file__'))
        run(bundle, main)
