// Notification sockets: datagrams with the sender's credentials and descriptors.
#ifndef CLINUX_NOTIFY_H
#define CLINUX_NOTIFY_H

#include <stddef.h>
#include <sys/types.h>

/// As many as one datagram can carry (SCM_MAX_FD).
enum { CLINUX_NOTIFY_DESCRIPTORS = 253 };

struct clinux_notification {
    /// 0 when the sender cannot be seen from here (another pid namespace).
    pid_t pid;
    uid_t uid;
    int descriptor_count;
    /// The datagram was longer than the room for it.
    int is_cut;
    /// Descriptors were lost (EMFILE).
    int lost_descriptors;
};

/// A datagram socket with the abstract name `name` (at most 107 bytes), which is told who sends. Descriptor
/// (non-blocking, close-on-exec) or `-errno`.
int clinux_notify_socket(const char *name);
/// The next datagram. `descriptors` has room for CLINUX_NOTIFY_DESCRIPTORS; what it gets is close-on-exec, and the
/// caller's. Bytes or `-errno`; then there are no descriptors.
ssize_t clinux_notify_receive(int socket, void *bytes, size_t capacity, struct clinux_notification *notification,
                              int *descriptors);

#endif
