#define _GNU_SOURCE
#include "CLinuxShims.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// openat2(2), Linux 5.6. Declared here because the kernel headers may be older than the kernel.
struct freshpyc_open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

int freshpyc_openat2(int directory, const char *path, int flags, unsigned mode, uint64_t resolve) {
    struct freshpyc_open_how how = {(uint64_t)(unsigned)flags, mode, resolve};
    return (int)syscall(437 /* SYS_openat2 on every architecture */, directory, path, &how, sizeof how);
}

int freshpyc_openat(int directory, const char *path, int flags, unsigned mode) {
    return openat(directory, path, flags, mode);
}

int freshpyc_exchange(int directory, const char *one, const char *other) {
    return (int)syscall(SYS_renameat2, directory, one, directory, other, 2u /* RENAME_EXCHANGE */);
}

// getdents64(2): returns raw records, so that a name is never read past its end.
long freshpyc_getdents64(int directory, void *buffer, size_t size) {
    return syscall(SYS_getdents64, directory, buffer, size);
}

int freshpyc_set_pipe_size(int descriptor, int bytes) {
    return fcntl(descriptor, F_SETPIPE_SZ, bytes);
}

int freshpyc_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? flags : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

int freshpyc_exited(int status) { return WIFEXITED(status); }
int freshpyc_exit_status(int status) { return WEXITSTATUS(status); }
int freshpyc_term_signal(int status) { return WTERMSIG(status); }

// The number of processors in this process's affinity mask, or -1. cpu_set_t has room for 1,024 processors; on larger
// machines the call fails with EINVAL and the caller falls back to sysconf(3).
int freshpyc_affinity_count(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) < 0 ? -1 : CPU_COUNT(&set);
}

int freshpyc_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) < 0 ? -1 : size.ws_col;
}

// Resets every catchable signal to its default, empties the signal mask, and starts a new process group or session.
// libdispatch's threads block signals, and a child would inherit that.
int freshpyc_spawn_defaults(posix_spawnattr_t *attributes, int new_session) {
    sigset_t all, none;
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    sigemptyset(&none);
    int failure = posix_spawnattr_setsigdefault(attributes, &all);
    if (failure == 0) failure = posix_spawnattr_setsigmask(attributes, &none);
    if (failure == 0 && !new_session) failure = posix_spawnattr_setpgroup(attributes, 0);
    if (failure == 0)
        failure = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
                            | (new_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP));
    return failure;
}


void freshpyc_trim_memory(void) { malloc_trim(0); }

int freshpyc_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int freshpyc_spawn_start_in(posix_spawn_file_actions_t *actions, const char *directory) {
    return posix_spawn_file_actions_addchdir_np(actions, directory);
}

int freshpyc_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int freshpyc_pidfd_open(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int freshpyc_accept(int listener) { return accept4(listener, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK); }

long freshpyc_peer_user(int connection) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ? -1 : (long)peer.uid;
}

long freshpyc_peer_process(int connection) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ? -1 : (long)peer.pid;
}

int freshpyc_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int freshpyc_epoll_set(int epoll, int descriptor, int is_new, int reads, int writes, uint64_t token) {
    struct epoll_event event = {(reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u), {.u64 = token}};
    return epoll_ctl(epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
}

int freshpyc_epoll_remove(int epoll, int descriptor) { return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, 0); }

int freshpyc_epoll_take(int epoll, uint64_t *tokens, int *states, int most) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, most < 64 ? most : 64, 0);
    for (int i = 0; i < count; i++) {
        int failed = events[i].events & (EPOLLERR | EPOLLHUP) ? 3 : 0;
        tokens[i] = events[i].data.u64;
        states[i] = failed | (events[i].events & EPOLLIN ? 1 : 0) | (events[i].events & EPOLLOUT ? 2 : 0);
    }
    return count;
}

int freshpyc_timer(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); }

int freshpyc_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec time = {{0, 0}, {nanoseconds / 1000000000, nanoseconds % 1000000000}};
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, 0);
}
