// Descriptors, clocks and limits.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "CLinux.h"

#define NANOSECONDS 1000000000LL

int clinux_open(const char *path, int flags, mode_t mode) {
    return clinux_openat(AT_FDCWD, path, flags, mode);
}

int clinux_openat(int directory, const char *path, int flags, mode_t mode) {
    int fd;
    do fd = openat(directory, path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

int clinux_set_cloexec(int fd, int on) {
    return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int clinux_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0) return -errno;
    return 0;
}

int clinux_memfd(const char *name) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int clinux_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int clinux_timerfd(void) {
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int clinux_timerfd_set(int fd, int64_t boottime_ns) {
    // A time before the boot has passed already; all zero would disarm.
    if (boottime_ns < 0) boottime_ns = 1;
    struct itimerspec when;
    memset(&when, 0, sizeof when);
    when.it_value.tv_sec = boottime_ns / NANOSECONDS;
    when.it_value.tv_nsec = boottime_ns % NANOSECONDS;
    return timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) < 0 ? -errno : 0;
}

int clinux_wall_timerfd(void) {
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int clinux_wall_timerfd_set(int fd, int64_t realtime_ns) {
    struct itimerspec when;
    memset(&when, 0, sizeof when);
    if (realtime_ns > 0) {
        when.it_value.tv_sec = realtime_ns / NANOSECONDS;
        when.it_value.tv_nsec = realtime_ns % NANOSECONDS;
    }
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    if (timerfd_settime(fd, flags, &when, NULL) == 0) return 0;
    // The timer is armed all the same.
    return errno == ECANCELED ? 1 : -errno;
}

int clinux_wall_timerfd_read(int fd) {
    uint64_t expirations = 0;
    if (read(fd, &expirations, sizeof expirations) == sizeof expirations) return 1;
    return errno == ECANCELED ? -ECANCELED : 0;
}

int64_t clinux_zone_offset(int64_t moment) {
    time_t seconds = (time_t)moment;
    struct tm parts;
    tzset();
    return localtime_r(&seconds, &parts) ? parts.tm_gmtoff : 0;
}

int clinux_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) {
        if (sigaddset(&set, signals[i]) < 0) return -errno;
    }
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error) return -error;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int clinux_signalfd_read(int fd, pid_t *sender, uid_t *uid) {
    struct signalfd_siginfo info;
    ssize_t count = read(fd, &info, sizeof info);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (count != (ssize_t)sizeof info) return 0;
    if (sender) *sender = (pid_t)info.ssi_pid;
    if (uid) *uid = info.ssi_uid;
    return (int)info.ssi_signo;
}

int clinux_flock(int fd, int exclusive) {
    int result;
    do result = flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

static int64_t now_ns(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) return -errno;
    return (int64_t)time.tv_sec * NANOSECONDS + time.tv_nsec;
}

int64_t clinux_boottime_ns(void) { return now_ns(CLOCK_BOOTTIME); }
int64_t clinux_realtime_ns(void) { return now_ns(CLOCK_REALTIME); }

int clinux_ioctl_int(int fd, unsigned long request, int *value) {
    return ioctl(fd, request, value) < 0 ? -errno : 0;
}

int clinux_raise_nofile(uint64_t *before, uint64_t *after) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    *before = limit.rlim_cur;
    *after = limit.rlim_cur;
    if (limit.rlim_cur == limit.rlim_max) return 0;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    *after = limit.rlim_cur;
    return 0;
}

int clinux_terminal_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) < 0 ? 0 : size.ws_col;
}
