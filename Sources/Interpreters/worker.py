# A warm compiler. Reads sources from standard input and writes code to standard output, until its input ends.
#
# Runs on CPython 2.7 and 3.6 to the newest, and on PyPy. Compiles sources, but never executes or imports them.
# It is started without `site` and without the user's environment. PYTHONHASHSEED=0 makes the order of sets in code the
# same in each run; isolated mode, -I, would ignore it.
#
# All integers are little-endian. A frame is a u32 with the length of the rest, then:
#   request  u32 id, u8 level (255: the interpreter's own), u8 flags (1: send the code; 2: reply with the text that
#            py_compile prints; 4: with 2, the file name leads to this source, so that its lines are shown), u32 n,
#            n bytes of file name, with 2: u32 n, n bytes of warning options as in PYTHONWARNINGS, source
#   reply    u32 id, u8 status (0 compiled, 1 failed), u32 microseconds, u32 count, count diagnostics, code or text
#   diagnostic  u8 kind (0 error, 1 SyntaxWarning, 2 DeprecationWarning, 3 another warning), i32 line, column,
#               end line, end column (0: unknown), u32 n, n bytes of class name, u32 n, n bytes of message (for a
#               warning with flag 4: followed by its line of the source)
#   hello    the first frame: id 0xFFFFFFFF, then lines of `key value`
# Requests are answered in order, but an answer may be sent together with the next ones.
import sys

LOADED = set(sys.modules) - {'__main__'}
sys.path[:] = [entry for entry in sys.path if entry]  # '' is the current directory
sys.dont_write_bytecode = True

import gc
import marshal
import os
import struct
import time
import warnings

FIRST = ('abc', 'codecs', 'genericpath', 'io', 'os', 'posixpath', 'site', 'stat')  # loaded by `site`, which is off here
PYTHON_2 = sys.version_info[0] == 2
PROCESSOR_TIME = getattr(time, 'process_time', None) or time.clock  # Python 2 only has the latter
CLOCK = getattr(time, 'perf_counter', time.time)
# Replies wait for others until there are this many bytes, this many seconds have passed, or there is nothing to do.
WAITING_BYTES = 1 << 16
WAITING_SECONDS = 0.005
# A warning's column is only known if the warning is an error, so a file is compiled again for each warning. These
# limits bound the time for that. Beyond them, warnings only have a line.
MAXIMUM_PLACED = 64  # warnings of one file
MAXIMUM_PLACED_BYTES = 1 << 19  # their number times the size of the file, if there is more than one warning
MAXIMUM_PLACED_SECONDS = 1.0  # processor time of the first compilation


def header_length():
    # Ask the interpreter's own import system; Python 2 has no such function.
    try:
        import importlib._bootstrap_external as external
    except ImportError:
        return 8
    code = compile(b'', 'x', 'exec')
    if hasattr(external, '_code_to_timestamp_pyc'):
        return len(external._code_to_timestamp_pyc(code, 0, 0)) - len(marshal.dumps(code))
    return len(external._code_to_bytecode(code, 0, 0)) - len(marshal.dumps(code))


def magic_number():
    try:
        import importlib.util
        return bytearray(importlib.util.MAGIC_NUMBER)
    except ImportError:
        import imp
        return bytearray(imp.get_magic())


def source_hash_sample():
    try:
        import importlib.util
        return bytearray(importlib.util.source_hash(b'freshpyc'))
    except (ImportError, AttributeError):
        return bytearray()


def hexadecimal(data):
    return ''.join('%02x' % byte for byte in bytearray(data))


def code_layout():
    # Which fields marshalled code objects have; named after the newest field.
    code = compile(b'', 'x', 'exec')
    if PYTHON_2:
        return 'python2'
    if hasattr(code, 'co_exceptiontable'):
        return 'locals-plus'
    return 'positional-only' if hasattr(code, 'co_posonlyargcount') else 'keyword-only'


def opcodes():
    import opcode
    numbers = opcode.opmap
    units = sys.version_info >= (3, 6)
    found = [numbers[name] for name in ('STORE_NAME', 'STORE_GLOBAL', 'DELETE_NAME', 'EXTENDED_ARG')]
    found += [numbers.get('EXEC_STMT', 0), 0 if units else opcode.HAVE_ARGUMENT]
    found += [numbers[name] for name in ('IMPORT_NAME', 'IMPORT_FROM', 'LOAD_NAME', 'LOAD_GLOBAL')]
    return '.'.join(map(str, found))


def standard_library():
    names = set(getattr(sys, 'stdlib_module_names', ()))
    if not names:  # before 3.10
        folder = os.path.dirname(os.__file__)
        for place in (folder, os.path.join(folder, 'lib-dynload')):
            if os.path.isdir(place):
                # An extension module has the platform after its name: zlib.cpython-38-x86_64-linux-gnu.so
                stems = [entry.split('.')[0] for entry in os.listdir(place)]
                names.update(stem for stem in stems if '-' not in stem)
        names.update(sys.builtin_module_names)
    # No file can shadow built-in modules and those that a normal start loads before the program.
    fixed = set(sys.builtin_module_names) | set(FIRST) | set(name for name in LOADED if '.' not in name)
    return ['!' * (name in fixed) + name for name in sorted(names | fixed) if name.replace('_', 'a').isalnum()]


def hello():
    implementation = getattr(sys, 'implementation', None)
    if implementation is None:  # Python 2
        name, tag = 'pypy' if hasattr(sys, 'pypy_version_info') else 'cpython', ''
    else:
        name, tag = implementation.name, implementation.cache_tag or ''
    executable = sys.executable or ''
    if not isinstance(executable, bytes):
        executable = os.fsencode(executable)
    facts = [
        ('version', '%d.%d.%d%s' % (sys.version_info[:3] + (
            '' if sys.version_info[3] == 'final' else sys.version_info[3][0] + str(sys.version_info[4]),))),
        ('implementation', name),
        ('tag', tag),
        ('magic', hexadecimal(magic_number())),
        ('header', str(header_length())),
        ('hash', hexadecimal(source_hash_sample())),
        ('build', hexadecimal(sys.version.encode('utf-8', 'backslashreplace'))),
        ('executable', hexadecimal(executable)),
    ]
    if 'tell' in sys.argv:  # only a probe needs this, and it takes a millisecond
        facts += [('code', code_layout()), ('opcodes', opcodes()), ('stdlib', ','.join(standard_library()))]
    return struct.pack('<I', 0xFFFFFFFF) + ''.join('%s %s\n' % fact for fact in facts).encode('ascii')


def to_bytes(text):
    if isinstance(text, bytes):
        return text
    try:
        return text.encode('utf-8', 'backslashreplace')
    except UnicodeError:
        return repr(text).encode('ascii', 'backslashreplace')


def number(value):
    return value if isinstance(value, int) and 0 < value < 0x7FFFFFFF else 0


def diagnostic(kind, line, column, end_line, end_column, name, message):
    name, message = to_bytes(name), to_bytes(message)
    return (struct.pack('<BiiiiI', kind, number(line), number(column), number(end_line), number(end_column), len(name))
            + name + struct.pack('<I', len(message)) + message)


def of_error(error):
    name = type(error).__name__
    if not isinstance(error, SyntaxError):
        return diagnostic(0, 0, 0, 0, 0, name, str(error) or name)
    # If the file cannot be decoded, the error has line 0 or none.
    return diagnostic(0, error.lineno, error.offset, getattr(error, 'end_lineno', 0),
                      getattr(error, 'end_offset', 0), name, error.msg or name)


def text_of(error, name):
    # The text of py_compile.PyCompileError.
    if type(error) is SyntaxError:
        import traceback
        lines = traceback.format_exception_only(type(error), error)
        return to_bytes(''.join(lines).replace('File "<string>"', 'File "%s"' % name))
    return to_bytes('Sorry: %s: %s' % (type(error).__name__, error))


def raw_line(source, number):
    """A line as the compiler reads it for an error that it finds after parsing; `None` if it cannot.

    The compiler reads it as UTF-8, whatever encoding the source declares.
    """
    lines = source.replace(b'\r\n', b'\n').replace(b'\r', b'\n').split(b'\n')
    if not 0 < number <= len(lines):
        return None
    line = lines[number - 1]
    if number == 1 and line.startswith(b'\xef\xbb\xbf'):
        line = line[3:]
    try:
        return (line if PYTHON_2 else line.decode('utf-8')) + '\n'
    except UnicodeError:
        return None


def shown_lines(source):
    """The lines of a source as linecache gives them; none if they cannot be decoded."""
    if PYTHON_2:
        return source.splitlines(True)
    import io
    import tokenize
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        return io.TextIOWrapper(io.BytesIO(source), encoding).readlines()
    except (SyntaxError, UnicodeError):
        return []


def kind_of(category):
    if issubclass(category, SyntaxWarning):
        return 1
    return 2 if issubclass(category, (DeprecationWarning, PendingDeprecationWarning)) else 3


class Nth(object):
    """Matches a message the n-th time it is asked; the warnings module accepts any object with `match`."""

    def __init__(self, message, which):
        self.message, self.which, self.seen = message, which, 0

    def match(self, text):
        if text != self.message:
            return None
        self.seen += 1
        return self.seen == self.which or None


def import_for(source):
    """Imports what the compiler would import while it compiles this source: character names, and codecs."""
    try:
        source.decode('ascii')
        # A codec may make any character of plain bytes: UTF-7 does.
        is_plain = b'\\N{' not in source and b'coding' not in source[:200]
    except UnicodeError:
        is_plain = False
    if not is_plain:
        import unicodedata  # also for non-ASCII identifiers, which are normalized
    for part in source[:source.find(b'\n', source.find(b'\n') + 1)].split(b'coding')[1:]:
        if part[:1] in (b':', b'='):
            name = (part[1:].split() or [b''])[0].split(b'-*-')[0]
            try:
                ''.encode(name.decode('ascii'))  # loads it
            except (LookupError, ValueError, TypeError):
                pass


class NoFiles(object):
    """The compiler opens a source by its name to show a line. By then, that may be a FIFO, which would never answer."""

    def __init__(self):
        self.limit = None
        if PYTHON_2:
            return  # its compiler imports codecs at unpredictable times
        try:
            import resource
            self.limit, self.kind = resource.setrlimit, resource.RLIMIT_NOFILE
            self.usual = resource.getrlimit(self.kind)
        except (ImportError, ValueError):
            self.limit = None

    def __enter__(self):
        if self.limit:
            self.limit(self.kind, (0, self.usual[1]))  # no new descriptors; those already open still work

    def __exit__(self, *_):
        if self.limit:
            self.limit(self.kind, self.usual)


class Compiler(object):
    def __init__(self):
        self.caught = []
        self.no_files = NoFiles()
        self.chosen = {None: list(warnings.filters)}  # filters by options; None: the interpreter's own
        warnings.simplefilter('always')
        self.filters = list(warnings.filters)
        if hasattr(warnings, '_showwarnmsg'):
            warnings._showwarnmsg = self.keep
        warnings.showwarning = self.keep_parts

    def keep(self, message):
        self.keep_parts(message.message, message.category, message.filename, message.lineno)

    def keep_parts(self, message, category, filename, lineno, file=None, line=None):
        # While it folds constants (`~True`), the compiler warns as the code that calls it: the place is in this file.
        self.caught.append((category, str(message), 0 if filename == 'freshpyc-worker' else lineno))

    def compile(self, source, name, level):
        if PYTHON_2:
            # Python 2's py_compile reads with universal newlines.
            source = source.replace(b'\r\n', b'\n').replace(b'\r', b'\n')
        import_for(source)
        with self.no_files:
            if PYTHON_2:
                return compile(source, name, 'exec', 0, True)
            return compile(source, name, 'exec', 0, True, -1 if level == 255 else level)

    def use(self, filters):
        """Sets the list, and tells the C half of the module that it has changed."""
        warnings.filters[:] = filters
        getattr(warnings, '_filters_mutated', getattr(warnings, '_filters_mutated_lock_held', lambda: None))()

    def filters_of(self, options):
        """The filters of PYTHONWARNINGS, then the interpreter's own."""
        if options not in self.chosen:
            self.use(self.chosen[None])
            text = options if PYTHON_2 else options.decode('utf-8', 'surrogateescape')
            # Invalid options are ignored; the message goes to standard error, which is discarded.
            getattr(warnings, '_processoptions', lambda texts: None)([part for part in text.split(',') if part])
            self.chosen[options] = list(warnings.filters)
            self.use(self.filters)
        return self.chosen[options]

    def place(self, source, name, level, category, text, line, which):
        """The place of a warning. As an error, it has a column."""
        self.use([('error', Nth(text, which), category, None, 0)] + self.filters)
        kept = self.caught
        try:
            self.compile(source, name, level)
        except SyntaxError as error:
            if error.lineno == line:
                return error.lineno, error.offset, getattr(error, 'end_lineno', 0), getattr(error, 'end_offset', 0)
        except Exception:
            pass
        finally:
            self.caught = kept
            self.use(self.filters)
        return line, 0, 0, 0

    def found(self, source, name, level, seconds):
        """The warnings that the last compilation caught, in order, each with its place.

        `seconds` is the processor time of that compilation.
        """
        caught, self.caught = self.caught, []
        placed = min(MAXIMUM_PLACED, max(1, MAXIMUM_PLACED_BYTES // max(1, len(source))))
        if seconds > MAXIMUM_PLACED_SECONDS:
            placed = 0
        counts, packed = {}, []
        for category, text, line in caught:
            which = counts[text, category] = counts.get((text, category), 0) + 1
            place = (line, 0, 0, 0)
            if len(packed) < placed:
                place = self.place(source, name, level, category, text, line, which)
                self.caught = []
            packed.append(diagnostic(kind_of(category), *(place + (category.__name__, text))))
        return packed

    def printed(self, source, has_lines):
        """The warnings that the last compilation caught, as `warnings.showwarning` prints them."""
        caught, self.caught = self.caught, []
        lines = shown_lines(source) if has_lines and caught else []
        packed = []
        for category, text, line in caught:
            if 0 < line <= len(lines):
                text += '\n  ' + lines[line - 1].strip()
            packed.append(diagnostic(kind_of(category), line, 0, 0, 0, category.__name__, text))
        return packed

    def run(self, source, name, level, wants_code):
        """(status, diagnostics, code)"""
        self.caught = []
        begun = PROCESSOR_TIME()
        try:
            code = self.compile(source, name, level)
        except Exception as error:
            # This includes MemoryError and RecursionError; the interpreter keeps running.
            failure = of_error(error)
            del error
            return 1, self.found(source, name, level, PROCESSOR_TIME() - begun) + [failure], b''
        found = self.found(source, name, level, PROCESSOR_TIME() - begun) if self.caught else []
        return 0, found, marshal.dumps(code) if wants_code else b''

    def run_printing(self, source, name, level, options, has_lines):
        """The same with the words of py_compile: (status, diagnostics, code or text)"""
        self.caught = []
        self.use(self.filters_of(options))
        try:
            code = self.compile(source, name, level)
        except Exception as error:
            if isinstance(error, SyntaxError) and error.text is None and error.lineno and has_lines:
                # Found after parsing: the compiler would have read the line from the file (see NoFiles).
                error.text = raw_line(source, error.lineno)
                if PYTHON_2:  # its traceback module uses this
                    error.args = (error.msg, (error.filename, error.lineno, error.offset, error.text))
            text = text_of(error, name)
            del error
            return 1, self.printed(source, has_lines), text
        finally:
            self.use(self.filters)
        return 0, self.printed(source, has_lines), marshal.dumps(code)


class Replies(object):
    """Sends frames, several at once: a write for each small file would cost both sides more than the rest of its way."""

    def __init__(self, output):
        self.output, self.waiting, self.size, self.since = output, [], 0, CLOCK()

    def add(self, payload):
        self.waiting += (struct.pack('<I', len(payload)), payload)
        self.size += len(payload)
        if self.size >= WAITING_BYTES or CLOCK() - self.since >= WAITING_SECONDS:
            self.send()

    def send(self):
        data = memoryview(b''.join(self.waiting))
        self.waiting, self.size = [], 0
        while data:
            data = data[os.write(self.output, data):]
        self.since = CLOCK()


def receive(data, count):
    """The data, followed by at least `count` bytes from standard input."""
    parts = [data]
    while count > 0:
        parts.append(os.read(0, max(1 << 16, min(count, 1 << 20))))
        if not parts[-1]:
            os._exit(0)  # freshpyc is gone
        count -= len(parts[-1])
    return b''.join(parts)


def main():
    output = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)  # only frames may reach the other end
    os.close(null)
    replies = Replies(output)
    replies.add(hello())
    compiler = Compiler()
    gc.collect()
    # Compiling creates no cyclic garbage, but the traceback of an error may. That is collected below.
    gc.disable()
    failures = 0
    data, start = b'', 0
    while True:
        length = struct.unpack_from('<I', data, start)[0] if len(data) - start >= 4 else 0
        missing = start + 4 + length - len(data)
        if missing > 0 or not length:
            replies.send()  # before waiting
            data, start = receive(data[start:], max(1, missing)), 0
            continue
        request, level, flags, name_length = struct.unpack_from('<IBBI', data, start + 4)
        end = start + 4 + length
        start += 14 + name_length
        name = data[start - name_length:start]
        if flags & 2:
            (options_length,) = struct.unpack_from('<I', data, start)
            start += 4 + options_length
            options = data[start - options_length:start]
        source = data[start:end]
        start = end
        if not PYTHON_2:
            name = name.decode('utf-8', 'surrogateescape')
        begun = CLOCK()
        if flags & 2:
            status, found, code = compiler.run_printing(source, name, level, options, flags & 4)
        else:
            status, found, code = compiler.run(source, name, level, flags & 1)
        spent = min(int((CLOCK() - begun) * 1000000), 0xFFFFFFFF)
        replies.add(struct.pack('<IBII', request, status, max(spent, 0), len(found)) + b''.join(found) + code)
        del code, source, found
        if status:
            failures += 1
            if failures % 64 == 0:
                gc.collect()


main()
