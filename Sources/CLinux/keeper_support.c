// libc for the keeper. Nothing here allocates, but for the environment of hearthd, once per start, in the child.
#include "keeper_support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "CLinux.h"
#include "signals.h"

_Static_assert(CLINUX_KEEPER_EAGAIN == EAGAIN && CLINUX_KEEPER_EINVAL == EINVAL, "errno differs here");
_Static_assert(CLINUX_KEEPER_EMFILE == EMFILE && CLINUX_KEEPER_ENOSPC == ENOSPC, "errno differs here");

extern char **environ;

/// Soft limit on open files as the keeper found it: hearthd is to start from the same one, so that it can give it
/// back to the apps. 0: unchanged.
static uint64_t original_nofile;

int clinux_keeper_prepare(void) {
    // A descriptor that lands on 0-2 would be taken for standard output by everything started later.
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) return -EBADF;
    }
    // Whoever started us may wait for the end of a pipe that it gave away by accident. But for what it kept for us.
    close_range((unsigned)clinux_keeper_service_start(), ~0U, 0);
    setsid();  // fails for a group leader, which is as good
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);  // inherited SIG_IGN would have the kernel throw every exit status away
    uint64_t after;
    clinux_raise_nofile(&original_nofile, &after);
    clinux_set_name("hearth-keeper");
    return clinux_set_subreaper();
}

int clinux_keeper_signals(void) {
    const int signals[] = {SIGCHLD, SIGTERM, SIGINT};
    return clinux_signalfd(signals, 3);
}

int clinux_keeper_is_child_signal(int signal) { return signal == SIGCHLD; }

void clinux_keeper_log(const char *text, int has_number, int64_t number, int error) {
    char line[512], digits[24] = "";
    if (has_number) snprintf(digits, sizeof digits, " %lld", (long long)number);
    // strerrordesc_np neither translates nor allocates.
    const char *reason = error < 0 ? strerrordesc_np(-error) : NULL;
    int length = snprintf(line, sizeof line, "hearth-keeper: %s%s%s%s\n", text, digits, reason ? ": " : "",
                          reason ? reason : "");
    if (length >= (int)sizeof line) length = sizeof line - 1;
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0) { /* nobody to tell */ }
}

int clinux_keeper_log_to(const char *path) {
    int fd = clinux_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0600);
    if (fd < 0) return fd;
    int result = dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ? -errno : 0;
    close(fd);
    return result;
}

int clinux_keeper_wait(int signals, int connection, int writable, int pidfd, int64_t timeout_ms) {
    struct pollfd entries[3] = {
        {.fd = signals, .events = POLLIN},
        {.fd = connection, .events = writable ? POLLOUT : POLLIN},
        {.fd = pidfd, .events = POLLIN},
    };
    int timeout = timeout_ms < 0 ? -1 : timeout_ms > 3600000 ? 3600000 : (int)timeout_ms;
    if (poll(entries, 3, timeout) <= 0) return 0;
    int ready = 0;
    if (entries[0].revents) ready |= CLINUX_KEEPER_SIGNAL;
    // A hang-up is found out by the next read or write, whichever is waited for.
    if (entries[1].revents) ready |= writable ? CLINUX_KEEPER_WRITABLE : CLINUX_KEEPER_READABLE;
    if (entries[2].revents) ready |= CLINUX_KEEPER_GONE;
    return ready;
}

int64_t clinux_keeper_monotonic_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

pid_t clinux_keeper_pid(void) { return getpid(); }

uint64_t clinux_keeper_start_time(pid_t pid) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = clinux_open(path, O_RDONLY, 0);
    if (fd < 0) return 0;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    if (count <= 0) return 0;
    text[count] = 0;
    // The name in field 2 may hold blanks and parentheses: only what follows the last one can be counted.
    const char *position = strrchr(text, ')');
    for (int field = 2; position && field < 22; field++) {
        position = strchr(position, ' ');
        if (position) position++;
    }
    return position ? strtoull(position, NULL, 10) : 0;
}

static int sibling(const char *name, char *path, size_t capacity) {
    ssize_t length = readlink("/proc/self/exe", path, capacity);
    if (length < 0) return -errno;
    while (length > 0 && path[length - 1] != '/') length--;
    if ((size_t)length + strlen(name) >= capacity) return -ENAMETOOLONG;
    strcpy(path + length, name);
    return 0;
}

int clinux_keeper_join(const char *directory, const char *name, char *path, size_t capacity) {
    int length = snprintf(path, capacity, "%s/%s", directory, name);
    return length < 0 || (size_t)length >= capacity ? -ENAMETOOLONG : 0;
}

int clinux_keeper_options(struct clinux_keeper_options *options) {
    static char text[16384];  // three paths of 4,096 bytes and the program's own
    static char beside[4096], within[4096];
    memset(options, 0, sizeof *options);
    int fd = clinux_open("/proc/self/cmdline", O_RDONLY, 0);
    if (fd < 0) return fd;
    size_t length = 0;
    ssize_t count = 0;
    while (length < sizeof text && (count = read(fd, text + length, sizeof text - length)) > 0)
        length += (size_t)count;
    close(fd);
    if (count < 0 || length == sizeof text) return -E2BIG;

    const char *position = text, *end = text + length;
    for (position += strlen(position) + 1; position < end;) {
        const char *name = position, *value = name + strlen(name) + 1;
        if (value >= end) return -EINVAL;
        if (strcmp(name, "--home") == 0) options->home = value;
        else if (strcmp(name, "--daemon") == 0) options->daemon = value;
        else if (strcmp(name, "--log") == 0) options->log = value;
        else return -EINVAL;
        position = value + strlen(value) + 1;
    }
    if (!options->home || !*options->home) return -EINVAL;
    // A home of PM2's has ours in it (HomePaths.base).
    struct stat status;
    options->base = options->home;
    if (clinux_keeper_join(options->home, "hearth", within, sizeof within) == 0 && stat(within, &status) == 0 &&
        S_ISDIR(status.st_mode))
        options->base = within;
    if (!options->daemon && sibling("hearthd", beside, sizeof beside) == 0) options->daemon = beside;
    return options->daemon ? 0 : -ENOENT;
}

int64_t clinux_keeper_heartbeat_ms(int64_t otherwise) {
    const char *text = getenv("HEARTH_HEARTBEAT_MS");
    if (!text || !*text) return otherwise;
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    return errno || *end || value < 100 || value > 60000 ? otherwise : value;
}

int clinux_keeper_home_is_free(const char *base) {
    int fd = clinux_open(base, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return fd;
    int result = clinux_flock(fd, 1);
    close(fd);  // nobody else has this description: the lock goes with it
    return result == 0 ? 1 : result == -EWOULDBLOCK ? 0 : result;
}

int clinux_keeper_connect(const char *path, pid_t *peer) {
    int fd = clinux_unix_connect(path, SOCK_SEQPACKET, 0);
    if (fd < 0) return fd;
    uid_t uid;
    int result = clinux_peer_credentials(fd, peer, &uid, NULL);
    // What is deposited here is given to whoever owns this socket: only ever to our own user.
    if (result == 0 && uid != geteuid()) result = -EPERM;
    if (result == 0) result = clinux_set_nonblocking(fd, 1);
    if (result < 0) close(fd);
    return result < 0 ? result : fd;
}

_Noreturn static void become_daemon(const char *program, const char *home, int isPM2, int socket,
                                    pid_t keeper) {
    if (socket == KEEPER_VAULT_FD ? clinux_set_cloexec(socket, 0) < 0 : dup2(socket, KEEPER_VAULT_FD) < 0) _exit(127);
    if (close_range(KEEPER_VAULT_FD + 1, ~0U, 0) < 0) _exit(127);
    clinux_reset_signals();
    struct rlimit limit;
    if (original_nofile && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = (rlim_t)original_nofile;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    char number[16];
    snprintf(number, sizeof number, "%d", keeper);
    setenv("HEARTH_KEEPER_PID", number, 1);  // may allocate: this is a copy of a program with one thread
    // Scripts look for PM2's daemon by its title.
    char title[4352];
    const char *own = getenv("PM2_DAEMON_TITLE");
    if (isPM2 && own && *own) snprintf(title, sizeof title, "%s", own);
    else if (isPM2) snprintf(title, sizeof title, "PM2 v" KEEPER_PM2_VERSION ": God Daemon (%s)", home);
    else snprintf(title, sizeof title, "hearthd");
    char *const arguments[] = {title, (char *)"--home", (char *)home, isPM2 ? (char *)"--pm2" : NULL, NULL};
    execve(program, arguments, environ);
    clinux_keeper_log("hearthd cannot be executed", 0, 0, -errno);
    _exit(127);
}

pid_t clinux_keeper_start(const char *program, const char *home, int isPM2, int socket, int *pidfd) {
    pid_t keeper = getpid();
    pid_t pid = fork();
    if (pid < 0) return -errno;
    if (pid == 0) become_daemon(program, home, isPM2, socket, keeper);
    // Our own child: until it is reaped, the number is its own.
    *pidfd = clinux_pidfd_open(pid);
    if (*pidfd >= 0) return pid;
    int error = *pidfd;
    kill(pid, SIGKILL);  // without a handle it could not be ended safely later
    return error;
}

void *clinux_keeper_reserve(size_t size) {
    void *space = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return space == MAP_FAILED ? NULL : space;
}

void clinux_keeper_close(int fd) {
    if (fd >= 0) close(fd);
}

_Noreturn void clinux_keeper_exit(int code) { _exit(code); }
