# Resources and distributions of a bundle, as importlib.resources and importlib.metadata want them. A part of importer.py.

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
