// What hearth-keeper needs from libc beyond CLinux.h: Embedded Swift cannot import Glibc. Only the keeper calls it.
#ifndef KEEPER_SUPPORT_H
#define KEEPER_SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keeper_protocol.h"

/// What `clinux_keeper_wait` was told by the kernel.
enum clinux_keeper_ready {
    CLINUX_KEEPER_SIGNAL = 1,
    CLINUX_KEEPER_READABLE = 2,
    CLINUX_KEEPER_WRITABLE = 4,
    CLINUX_KEEPER_GONE = 8,
};

/// errno values by name: Swift sees macros only of headers it can import.
enum clinux_keeper_errno {
    CLINUX_KEEPER_EAGAIN = 11,
    CLINUX_KEEPER_EINVAL = 22,
    CLINUX_KEEPER_EMFILE = 24,
    CLINUX_KEEPER_ENOSPC = 28,
};

/// Prepares a long life without terminal: own session, 0-2 and what a service manager kept for us and nothing else open, SIGPIPE and SIGHUP ignored, SIGCHLD
/// heeded, subreaper, comm, limit on open files raised. 0, or `-errno` of what cannot be done without.
int clinux_keeper_prepare(void);

// As the main process of a service (systemd's protocols sd_notify and file descriptor store).

/// Reads what the service manager put into the environment, and takes it out of there. The first descriptor that is
/// nobody's. Called by `clinux_keeper_prepare`.
int clinux_keeper_service_start(void);
/// Whether the keeper belongs to a service (of any manager), which is the place for this home's daemon.
int clinux_keeper_claims(void);
/// Whether there is a manager to notify.
int clinux_keeper_in_service(void);
// Each: 1 sent, or nobody to send it to; 0 no room now, try again later; `-errno`.
int clinux_keeper_notify_ready(void);
int clinux_keeper_notify_alive(void);
int clinux_keeper_notify_counts(uint64_t online, uint64_t wanted, uint64_t errored);
/// Gives the manager a copy of a deposit, for the keeper that it starts when this one dies.
int clinux_keeper_store(const struct keeper_label *label, int fd);
int clinux_keeper_unstore(const struct keeper_label *label);
/// What a former keeper stored: the descriptor, with its label (kind 0: not one of ours), or `-ENOENT` after the last.
int clinux_keeper_inherited(int position, struct keeper_label *label);

/// A signalfd for SIGCHLD, SIGTERM and SIGINT. Descriptor or `-errno`.
int clinux_keeper_signals(void);
int clinux_keeper_is_child_signal(int signal);

/// Writes `hearth-keeper: TEXT` to stderr, with the number when `has_number`, with the text of errno `-error` when
/// that is negative. Never blocks on a lock, never allocates.
void clinux_keeper_log(const char *text, int has_number, int64_t number, int error);
/// Sends stdout and stderr (and those of every hearthd) to the end of the file at `path`. 0 or `-errno`.
int clinux_keeper_log_to(const char *path);

/// Waits for any of the descriptors (-1: none) for at most `timeout_ms` (-1: for ever). Bits of
/// `clinux_keeper_ready`. `writable`: also wait for room in `connection`.
int clinux_keeper_wait(int signals, int connection, int writable, int pidfd, int64_t timeout_ms);
int64_t clinux_keeper_monotonic_ms(void);
pid_t clinux_keeper_pid(void);

/// Start time of a process (field 22 of /proc/PID/stat, in ticks since the boot), also of a zombie. 0: unknown.
uint64_t clinux_keeper_start_time(pid_t pid);
/// Writes `directory/name` into `path`. 0 or `-ENAMETOOLONG`.
int clinux_keeper_join(const char *directory, const char *name, char *path, size_t capacity);
struct clinux_keeper_options {
    const char *home;
    /// Where Hearth's own files are: `home`, or `home/hearth` in a home of PM2's.
    const char *base;
    /// The program of the daemon; without the option the hearthd beside the keeper's own file.
    const char *daemon;
    /// NULL: stderr as it is.
    const char *log;
};
/// Reads the command line (Embedded Swift has none): `--home PATH [--daemon PATH] [--log PATH]`. The texts live for
/// ever. 0, or `-errno` when an option is unknown or lacks its value, or the home is missing.
int clinux_keeper_options(struct clinux_keeper_options *options);
/// Heartbeat interval: HEARTH_HEARTBEAT_MS when it is a number from 100 to 60000, else `otherwise`.
int64_t clinux_keeper_heartbeat_ms(int64_t otherwise);

/// Opens `base` and tries its lock, leaving it free. 1: nobody has it; 0: a hearthd lives; or `-errno`.
int clinux_keeper_home_is_free(const char *base);
/// Connects to the vault socket at `path` without waiting, if its listener runs as the same user. The descriptor
/// (non-blocking), with the listener's pid in `*peer`, or `-errno`.
int clinux_keeper_connect(const char *path, pid_t *peer);
/// Starts hearthd with `socket` as KEEPER_VAULT_FD and no other descriptor above 2. Its pid, with `*pidfd` set, or
/// `-errno`. With `isPM2` its title is that of PM2's daemon. That the program can't be executed is seen by its exit code 127.
pid_t clinux_keeper_start(const char *program, const char *home, int isPM2, int socket, int *pidfd);

/// Address space of `size` zero bytes: a page costs nothing until it is touched. NULL when there is none.
void *clinux_keeper_reserve(size_t size);
void clinux_keeper_close(int fd);
_Noreturn void clinux_keeper_exit(int code);

#endif
