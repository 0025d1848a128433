// The system calls of the launcher, which has no C library, and a few functions on text.
#ifndef FRESHPYC_LAUNCHER_SYSTEM_H
#define FRESHPYC_LAUNCHER_SYSTEM_H

#if defined(__x86_64__)
enum {
    SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_lseek = 8, SYS_mmap = 9, SYS_munmap = 11, SYS_nanosleep = 35, SYS_flock = 73,
    SYS_execve = 59, SYS_exit = 60, SYS_geteuid = 107, SYS_openat = 257, SYS_mkdirat = 258, SYS_newfstatat = 262,
    SYS_unlinkat = 263, SYS_renameat = 264, SYS_readlinkat = 267, SYS_fdatasync = 75, SYS_umask = 95, SYS_utimensat = 280, SYS_getrandom = 318
};

static inline long call6(long number, long one, long two, long three, long four, long five, long six) {
    long result;
    register long r10 __asm__("r10") = four;
    register long r8 __asm__("r8") = five;
    register long r9 __asm__("r9") = six;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(one), "S"(two), "d"(three), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

// Where struct stat has them (arch/x86/include/uapi/asm/stat.h).
enum { stat_mode = 24, stat_user = 28, stat_size = 48 };
#elif defined(__aarch64__)
enum {
    SYS_flock = 32, SYS_mkdirat = 34, SYS_unlinkat = 35, SYS_renameat = 38, SYS_openat = 56, SYS_close = 57, SYS_lseek = 62,
    SYS_read = 63, SYS_write = 64, SYS_readlinkat = 78, SYS_newfstatat = 79, SYS_fdatasync = 83, SYS_utimensat = 88, SYS_exit = 93,
    SYS_nanosleep = 101, SYS_umask = 166, SYS_geteuid = 175, SYS_munmap = 215, SYS_execve = 221, SYS_mmap = 222, SYS_getrandom = 278
};

static inline long call6(long number, long one, long two, long three, long four, long five, long six) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = one;
    register long x1 __asm__("x1") = two;
    register long x2 __asm__("x2") = three;
    register long x3 __asm__("x3") = four;
    register long x4 __asm__("x4") = five;
    register long x5 __asm__("x5") = six;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

// include/uapi/asm-generic/stat.h
enum { stat_mode = 16, stat_user = 24, stat_size = 48 };
#else
#error "the launcher is written for x86_64 and aarch64"
#endif

enum {
    path_size = 4096, here = -100 /* AT_FDCWD */, no_follow = 0x100 /* AT_SYMLINK_NOFOLLOW */,
    close_on_exec = 02000000,
};

static inline long call(long number, long one, long two, long three) { return call6(number, one, two, three, 0, 0, 0); }

static inline long open_file(const char *path) { return call(SYS_openat, here, (long)path, close_on_exec); }

static inline long length(const char *text) {
    long count = 0;
    while (text[count]) count++;
    return count;
}

static inline int begins(const char *text, const char *prefix) {
    while (*prefix) {
        if (*text++ != *prefix++) return 0;
    }
    return 1;
}

static inline void say(const char *text) { call(SYS_write, 2, (long)text, length(text)); }

// Appends a text; returns the new end. Stops at `limit`, and the result is then too long for any file.
static inline char *append(char *end, const char *limit, const char *text) {
    while (*text && end < limit - 1) *end++ = *text++;
    *end = 0;
    return end;
}

static inline const char *variable(char **environment, const char *name) {
    for (; *environment; environment++) {
        if (begins(*environment, name)) return *environment + length(name);
    }
    return 0;
}

#endif
