// Process handles and reaping: the parts of pidfd(2), wait(2) and prctl(2) that Swift cannot reach.
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CLinux.h"

// Not in the headers of glibc 2.36. Numbers are the same on every architecture that Swift runs on.
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

// struct pidfd_info as Linux 6.15 has it; later kernels only append.
struct pidfd_info_6_15 {
    uint64_t mask;
    uint64_t cgroupid;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
    uint32_t coredump_mask, spare;
};
#define PIDFD_INFO_EXIT_BIT 8u
#define PIDFD_GET_INFO_6_15 _IOWR(0xFF, 11, struct pidfd_info_6_15)
_Static_assert(sizeof(struct pidfd_info_6_15) == 72, "the size is part of the request number");

int clinux_pidfd_open(pid_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int clinux_pidfd_send_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int clinux_pidfd_exit_status(int pidfd, int *status) {
    struct pidfd_info_6_15 info;
    memset(&info, 0, sizeof info);
    info.mask = PIDFD_INFO_EXIT_BIT;
    if (ioctl(pidfd, PIDFD_GET_INFO_6_15, &info) < 0) return -errno;
    // The bit appears only after the real parent has reaped the process.
    if (!(info.mask & PIDFD_INFO_EXIT_BIT)) return 0;
    *status = info.exit_code;
    return 1;
}

int clinux_reap(pid_t pid, int *status) {
    int result = 0;
    pid_t reaped = waitpid(pid, &result, WNOHANG);
    if (reaped < 0) return -errno;
    if (reaped == 0) return 0;
    *status = result;
    return 1;
}

pid_t clinux_peek_exited_child(void) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) return errno == ECHILD ? 0 : -errno;
    return info.si_pid;
}

int clinux_set_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int clinux_set_name(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0) < 0 ? -errno : 0;
}
