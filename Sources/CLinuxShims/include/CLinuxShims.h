// What Glibc's Swift module lacks: system calls without a wrapper, variadic calls, and macros.
// Nothing here decides anything; each function is one call.
#ifndef FRESHPYC_CLINUXSHIMS_H
#define FRESHPYC_CLINUXSHIMS_H

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>

#define FRESHPYC_RESOLVE_NO_MAGICLINKS 0x02
#define FRESHPYC_RESOLVE_NO_SYMLINKS 0x04
#define FRESHPYC_RESOLVE_BENEATH 0x08

// openat2(2), Linux 5.6.
int freshpyc_openat2(int directory, const char *path, int flags, unsigned mode, uint64_t resolve);

int freshpyc_openat(int directory, const char *path, int flags, unsigned mode);

// getdents64(2): the raw record buffer, so that a name is never copied past its end.
long freshpyc_getdents64(int directory, void *buffer, size_t size);

// renameat2(2) with RENAME_EXCHANGE, Linux 3.15.
int freshpyc_exchange(int directory, const char *one, const char *other);

int freshpyc_set_pipe_size(int descriptor, int bytes);

int freshpyc_set_nonblocking(int descriptor);

int freshpyc_exited(int status);

int freshpyc_exit_status(int status);

int freshpyc_term_signal(int status);

// The number of processors in this process's affinity mask, or -1. A mask of 1,024 processors is what
// cpu_set_t holds; a larger machine answers EINVAL and the caller falls back to sysconf(3).
int freshpyc_affinity_count(void);

int freshpyc_terminal_columns(int descriptor);

// Every catchable signal back to its default, an empty mask, and a process group of its own: libdispatch's
// threads block signals, and a child would inherit that.
int freshpyc_spawn_defaults(posix_spawnattr_t *attributes, int new_session);

// malloc_trim(3).
void freshpyc_trim_memory(void);

// pipe2(2), both ends close-on-exec.
int freshpyc_pipe(int ends[2]);

// posix_spawn_file_actions_addchdir_np(3) and _addclosefrom_np(3), which Glibc's Swift module does not show.
int freshpyc_spawn_start_in(posix_spawn_file_actions_t *actions, const char *directory);
int freshpyc_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

// pidfd_open(2), Linux 5.3.
int freshpyc_pidfd_open(int process);

// accept4(2), close-on-exec and not blocking.
int freshpyc_accept(int listener);

// The user at the other end of a Unix socket (SO_PEERCRED), or -1.
long freshpyc_peer_user(int connection);
long freshpyc_peer_process(int connection);

// epoll(7), level-triggered. `take` gives what is ready now: for each token, 1 to read, 2 to write, 3 for an error.
int freshpyc_epoll(void);
int freshpyc_epoll_set(int epoll, int descriptor, int is_new, int reads, int writes, uint64_t token);
int freshpyc_epoll_remove(int epoll, int descriptor);
int freshpyc_epoll_take(int epoll, uint64_t *tokens, int *states, int most);

// timerfd_create(2) on the monotonic clock; 0 disarms.
int freshpyc_timer(void);
int freshpyc_timer_set(int timer, int64_t nanoseconds);

#endif
