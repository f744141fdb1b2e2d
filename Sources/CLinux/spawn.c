// The spawn trampoline: from clone to exec.
//
// The child is made with CLONE_VM|CLONE_VFORK: it runs on a stack of its own, in the *parent's* memory, while only
// the calling thread waits for the exec. So nothing is copied (a fork of a large parent costs 2 ms), and stage,
// errno, pid slot and LISTEN_PID are handed over simply by writing them. The price is a set of rules:
//
// - The child must not call anything with state: no malloc, no stdio, no locks. Other threads of the parent go on
//   running in the same memory and may hold every lock there is.
// - It shares the thread-local storage of the calling thread, errno included. That thread is asleep, so this is
//   safe; the parent restores its own errno by not looking at it.
// - glibc's setuid, setgid and setgroups change *all threads* it knows of, by signalling them: in the child that
//   would be the parent's. Only the raw system calls are used.
// - No signal may be delivered before the dispositions are reset, else a handler of the parent would run here, in
//   its memory. Hence everything is blocked around the clone, also the two signals that glibc keeps to itself.
// - Until the parent's descriptors are closed, this process holds the parent's locks: a flock of the home would
//   survive the daemon's death. Therefore that comes first, before any call that can wait (open on a dead NFS).
//
// No static state: several spawner threads do this at once.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clinux_spawn.h"
#include "signals.h"

// On 32-bit Arm the plain numbers are the 16-bit calls.
#ifdef SYS_setuid32
#define RAW_SETUID SYS_setuid32
#define RAW_SETGID SYS_setgid32
#define RAW_SETGROUPS SYS_setgroups32
#else
#define RAW_SETUID SYS_setuid
#define RAW_SETGID SYS_setgid
#define RAW_SETGROUPS SYS_setgroups
#endif

#define STACK_BYTES (64 * 1024)  // the deepest path needs 2 KiB; glibc's own posix_spawn takes 32 KiB
#define PIPE_BYTES 4096          // one page: 1,024 pipes of 64 KiB would use up the user's quota

struct attempt {
    const struct clinux_spawn *spawn;
    int base;   // first number above every descriptor that matters: where the wanted ones wait
    int count;  // arguments, for the copy that /bin/sh needs
    volatile int stage;
    volatile int error;
};

// --- the child ---------------------------------------------------------------------------------------

static void write_decimal(char *text, unsigned value) {
    char digits[12];
    int count = 0;
    do digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (count > 0) *text++ = digits[--count];
    *text = 0;
}

_Noreturn static void fail_with(struct attempt *attempt, int stage, int error) {
    attempt->error = error;
    attempt->stage = stage;
    _exit(127);
}

_Noreturn static void fail(struct attempt *attempt, int stage) { fail_with(attempt, stage, errno); }

/// Moves the wanted descriptors above all others, then closes everything below and above them.
static void shed_descriptors(struct attempt *attempt) {
    const struct clinux_spawn *spawn = attempt->spawn;
    int next = attempt->base;
    for (int i = 0; i < spawn->fd_count; i++, next++) {
        if (dup3(spawn->fds[i].from, next, O_CLOEXEC) < 0) fail(attempt, CLINUX_STAGE_DESCRIPTORS);
    }
    if (spawn->cgroup_procs_fd >= 0) {
        if (dup3(spawn->cgroup_procs_fd, next, O_CLOEXEC) < 0) fail(attempt, CLINUX_STAGE_DESCRIPTORS);
        next++;
    }
    if (close_range(0, (unsigned)attempt->base - 1, 0) < 0 || close_range((unsigned)next, UINT_MAX, 0) < 0)
        fail(attempt, CLINUX_STAGE_DESCRIPTORS);
}

static void join_cgroup(struct attempt *attempt) {
    const struct clinux_spawn *spawn = attempt->spawn;
    if (spawn->cgroup_procs_fd < 0) return;
    int fd = attempt->base + spawn->fd_count;
    if (write(fd, "0", 1) != 1) fail(attempt, CLINUX_STAGE_CGROUP);
    close(fd);
}

/// Puts `fd` at `target`, inheritable.
static int place(int fd, int target) {
    if (fd == target) return fcntl(fd, F_SETFD, 0);
    int result = dup2(fd, target);
    close(fd);
    return result;
}

/// A pipe whose both directions the child holds in one description: it can wait there, but never sees its end.
/// -1 when there is no /proc to reopen it through.
static int open_endless_pipe(struct attempt *attempt) {
    const struct clinux_spawn *spawn = attempt->spawn;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) fail(attempt, CLINUX_STAGE_STDIN);
    fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    // The app may open /dev/stdin by name; that looks at the owner.
    if (spawn->change_user && fchown(ends[0], spawn->uid, spawn->gid) < 0) { /* then it may not */ }
    char path[32] = "/proc/self/fd/";
    write_decimal(path + strlen(path), (unsigned)ends[0]);
    int both = open(path, O_RDWR | O_CLOEXEC);
    close(ends[0]);
    close(ends[1]);
    return both;
}

static void set_stdin(struct attempt *attempt) {
    int fd = attempt->spawn->stdin_null ? -1 : open_endless_pipe(attempt);
    if (fd < 0) fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || place(fd, 0) < 0) fail(attempt, CLINUX_STAGE_STDIN);
}

/// Opens a log for appending. Everything but a regular file must be ready at once: a FIFO without a reader is ENXIO.
static int open_log(struct attempt *attempt, const char *path, int stage) {
    const struct clinux_spawn *spawn = attempt->spawn;
    if (!path) path = "/dev/null";
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    int fd = open(path, flags, spawn->log_mode);
    if (fd < 0) fail(attempt, stage);
    struct stat status;
    if (fstat(fd, &status) < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0) fail(attempt, stage);
    if (spawn->change_user && S_ISREG(status.st_mode) && status.st_uid != spawn->uid) {
        // A second name means that somebody may have linked a file of ours into a directory of his.
        if (status.st_nlink > 1) fail_with(attempt, stage, EMLINK);
        if (fchown(fd, spawn->uid, spawn->gid) < 0) fail(attempt, stage);
    }
    return fd;
}

static void set_output(struct attempt *attempt) {
    const struct clinux_spawn *spawn = attempt->spawn;
    const char *out = spawn->stdout_path, *err = spawn->stderr_path;
    umask(0);  // log_mode means what it says
    if (place(open_log(attempt, out, CLINUX_STAGE_STDOUT), 1) < 0) fail(attempt, CLINUX_STAGE_STDOUT);
    int same = out == err || (out && err && strcmp(out, err) == 0);
    int fd = same ? 1 : open_log(attempt, err, CLINUX_STAGE_STDERR);
    if ((same ? dup2(1, 2) : place(fd, 2)) < 0) fail(attempt, CLINUX_STAGE_STDERR);
    umask(spawn->umask);
}

static void place_descriptors(struct attempt *attempt) {
    const struct clinux_spawn *spawn = attempt->spawn;
    // The waiting copies are close-on-exec; dup2 clears that on the final ones.
    for (int i = 0; i < spawn->fd_count; i++) {
        if (dup2(attempt->base + i, spawn->fds[i].to) < 0) fail(attempt, CLINUX_STAGE_DESCRIPTORS);
    }
}

static void restore_limits(struct attempt *attempt) {
    const struct clinux_spawn *spawn = attempt->spawn;
    if (spawn->nofile_soft == 0) return;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) fail(attempt, CLINUX_STAGE_LIMITS);
    limit.rlim_cur = spawn->nofile_soft < limit.rlim_max ? (rlim_t)spawn->nofile_soft : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) fail(attempt, CLINUX_STAGE_LIMITS);
}

static void change_user(struct attempt *attempt) {
    const struct clinux_spawn *spawn = attempt->spawn;
    if (!spawn->change_user) return;
    // Groups first: after setuid the right to change them is gone.
    if (syscall(RAW_SETGROUPS, (size_t)spawn->group_count, spawn->groups) < 0) fail(attempt, CLINUX_STAGE_GROUPS);
    if (syscall(RAW_SETGID, spawn->gid) < 0) fail(attempt, CLINUX_STAGE_GID);
    if (syscall(RAW_SETUID, spawn->uid) < 0) fail(attempt, CLINUX_STAGE_UID);
}

/// A script without `#!`: the shell runs it, as execvp has it.
static void execute_by_shell(struct attempt *attempt) {
    const struct clinux_spawn *spawn = attempt->spawn;
    char *arguments[attempt->count + 3];  // the stack was made large enough
    arguments[0] = (char *)"/bin/sh";
    arguments[1] = (char *)spawn->path;
    int next = 2;
    for (int i = 1; i < attempt->count; i++) arguments[next++] = spawn->arguments[i];
    arguments[next] = NULL;
    execve("/bin/sh", arguments, spawn->environment);
}

static int run_child(void *context) {
    struct attempt *attempt = context;
    const struct clinux_spawn *spawn = attempt->spawn;
    pid_t pid = (pid_t)syscall(SYS_getpid);
    // First of all: from here on a successor of the daemon finds this process, whatever happens to the daemon.
    if (spawn->pid_slot) *spawn->pid_slot = pid;
    shed_descriptors(attempt);
    // An ignored signal stays ignored across exec, and so does the mask: both would surprise the app.
    clinux_reset_signals();
    if (setsid() < 0) fail(attempt, CLINUX_STAGE_SESSION);
    join_cgroup(attempt);
    set_stdin(attempt);
    set_output(attempt);
    place_descriptors(attempt);
    restore_limits(attempt);
    change_user(attempt);
    // As the user of the app: a directory that only root may enter is no place for it.
    if (spawn->cwd && chdir(spawn->cwd) < 0) fail(attempt, CLINUX_STAGE_CWD);
    if (spawn->listen_pid_value) write_decimal(spawn->listen_pid_value, (unsigned)pid);
    execve(spawn->path, spawn->arguments, spawn->environment);
    if (errno == ENOEXEC) execute_by_shell(attempt);
    fail(attempt, CLINUX_STAGE_EXEC);
}

// --- the parent --------------------------------------------------------------------------------------

/// First number above 2 and above every descriptor named in `spawn`, or -1 when one of those is impossible.
static int base_above(const struct clinux_spawn *spawn) {
    int highest = spawn->cgroup_procs_fd > 2 ? spawn->cgroup_procs_fd : 2;
    for (int i = 0; i < spawn->fd_count; i++) {
        if (spawn->fds[i].from < 0 || spawn->fds[i].to < 3) return -1;
        if (spawn->fds[i].from > highest) highest = spawn->fds[i].from;
        if (spawn->fds[i].to > highest) highest = spawn->fds[i].to;
    }
    return highest + 1;
}

static pid_t clone_on_stack(struct attempt *attempt, int *pidfd) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t wanted = STACK_BYTES + ((size_t)attempt->count + 3) * sizeof(char *);
    size_t size = (wanted + page - 1) / page * page + page;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;
    mprotect(stack, page, PROT_NONE);  // an overflow must not reach the parent's memory unseen
    uint64_t all = UINT64_MAX, before = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    pid_t pid = clone(run_child, stack + size, flags, attempt, pidfd);
    int error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    munmap(stack, size);
    return pid < 0 ? -error : pid;
}

pid_t clinux_spawn_process(const struct clinux_spawn *spawn, int *pidfd, int *stage) {
    struct attempt attempt = {.spawn = spawn, .base = base_above(spawn), .stage = CLINUX_STAGE_NONE};
    while (spawn->arguments[attempt.count]) attempt.count++;
    *pidfd = -1;
    *stage = CLINUX_STAGE_DESCRIPTORS;
    if (attempt.base < 0) return -EBADF;
    *stage = CLINUX_STAGE_CLONE;
    pid_t pid = clone_on_stack(&attempt, pidfd);
    if (pid < 0) return pid;
    *stage = attempt.stage;
    if (attempt.stage == CLINUX_STAGE_NONE) return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    close(*pidfd);
    *pidfd = -1;
    if (spawn->pid_slot) *spawn->pid_slot = 0;  // nobody is to look for a process that never was
    return -attempt.error;
}
