// Starts the bundle that is in the same file: finds a Python and executes it with this file as its program.
//
// Without a C library, so that it runs anywhere and starts in the time of one exec. Knows nothing about bundles: `freshpyc bundle`
// writes into `configuration` which Pythons fit, and appends the archive.

#include "runtime.h"
#include "system.h"

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call begin\n");
#else
__asm__(".globl _start\n_start:\n  mov x0, sp\n  bl begin\n");
#endif

enum { configuration_size = 4096 };

// Lines, each with a key: `runtime` the interpreter in this file; `path` an interpreter, absolute; `name` a command to look for in
// PATH; `need` words for the error message.
// The mark at the beginning is where `freshpyc bundle` finds this. Not const: the compiler must not look into it.
__attribute__((used)) volatile char configuration[configuration_size] = "@freshpyc-launcher-configuration@\n";

static char self[path_size];
static char candidate[path_size];

// Whether the file ends as an archive does. Without its end, Python would take it for a script.
static int is_whole(void) {
    char end[22] = {0};
    long file = open_file(self);
    if (file < 0) return 1;  // Python will say why.
    call(SYS_lseek, file, -22, 2);
    call(SYS_read, file, (long)end, 22);
    call(SYS_close, file, 0, 0);
    return end[0] == 'P' && end[1] == 'K' && end[2] == 5 && end[3] == 6;
}

// Returns only if the interpreter cannot be executed.
static void try(const char *interpreter, char **arguments, char **environment) {
    arguments[0] = (char *)interpreter;
    call(SYS_execve, (long)interpreter, (long)arguments, (long)environment);
}

// Tries the directories of PATH: those of shims, or all others. A shim of pyenv exists even if there is no such Python.
static void search(const char *name, const char *path, int in_shims, char **arguments, char **environment) {
    while (path && *path) {
        long count = 0;
        while (path[count] && path[count] != ':') count++;
        int is_shim = count > 6 && begins(path + count - 6, "/shims");
        // An empty entry means the current directory; a program should not run what happens to lie there.
        if (count > 0 && is_shim == in_shims && count + length(name) + 2 < path_size) {
            char *end = candidate;
            for (long index = 0; index < count; index++) *end++ = path[index];
            *end++ = '/';
            for (long index = 0; name[index]; index++) *end++ = name[index];
            *end = 0;
            try(candidate, arguments, environment);
        }
        path += count;
        if (*path == ':') path++;
    }
}

__attribute__((used, noreturn)) void begin(long *stack) {
    long count = stack[0];
    char **given = (char **)(stack + 1);
    char **environment = given + count + 1;
    // The interpreter, this file, the arguments and the end.
    char *arguments[count + 3];
    long size = call6(SYS_readlinkat, here, (long)"/proc/self/exe", (long)self, path_size - 1, 0, 0);
    if (size > 0) {
        self[size] = 0;
    } else {
        // Without /proc, the path with which this was executed (AT_EXECFN), after the environment.
        char **end = environment;
        while (*end) end++;
        for (long *entry = (long *)(end + 1); entry[0]; entry += 2) {
            if (entry[0] == 31) append(self, self + path_size, (const char *)entry[1]);
        }
    }
    if (!is_whole()) {
        say(self);
        say(": this bundle is incomplete; copy it again\n");
        call(SYS_exit, 127, 0, 0);
    }
    arguments[1] = self;
    for (long index = 1; index < count; index++) arguments[index + 1] = given[index];
    arguments[count > 0 ? count + 1 : 2] = 0;

    static char lines[configuration_size];
    for (long index = 0; index < configuration_size - 1; index++) lines[index] = configuration[index];
    const char *path = variable(environment, "PATH=");
    const char *chosen = variable(environment, "FRESHPYC_PYTHON=");
    const char *need = "Python 3";
    if (chosen && *chosen) {
        int is_path = 0;
        for (long index = 0; chosen[index]; index++) is_path |= chosen[index] == '/';
        if (is_path) try(chosen, arguments, environment);
        // `3.12`, as freshpyc itself understands it.
        static char series[64];
        if (*chosen >= '0' && *chosen <= '9') {
            append(append(series, series + sizeof series, "python"), series + sizeof series, chosen);
            chosen = series;
        }
        search(chosen, path, 0, arguments, environment);
        search(chosen, path, 1, arguments, environment);
        say(self);
        say(": cannot run ");
        say(chosen);
        say(" (FRESHPYC_PYTHON); set it to a Python that exists\n");
        call(SYS_exit, 127, 0, 0);
    }
    for (long index = 0; lines[index]; index++) {
        if (lines[index] == '\n') lines[index] = 0;
    }
    for (int in_shims = 0; in_shims < 2; in_shims++) {
        for (const char *line = lines; *line; line += length(line) + 1) {
            if (begins(line, "runtime ")) start_runtime(line + 8, self, count, given, environment);
            else if (begins(line, "path ")) try(line + 5, arguments, environment);
            else if (begins(line, "name ")) search(line + 5, path, in_shims, arguments, environment);
            else if (begins(line, "need ")) need = line + 5;
        }
    }
    say(self);
    say(": no Python was found; install ");
    say(need);
    say(" or set FRESHPYC_PYTHON to its path\n");
    call(SYS_exit, 127, 0, 0);
    for (;;) {}
}

// A compiler may call these for loops like the ones above.
void *memcpy(void *target, const void *source, unsigned long count) {
    for (unsigned long index = 0; index < count; index++) ((char *)target)[index] = ((const char *)source)[index];
    return target;
}

void *memset(void *target, int value, unsigned long count) {
    for (unsigned long index = 0; index < count; index++) ((char *)target)[index] = (char)value;
    return target;
}
