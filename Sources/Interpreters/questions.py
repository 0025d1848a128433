# Answers questions about an interpreter. Runs without `site`, so that no .pth file is executed.
#
#   paths [PREFIX]     three groups of paths: the standard library; where packages are installed (in PREFIX, a virtual
#                      environment); sys.path without the user's additions. Groups are separated by two NULs, the paths
#                      in a group by one
#   search             two NULs, then the user's sys.path, separated by NULs (runs with `site` and the user's
#                      environment; output of .pth files comes first)
#   match PATTERN      reads names separated by NULs; writes 1 for each that the pattern matches, otherwise 0; or ! and
#                      an error message if the pattern is invalid
#   runtime            what the interpreter runs from, separated by NULs: its program, the standard library, and the
#                      directories of the library's extension modules
#   deflate            reads frames: the number of bytes (32 bits, big-endian), then the bytes; writes a frame for each, compressed
#                      with raw Deflate, or nothing if the interpreter has no zlib
import os
import sys

sys.path[:] = [entry for entry in sys.path if entry]
PYTHON_2 = sys.version_info[0] == 2


def to_bytes(text):
    return text if isinstance(text, bytes) else os.fsencode(text)


def packages(prefixes):
    import sysconfig
    if PYTHON_2:  # in Python 2, importing site runs all of it
        found = [sysconfig.get_path(name, vars={'base': prefix, 'platbase': prefix})
                 for prefix in prefixes for name in ('purelib', 'platlib')]
    else:
        import site
        found = site.getsitepackages(prefixes)
    unique = []
    for path in found:
        if path not in unique:
            unique.append(path)
    return unique


def paths(prefix):
    import sysconfig
    if prefix:
        library = [sysconfig.get_path('stdlib')]
        sys.prefix = sys.exec_prefix = prefix
        installed = packages([prefix])
    else:
        library = [sysconfig.get_path('stdlib')]
        installed = packages([sys.prefix, sys.exec_prefix])
    groups = [library, installed, sys.path + [path for path in installed if os.path.isdir(path)]]
    return b'\0\0'.join(b'\0'.join(to_bytes(path) for path in group) for group in groups)


def match(pattern, names):
    import re
    if not PYTHON_2:
        names = [os.fsdecode(name) for name in names]
    try:
        search = re.compile(pattern).search
    except re.error as error:
        return b'!' + to_bytes(str(error))
    return b''.join(b'1' if search(name) else b'0' for name in names)


def deflate(data):
    import struct
    try:
        import zlib
    except ImportError:
        return b''
    frames = []
    position = 0
    while position < len(data):
        size, = struct.unpack_from('>I', data, position)
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = compressor.compress(data[position + 4:position + 4 + size]) + compressor.flush()
        frames.append(struct.pack('>I', len(body)) + body)
        position += 4 + size
    return b''.join(frames)


def main():
    output = getattr(sys.stdout, 'buffer', sys.stdout)
    if sys.argv[1] == 'search':
        output.write(b'\0\0' + b'\0'.join(to_bytes(path) for path in sys.path))
    elif sys.argv[1] == 'paths':
        output.write(paths(sys.argv[2] if len(sys.argv) > 2 else None))
    elif sys.argv[1] == 'runtime':
        import sysconfig
        extensions = [path for path in sys.path if path.endswith('/lib-dynload')]
        parts = [os.readlink('/proc/self/exe'), sysconfig.get_path('stdlib')] + extensions
        output.write(b'\0'.join(to_bytes(part) for part in parts))
    elif sys.argv[1] == 'deflate':
        output.write(deflate(getattr(sys.stdin, 'buffer', sys.stdin).read()))
    else:
        names = getattr(sys.stdin, 'buffer', sys.stdin).read()
        output.write(match(sys.argv[2], names.split(b'\0') if names else []))
    output.flush()


main()
