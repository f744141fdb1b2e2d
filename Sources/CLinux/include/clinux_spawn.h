// The spawn trampoline: everything between clone and exec. Not named spawn.h: that would hide the system's own
// <spawn.h> from every module that is built with this directory in its search path, Glibc included.
#ifndef CLINUX_SPAWN_H
#define CLINUX_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

/// Where a spawn failed. Kept in step with `SpawnStage` in Model.
enum clinux_spawn_stage {
    CLINUX_STAGE_NONE = 0,
    CLINUX_STAGE_CLONE = 1,
    CLINUX_STAGE_SESSION = 2,
    CLINUX_STAGE_CGROUP = 3,
    CLINUX_STAGE_STDIN = 4,
    CLINUX_STAGE_STDOUT = 5,
    CLINUX_STAGE_STDERR = 6,
    CLINUX_STAGE_LIMITS = 7,
    CLINUX_STAGE_GROUPS = 8,
    CLINUX_STAGE_GID = 9,
    CLINUX_STAGE_UID = 10,
    CLINUX_STAGE_CWD = 11,
    CLINUX_STAGE_EXEC = 12,
    CLINUX_STAGE_DESCRIPTORS = 13,
};

/// A descriptor that the child is meant to have: `from` in the parent, `to` in the child (>= 3).
struct clinux_spawn_fd {
    int from;
    int to;
};

struct clinux_spawn {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *cwd;
    /// Where to open fd 1 and 2 (O_APPEND). Same path in both: one description. NULL: /dev/null. A symbolic link is
    /// refused (ELOOP), a FIFO without a reader too (ENXIO). `log_mode` is not subject to `umask`.
    const char *stdout_path;
    const char *stderr_path;
    mode_t log_mode;
    /// 0: a pipe that the child holds open for reading and writing, so that it never sees end-of-file; 1: /dev/null.
    int stdin_null;
    const struct clinux_spawn_fd *fds;
    int fd_count;
    /// cgroup.procs of the instance's own cgroup, opened by the caller, or -1.
    int cgroup_procs_fd;
    int change_user;  // 1: use uid, gid, groups
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    int group_count;
    mode_t umask;
    /// Soft limit on open files to give back to the app; 0 leaves it.
    uint64_t nofile_soft;
    /// Where the child writes its own pid before anything else (a slot of the shared instance table), or NULL.
    /// 0 again when the spawn failed.
    volatile int32_t *pid_slot;
    /// Pointer into `environment`: where the child writes its pid in decimal (the value of LISTEN_PID), or NULL.
    /// Needs room for 11 bytes.
    char *listen_pid_value;
};

/// Starts a process in its own session. The caller's thread (only) waits until the exec has happened or failed.
/// Returns the pid, with `*pidfd` set; or `-errno` with `*stage` telling what failed (the child is reaped).
pid_t clinux_spawn_process(const struct clinux_spawn *spawn, int *pidfd, int *stage);

#endif
