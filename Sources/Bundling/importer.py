# Imports the modules of a bundle (see Bundling in ARCHITECTURE.md). Runs inside the bundle, on Python 3.6 and newer.
#
# Everything here costs time at every start: no module is searched for in a file system, and no directory is listed. What is rarely
# needed is in a function that imports what it needs. The files importer_*.py follow this one in the same module.
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
