// Only the system calls that a module costs: read its source, publish its code. Prints microseconds for each module.
//
//     floor TREE BYTES < LIST     LIST: directories and names, a line each: "p000/q00 m0001.py"; BYTES of code for each
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 3 || chdir(arguments[1])) return 2;
    size_t size = strtoul(arguments[2], 0, 10);
    char *code = calloc(1, size), *source = malloc(1 << 20);
    static char directory[4096], name[256], path[8192], last[4096];
    int cache = -1;
    long modules = 0;
    struct timespec begun, ended;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
    while (scanf("%4095s %255s", directory, name) == 2) {
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", directory, name);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0 || read(file, source, 1 << 20) < 0 || fstat(file, &status)) return 1;
        close(file);
        if (strcmp(directory, last)) {
            if (cache >= 0) close(cache);
            snprintf(path, sizeof path, "%s/__pycache__", directory);
            mkdir(path, 0777);
            cache = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            strcpy(last, directory);
        }
        snprintf(path, sizeof path, ".temporary-%ld", modules++);
        file = openat(cache, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        struct iovec parts[2] = {{code, 16}, {code, size}};
        if (file < 0 || writev(file, parts, 2) < 0) return 1;
        snprintf(source, sizeof path, "%s.pyc", name);
        if (renameat(cache, path, cache, source) || fstat(file, &status)) return 1;
        close(file);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    printf("%.1f\n", ((ended.tv_sec - begun.tv_sec) * 1e9 + ended.tv_nsec - begun.tv_nsec) / 1e3 / (modules ? modules : 1));
    return 0;
}
