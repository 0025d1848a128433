# Starts a bundle that is a script (`--form script`): decodes the archive at the end of its own file, and runs the program. @TABLE@ is
# a list: magic number, then the places of the importer and of the index. Runs on Python 2.7 and 3; no line has more than 76 columns.
import sys
NAMES = (
    @NAMES@)


def stop(message):
    sys.exit('%s: %s' % (sys.argv[0], message))


def read(path):
    from binascii import a2b_base64
    try:
        from zlib import decompress, crc32
    except ImportError:
        stop('this program is compressed, and this Python has no zlib; '
             'use another one')
    with open(path, 'rb') as file:
        text = file.read()
    packed = text[text.rfind(b'\n##') + 3:]
    try:
        data = decompress(a2b_base64(packed), -15)
    except Exception:
        data = b''
    if len(data) != @SIZE@ or crc32(data) & 0xffffffff != @CRC@:
        stop('this program is incomplete or damaged; copy it again')
    return data


class Sources(object):
    '''Imports the modules with Python before 3.6 (PEP 302).'''

    def __init__(self, data, path):
        import io
        import zipfile
        self.archive = zipfile.ZipFile(io.BytesIO(data))
        self.names = set(self.archive.namelist())
        self.prefix = path + '/'

    def place(self, name):
        stem = name.replace('.', '/')
        for path in stem + '/__init__.py', stem + '.py':
            if path in self.names or path + 'c' in self.names:
                return path

    def find_module(self, name, path=None):
        return self if self.place(name) else None

    def load_module(self, name):
        if name in sys.modules:
            return sys.modules[name]
        path = self.place(name)
        module = sys.modules[name] = type(sys)(name)
        module.__file__ = self.prefix + path
        module.__loader__ = self
        module.__package__ = name.rpartition('.')[0]
        if self.is_package(name):
            module.__package__ = name
            module.__path__ = [module.__file__.rpartition('/')[0]]
        try:
            exec(self.code(path), module.__dict__)
        except BaseException:
            sys.modules.pop(name, None)
            raise
        return sys.modules[name]

    def code(self, path):
        from imp import get_magic
        if path + 'c' in self.names:
            data = self.archive.read(path + 'c')
            if data[:4] == get_magic():
                from marshal import loads
                return loads(data[@HEADER@:])
        if path not in self.names:
            stop('this program has no code for Python %d.%d; it has code '
                 'for %s' % (sys.version_info[:2] + (NAMES,)))
        data = self.archive.read(path)
        return compile(data, self.prefix + path, 'exec', 0, True)

    def is_package(self, name):
        return self.place(name).endswith('/__init__.py')

    def get_code(self, name):
        return self.code(self.place(name))

    def get_source(self, name):
        path = self.place(name)
        if path in self.names:
            return self.archive.read(path)

    def get_filename(self, name):
        return self.prefix + self.place(name)

    def get_data(self, path):
        name = path[len(self.prefix):]
        if isinstance(name, bytes) and name not in self.names:
            name = name.decode('utf-8')
        try:
            return self.archive.read(name)
        except KeyError:
            raise IOError('%s: no such file' % path)

    def run(self, kind, name, function, main):
        if kind == 'call':
            target = __import__(name, None, None, ['__name__'])
            for part in function.split('.'):
                target = getattr(target, part)
            sys.exit(target())
        path = name if kind == 'script' else self.place(name)
        main['__file__'] = self.prefix + path
        main['__loader__'] = self
        if kind == 'module' and '.' in name:
            main['__package__'] = name.rpartition('.')[0]
            __import__(main['__package__'])
        exec(self.code(path), main)


def start(main):
    import os
    if not os.path.isfile(main.get('__file__', '')):
        stop('this program cannot be read from standard input; '
             'save it as a file')
    path = os.path.abspath(main['__file__'])
    data = read(path)
    is_main = main['__name__'] in ('__main__', '__mp_main__')
    # What lies beside the program is not a part of it.
    if is_main and sys.path and sys.path[0] == os.path.dirname(path):
        del sys.path[0]
    if sys.version_info < (3, 6):
        sources = Sources(data, path)
        sys.meta_path.insert(0, sources)
        if is_main:
            sources.run(@ENTRY@, main=main)
        return
    from importlib.util import MAGIC_NUMBER
    from marshal import loads
    for magic, code, size, index, count in @TABLE@:
        if magic in (MAGIC_NUMBER, b''):
            break
    else:
        stop('this program has no code for Python %d.%d; it has code '
             'for %s' % (sys.version_info[:2] + (NAMES,)))
    code = data[code:code + size]
    index = loads(data[index:index + count])
    space = {'__name__': '_freshpyc_importer'}
    name = '<importer of the bundle>'
    exec(loads(code) if magic else compile(code, name, 'exec'), space)
    space['start'](path, index, main if is_main else None, data)


start(main)
