# Starts a bundle: loads its importer, and runs the program. @PLACES@ is a table: magic number to the places of the importer and of
# the index. Also runs in processes that multiprocessing starts.
import sys


def _start(main):
    try:
        from _frozen_importlib_external import MAGIC_NUMBER as magic
        from marshal import loads
        from posix import open as open_file, close, pread, O_RDONLY, O_CLOEXEC
    except ImportError:
        sys.exit('this bundle needs Python 3.6 or newer')
    archive = __loader__.archive
    if archive[:1] != '/' or '/.' in archive or '//' in archive:
        import os
        archive = os.path.abspath(archive)
    places = @PLACES@
    place = places.get(magic) or places.get(b'')
    if place is None:
        sys.exit('%s: this bundle has no code for Python %d.%d; it has code for @NAMES@' % ((archive,) + sys.version_info[:2]))
    descriptor = open_file(archive, O_RDONLY | O_CLOEXEC)
    importer = pread(descriptor, place[1], place[0])
    index = loads(pread(descriptor, place[3], place[2]))
    close(descriptor)
    space = {'__name__': '_freshpyc_importer'}
    exec(loads(importer) if magic in places else compile(importer, '<importer of the bundle>', 'exec'), space)
    space['start'](archive, index, main)


_start(globals() if __name__ in ('__main__', '__mp_main__') else None)
