// Starts the bundle that is in the same file: finds a Python and executes it with this file as its program.
//
// Without a C library, so that it runs anywhere and starts in the time of one exec. Knows nothing about bundles: `freshpyc bundle`
// writes into `configuration` which Pythons fit, and appends the archive.

#if defined(__x86_64__)
enum { SYS_read = 0, SYS_write = 1, SYS_open = 2, SYS_close = 3, SYS_lseek = 8, SYS_execve = 59, SYS_readlink = 89, SYS_exit = 60 };

static long call(long number, long one, long two, long three) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(one), "S"(two), "d"(three) : "rcx", "r11", "memory");
    return result;
}

__asm__(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call begin\n");

static long read_link(const char *path, char *buffer, long size) {
    return call(SYS_readlink, (long)path, (long)buffer, size);
}

static long open_file(const char *path) { return call(SYS_open, (long)path, 02000000 /* O_CLOEXEC */, 0); }
#elif defined(__aarch64__)
enum { SYS_openat = 56, SYS_close = 57, SYS_lseek = 62, SYS_read = 63, SYS_write = 64, SYS_execve = 221, SYS_readlinkat = 78, SYS_exit = 93 };

static long call4(long number, long one, long two, long three, long four) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = one;
    register long x1 __asm__("x1") = two;
    register long x2 __asm__("x2") = three;
    register long x3 __asm__("x3") = four;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}

static long call(long number, long one, long two, long three) { return call4(number, one, two, three, 0); }

__asm__(".globl _start\n_start:\n  mov x0, sp\n  bl begin\n");

static long read_link(const char *path, char *buffer, long size) {
    return call4(SYS_readlinkat, -100, (long)path, (long)buffer, size);
}

static long open_file(const char *path) { return call4(SYS_openat, -100, (long)path, 02000000 /* O_CLOEXEC */, 0); }
#else
#error "the launcher is written for x86_64 and aarch64"
#endif

enum { configuration_size = 4096, path_size = 4096 };

// Lines, each with a key: `path` an interpreter, absolute; `name` a command to look for in PATH; `need` words for the error message.
// The mark at the beginning is where `freshpyc bundle` finds this. Not const: the compiler must not look into it.
__attribute__((used)) volatile char configuration[configuration_size] = "@freshpyc-launcher-configuration@\n";

static char self[path_size];
static char candidate[path_size];

static long length(const char *text) {
    long count = 0;
    while (text[count]) count++;
    return count;
}

static int begins(const char *text, const char *prefix) {
    while (*prefix) {
        if (*text++ != *prefix++) return 0;
    }
    return 1;
}

static void say(const char *text) { call(SYS_write, 2, (long)text, length(text)); }

static const char *variable(char **environment, const char *name) {
    for (; *environment; environment++) {
        if (begins(*environment, name)) return *environment + length(name);
    }
    return 0;
}

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
    long size = read_link("/proc/self/exe", self, path_size - 1);
    if (size > 0) {
        self[size] = 0;
    } else if (count > 0) {
        for (long index = 0; given[0][index] && index < path_size - 1; index++) self[index] = given[0][index];
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
            if (begins(line, "path ")) try(line + 5, arguments, environment);
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
