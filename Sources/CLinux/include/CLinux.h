// C shims: system calls that glibc 2.36 does not wrap, macros and variadic calls that Swift cannot see,
// and the code that runs between clone and exec. Every function returns `-errno` on failure, never touches
// Swift memory, and opens descriptors close-on-exec unless it says otherwise.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "held_sockets.h"
#include "holes.h"
#include "keeper_protocol.h"
#include "keeper_support.h"
#include "loop.h"
#include "mapping.h"
#include "notify.h"
#include "watch.h"
#include "clinux_spawn.h"

// --- processes ---------------------------------------------------------------------------------------

/// Opens a pidfd for `pid`. Returns the descriptor (close-on-exec), or `-errno`.
int clinux_pidfd_open(pid_t pid);
/// Sends `signal` through a pidfd: never reaches a process that took over the number. 0 or `-errno`.
int clinux_pidfd_send_signal(int pidfd, int signal);
/// Wait status of an exited process that was reaped by somebody else (PIDFD_GET_INFO, Linux 6.15).
/// 1 and `*status` if the kernel still knows it, 0 if not (yet), or `-errno`.
int clinux_pidfd_exit_status(int pidfd, int *status);
/// Reaps child `pid` without blocking. 1 and `*status` when reaped, 0 when still running, `-errno` (ECHILD: not ours).
int clinux_reap(pid_t pid, int *status);
/// Next exited child without reaping it (WNOWAIT). Its pid, 0 when there is none, or `-errno`.
pid_t clinux_peek_exited_child(void);
/// Makes this process the one that orphans of its descendants are re-parented to. 0 or `-errno`.
int clinux_set_subreaper(void);
/// Sets the name in /proc/PID/comm. 0 or `-errno`.
int clinux_set_name(const char *name);

// --- descriptors -------------------------------------------------------------------------------------

int clinux_open(const char *path, int flags, mode_t mode);
int clinux_openat(int directory, const char *path, int flags, mode_t mode);
int clinux_set_cloexec(int fd, int on);
int clinux_set_nonblocking(int fd, int on);
int clinux_memfd(const char *name);
int clinux_eventfd(void);
int clinux_timerfd(void);
/// Arms a CLOCK_BOOTTIME timerfd for the absolute time in nanoseconds; 0 disarms. 0 or `-errno`.
int clinux_timerfd_set(int fd, int64_t boottime_ns);
/// A timerfd on the wall clock, or `-errno`.
int clinux_wall_timerfd(void);
/// Arms it for an absolute time in nanoseconds since 1970, or for the moment when somebody sets the clock; 0 disarms.
/// 0, 1 when the clock was set since the last look, or `-errno`.
int clinux_wall_timerfd_set(int fd, int64_t realtime_ns);
/// Takes note of it. 1: the time has come, 0: not yet, `-ECANCELED`: the clock was set.
int clinux_wall_timerfd_read(int fd);
/// Seconds east of UTC in the local zone at a moment in seconds since 1970. Notices when the zone was changed.
int64_t clinux_zone_offset(int64_t moment);
/// A signalfd for the given signals, which it also blocks in this thread. Descriptor or `-errno`.
int clinux_signalfd(const int *signals, int count);
/// Signal number of the next record in a signalfd; fills the sender's pid and uid. 0 when none, or `-errno`.
int clinux_signalfd_read(int fd, pid_t *sender, uid_t *uid);
/// Tries the lock of an open file, exclusive or shared; closing the descriptor releases it. 0 or `-errno`
/// (EWOULDBLOCK: somebody else has it).
int clinux_flock(int fd, int exclusive);
int64_t clinux_boottime_ns(void);
int64_t clinux_realtime_ns(void);
int clinux_ioctl_int(int fd, unsigned long request, int *value);
/// Raises the soft limit on open files to the hard one. Fills the soft limit as it was and as it is. 0 or `-errno`.
int clinux_raise_nofile(uint64_t *before, uint64_t *after);
/// Columns of the terminal behind `fd`, 0 when it is none.
int clinux_terminal_columns(int fd);

// --- unix sockets ------------------------------------------------------------------------------------

/// Binds and listens on `path` (any length: a long one goes through /proc/self/fd). Replaces a stale file.
/// `type` is SOCK_STREAM or SOCK_SEQPACKET. Descriptor (non-blocking) or `-errno`.
int clinux_unix_listen(const char *path, int type, mode_t mode, int backlog);
/// Connects to `path` (any length). Waits at most `timeout_ms` for room in the backlog, then -ETIMEDOUT.
/// Descriptor (blocking) or `-errno`.
int clinux_unix_connect(const char *path, int type, int timeout_ms);
/// Accepts one connection (non-blocking, close-on-exec). Descriptor or `-errno`.
int clinux_accept(int fd);
/// Credentials of the peer at connect time. 0 or `-errno`.
int clinux_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid);
/// A connected pair of SEQPACKET sockets, close-on-exec. 0 or `-errno`.
int clinux_seqpacket_pair(int fds[2]);
/// The same of stream sockets.
int clinux_stream_pair(int fds[2]);
/// A copy of descriptor `number` of the process behind `pidfd`, if it is what `clinux_stream_pair` made in this process
/// or in one of the same user that is gone. Close-on-exec. Descriptor or `-errno`; -ENOTSOCK: it is something else.
int clinux_recover_stream_end(int pidfd, int number);
/// Sends one packet, with `fd` attached when it is not -1. Never raises SIGPIPE. Bytes sent or `-errno`.
ssize_t clinux_send_packet(int socket, const void *bytes, size_t count, int fd);
/// The same on a stream: never waits. -EAGAIN: the peer does not read.
ssize_t clinux_send_line(int socket, const void *bytes, size_t count, int fd);
/// Takes up to `count` bytes out of a stream without waiting, and closes the descriptors that came with them. Bytes or
/// `-errno`.
ssize_t clinux_discard(int socket, size_t count);
/// Receives one packet; `*fd` is the attached descriptor or -1, `*truncated` is 1 when one was lost (EMFILE).
/// 0 is end of file, also after the peer's violent death, once all that it sent was received. Bytes or `-errno`.
ssize_t clinux_receive_packet(int socket, void *bytes, size_t capacity, int *fd, int *truncated);

// --- netlink -----------------------------------------------------------------------------------------

struct clinux_socket {
    uint8_t family;    // AF_INET or AF_INET6
    uint8_t protocol;  // IPPROTO_TCP or IPPROTO_UDP
    uint16_t port;     // host byte order
    uint8_t address[16];
    uint32_t inode;
    uint32_t uid;
    uint8_t v6only;
};
/// Listening TCP sockets of this network namespace by sock_diag. Fills at most `capacity`; returns how many there
/// are (may exceed it) or `-errno`.
int clinux_listening_sockets(struct clinux_socket *sockets, int capacity);

#endif
