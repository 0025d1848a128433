# Lays out extension modules, which must be files, in the user's cache. A part of importer.py.

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
