// Lays the interpreter of a bundle out in the user's cache, and executes it.
//
// The table has a line for each file: its place and stored size, whether it is compressed, its size and CRC-32, whether it is a
// program, and its path. As importer_cache.py does for extension modules: the directory has a name made of a hash of all contents, belongs to the user alone,
// appears by a rename when it is whole, and is checked at each start.

#include "runtime.h"
#include "inflate.h"
#include "system.h"

enum { created = 0102301 | close_on_exec /* O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW */, directory_only = 0200000, remove_directory = 0x200 };
enum { no_space = -28, exists = -17, not_folder = -20, not_empty = -39, damaged = -74 /* EBADMSG */ };

typedef struct {
    long offset, stored_size, is_compressed, size, crc, is_program;
    char path[path_size];
} Entry;

static const unsigned char *contents;
static long contents_size;
static const char *table, *table_end;
static long user;

static long number(const char **text) {
    long value = 0;
    while (**text >= '0' && **text <= '9') value = value * 10 + *(*text)++ - '0';
    if (**text == ' ') (*text)++;
    return value;
}

// Reads the next line of the table. Returns 0 at the end.
static int next(const char **place, Entry *entry) {
    if (*place >= table_end) return 0;
    entry->offset = number(place);
    entry->stored_size = number(place);
    entry->is_compressed = number(place);
    entry->size = number(place);
    entry->crc = number(place);
    entry->is_program = number(place);
    long count = 0;
    while (*place < table_end && **place != '\n' && count < path_size - 1) entry->path[count++] = *(*place)++;
    entry->path[count] = 0;
    if (*place < table_end) (*place)++;
    return entry->offset + entry->stored_size <= contents_size;
}

// Whether a name is a file (or a directory) that only this user can write. A program must be executable.
static int is_own(long folder, const char *path, int is_folder, long size, int is_program) {
    unsigned char status[256];
    if (call6(SYS_newfstatat, folder, (long)path, (long)status, no_follow, 0, 0) < 0) return 0;
    unsigned mode = *(unsigned *)(status + stat_mode);
    if (*(unsigned *)(status + stat_user) != user || mode & 022 || (is_program && !(mode & 0100))) return 0;
    if ((mode & 0170000) != (is_folder ? 0040000 : 0100000)) return 0;
    return is_folder || *(long *)(status + stat_size) == size;
}

static long open_folder(long parent, const char *path) {
    return call(SYS_openat, parent, (long)path, directory_only | close_on_exec);
}

// Whether the directory has all files.
static int is_whole(long parent, const char *name) {
    static Entry entry;
    if (!is_own(parent, name, 1, 0, 1)) return 0;
    long folder = open_folder(parent, name);
    if (folder < 0) return 0;
    int is_good = 1;
    for (const char *place = table; is_good && next(&place, &entry);) {
        is_good = is_own(folder, entry.path, 0, entry.size, (int)entry.is_program);
    }
    call(SYS_close, folder, 0, 0);
    return is_good;
}

// Creates the directories of a path.
static void make_folders(long parent, char *path) {
    for (char *end = path + 1; *end; end++) {
        if (*end != '/') continue;
        *end = 0;
        call(SYS_mkdirat, parent, (long)path, 0700);
        *end = '/';
    }
}

static void remove_all(long parent, const char *name) {
    static Entry entry;
    // What is no directory.
    call(SYS_unlinkat, parent, (long)name, 0);
    long folder = open_folder(parent, name);
    if (folder < 0) return;
    for (const char *place = table; next(&place, &entry);) call(SYS_unlinkat, folder, (long)entry.path, 0);
    // Directories become empty from the innermost outwards.
    for (int depth = 8; depth > 0; depth--) {
        for (const char *place = table; next(&place, &entry);) {
            int count = 0;
            for (char *end = entry.path; *end; end++) {
                if (*end != '/' || ++count != depth) continue;
                *end = 0;
                call(SYS_unlinkat, folder, (long)entry.path, remove_directory);
                break;
            }
        }
    }
    call(SYS_close, folder, 0, 0);
    call(SYS_unlinkat, parent, (long)name, remove_directory);
}

// Returns 0, or a negative error number.
static long write_all(long file, const unsigned char *bytes, long size) {
    while (size > 0) {
        long count = call(SYS_write, file, (long)bytes, size);
        if (count < 0) return count;
        bytes += count;
        size -= count;
    }
    return 0;
}

// CRC-32 as in ZIP archives (ISO 3309), eight bytes at a time.
static unsigned crc32(const unsigned char *bytes, long size) {
    static unsigned tables[8][256];
    if (!tables[0][1]) {
        for (unsigned value = 0; value < 256; value++) {
            unsigned rest = value;
            for (int bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xEDB88320 ^ rest >> 1 : rest >> 1;
            tables[0][value] = rest;
        }
        for (unsigned value = 0; value < 256; value++) {
            for (int index = 1; index < 8; index++) {
                unsigned before = tables[index - 1][value];
                tables[index][value] = before >> 8 ^ tables[0][before & 255];
            }
        }
    }
    unsigned crc = ~0u;
    for (; size >= 8; size -= 8, bytes += 8) {
        unsigned low = crc ^ (bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (unsigned)bytes[3] << 24);
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^
              tables[3][bytes[4]] ^ tables[2][bytes[5]] ^ tables[1][bytes[6]] ^ tables[0][bytes[7]];
    }
    while (size-- > 0) crc = crc >> 8 ^ tables[0][(crc ^ *bytes++) & 255];
    return ~crc;
}

static long write_whole(long file, const unsigned char *bytes, const Entry *entry) {
    return crc32(bytes, entry->size) == (unsigned)entry->crc ? write_all(file, bytes, entry->size) : damaged;
}

static long write_entry(long folder, Entry *entry) {
    make_folders(folder, entry->path);
    long file = call6(SYS_openat, folder, (long)entry->path, created, entry->is_program ? 0700 : 0600, 0, 0);
    if (file < 0) return file;
    const unsigned char *bytes = contents + entry->offset;
    long result = 0;
    if (entry->is_compressed && entry->size > 0) {
        long memory = call6(SYS_mmap, 0, entry->size, 3, 0x22 /* private, anonymous */, -1, 0);
        if (memory < 0 && memory > -4096) {
            result = memory;
        } else {
            int is_good = inflate(bytes, entry->stored_size, (unsigned char *)memory, entry->size);
            result = is_good ? write_whole(file, (const unsigned char *)memory, entry) : damaged;
            call(SYS_munmap, memory, entry->size, 0);
        }
    } else {
        result = entry->size <= entry->stored_size ? write_whole(file, bytes, entry) : damaged;
    }
    call(SYS_close, file, 0, 0);
    return result;
}

// A name that no other process uses.
static void make_name(char *name, const char *prefix) {
    unsigned char random[8] = {0};
    call(SYS_getrandom, (long)random, sizeof random, 0);
    char *end = append(name, name + 64, prefix);
    for (int index = 0; index < 8; index++) {
        *end++ = "0123456789abcdef"[random[index] >> 4];
        *end++ = "0123456789abcdef"[random[index] & 15];
    }
    *end = 0;
}

// Waits until no other start lays out an interpreter here: sixty-four at once would write it sixty-four times, and one could move
// aside what another has just repaired. Returns a descriptor to be closed. Where files cannot be locked, or another start hangs, goes on
// after ten seconds.
static long lock(long parent) {
    long file = call6(SYS_openat, parent, (long)".lock", 0400102 | close_on_exec /* O_RDWR | O_CREAT | O_NOFOLLOW */, 0600, 0, 0);
    for (int attempt = 0; file >= 0 && attempt < 400; attempt++) {
        long result = call(SYS_flock, file, 2 | 4 /* exclusive, without waiting */, 0);
        if (result != -11 /* EWOULDBLOCK */ && result != -4 /* EINTR */) break;
        long pause[2] = {0, 25000000};
        call(SYS_nanosleep, (long)pause, 0, 0);
    }
    return file;
}

// Writes all files to a new directory, and renames it. Returns 0, or a negative error number.
static long lay_out(long parent, const char *name) {
    static Entry entry;
    char fresh[64], old[64];
    make_name(fresh, ".new-");
    long result = call(SYS_mkdirat, parent, (long)fresh, 0700);
    if (result < 0) return result;
    long folder = open_folder(parent, fresh);
    if (folder < 0) return folder;
    for (const char *place = table; result >= 0 && next(&place, &entry);) result = write_entry(folder, &entry);
    // After a power loss, files must have their contents if the directory has its name.
    for (const char *place = table; result >= 0 && next(&place, &entry);) {
        long file = call(SYS_openat, folder, (long)entry.path, close_on_exec);
        result = file < 0 ? file : call(SYS_fdatasync, file, 0, 0);
        call(SYS_close, file, 0, 0);
    }
    call(SYS_close, folder, 0, 0);
    if (result >= 0) {
        result = call6(SYS_renameat, parent, (long)fresh, parent, (long)name, 0, 0);
        // Another start was faster, or what is there is damaged.
        if ((result == exists || result == not_empty || result == not_folder) && !is_whole(parent, name)) {
            make_name(old, ".old-");
            call6(SYS_renameat, parent, (long)name, parent, (long)old, 0, 0);
            result = call6(SYS_renameat, parent, (long)fresh, parent, (long)name, 0, 0);
            remove_all(parent, old);
        }
        if (is_whole(parent, name)) result = 0;
    }
    remove_all(parent, fresh);
    return result;
}

// The directory in which bundles are laid out: in the user's cache, else in one for temporary files.
static int find_parent(int attempt, char *parent, char **environment) {
    char *limit = parent + path_size;
    if (attempt == 0) {
        const char *cache = variable(environment, "XDG_CACHE_HOME=");
        const char *home = variable(environment, "HOME=");
        if (cache && *cache == '/') {
            append(append(parent, limit, cache), limit, "/freshpyc/bundles/");
        } else if (home && *home == '/' && home[1]) {
            // After sudo, it may be that of another user, who must be able to write to it.
            unsigned char status[256];
            if (call6(SYS_newfstatat, here, (long)home, (long)status, 0, 0, 0) < 0) return 0;
            if (*(unsigned *)(status + stat_user) != user) return 0;
            append(append(parent, limit, home), limit, "/.cache/freshpyc/bundles/");
        } else {
            return 0;
        }
    } else {
        const char *temporary = variable(environment, "TMPDIR=");
        char digits[24];
        char *digit = digits + sizeof digits - 1;
        *digit = 0;
        long rest = user;
        do *--digit = (char)('0' + rest % 10);
        while (rest /= 10);
        char *end = append(parent, limit, temporary && *temporary == '/' ? temporary : "/tmp");
        append(append(append(end, limit, "/freshpyc-"), limit, digit), limit, "/");
    }
    make_folders(here, parent);
    parent[length(parent) - 1] = 0;
    return is_own(here, parent, 1, 0, 1);
}

// Executes the interpreter. Returns an error number.
static long execute(const char *program, const char **arguments, char **environment) {
    static char origin[path_size + 32];
    long count = 0;
    while (environment[count]) count++;
    const char *variables[count + 2];
    long kept = 0;
    for (long index = 0; index < count; index++) {
        // These name another program to Python, even if it is isolated (Modules/getpath.py).
        if (begins(environment[index], "PYTHONEXECUTABLE=") || begins(environment[index], "__PYVENV_LAUNCHER__=")) continue;
        variables[kept++] = environment[index];
    }
    variables[kept] = 0;
    // Without /proc, the dynamic linker learns from this where the program is; otherwise it ignores it (ld.so, _dl_get_origin).
    if (call6(SYS_readlinkat, here, (long)"/proc/self/exe", (long)origin, path_size, 0, 0) < 0) {
        char *end = append(append(origin, origin + sizeof origin, "LD_ORIGIN_PATH="), origin + sizeof origin, program);
        while (*end != '/') end--;
        *end = 0;
        variables[kept] = origin;
        variables[kept + 1] = 0;
    }
    return call(SYS_execve, (long)program, (long)arguments, (long)variables);
}

void start_runtime(const char *words, const char *self, long count, char **given, char **environment) {
    static char parent[path_size], program[path_size];
    char name[128];
    const char *place = words;
    long offset = number(&place), size = number(&place), found = 0;
    while (*place && *place != ' ' && found < (long)sizeof name - 1) name[found++] = *place++;
    name[found] = 0;
    user = call(SYS_geteuid, 0, 0, 0);
    long file = open_file(self);
    contents_size = call(SYS_lseek, file, 0, 2);
    contents = (const unsigned char *)call6(SYS_mmap, 0, contents_size, 1, 2 /* private */, file, 0);
    call(SYS_close, file, 0, 0);
    long result = 0;
    if (contents_size > 0 && (long)contents > 0 && offset + size <= contents_size) {
        table = (const char *)contents + offset;
        table_end = table + size;
        long mask = call(SYS_umask, 077, 0, 0);
        for (int attempt = 0; attempt < 2; attempt++) {
            if (!find_parent(attempt, parent, environment)) continue;
            long folder = open_folder(here, parent);
            if (folder < 0) continue;
            int is_new = !is_whole(folder, name);
            long problem = 0;
            if (is_new) {
                long file = lock(folder);
                if (!is_whole(folder, name)) problem = lay_out(folder, name);
                call(SYS_close, file, 0, 0);
            }
            call6(SYS_utimensat, folder, (long)name, 0, 0, 0, 0);
            call(SYS_close, folder, 0, 0);
            if (problem == damaged) {
                say(self);
                say(": this bundle is damaged; copy it again\n");
                call(SYS_exit, 127, 0, 0);
            }
            if (problem < 0) {
                result = problem;
                continue;
            }
            char *limit = program + path_size;
            append(append(append(append(program, limit, parent), limit, "/"), limit, name), limit, "/");
            append(program + length(program), limit, *place == ' ' ? place + 1 : place);
            // The interpreter, isolated; the mark for importer.py that old directories may be removed; this file, the arguments.
            const char *arguments[count + 6];
            long next = 0;
            arguments[next++] = program;
            arguments[next++] = "-I";
            if (is_new) {
                arguments[next++] = "-X";
                arguments[next++] = "freshpyc=new";
            }
            arguments[next++] = self;
            for (long index = 1; index < count; index++) arguments[next++] = given[index];
            arguments[next] = 0;
            call(SYS_umask, mask, 0, 0);
            result = execute(program, arguments, environment);
        }
    }
    say(self);
    say(": cannot unpack the Python in this file");
    say(result == no_space ? ": no space left" : "");
    say("; set XDG_CACHE_HOME or TMPDIR to a directory that can be written and that may have programs\n");
    call(SYS_exit, 127, 0, 0);
}
