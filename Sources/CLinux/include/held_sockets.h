// Sockets that are bound for an app. All are blocking, as an app that knows nothing of it expects, and close-on-exec.
#ifndef HELD_SOCKETS_H
#define HELD_SOCKETS_H

#include <stdint.h>
#include <sys/types.h>

struct clinux_inet_socket {
    int datagram;         // 1: UDP, which does not listen
    const char *address;  // numeric, IPv6 without brackets; NULL: every address of the machine
    int family;           // 4, 6, or 0: as the address has it; without one IPv6 and IPv4 together
    int port;             // 0: any free one
    int backlog;
    int ipv6_only;
    int reuse_address;
    int reuse_port;  // bind beside others that have it too. Otherwise an address in use is refused
};

/// Binds and, but for UDP, listens. SO_REUSEPORT is set in any case before it listens, so that another one of this user
/// can be bound beside it later. Descriptor or `-errno`; -EINVAL: `address` is no numeric address of `family`.
int clinux_hold_inet(const struct clinux_inet_socket *wanted);
/// The port a socket is bound to, in host byte order, or `-errno`.
int clinux_bound_port(int fd);

/// The file of a unix socket.
struct clinux_file_identity {
    uint64_t device, inode;
};
/// Binds and listens on `path` (any length), with exactly `mode`. A socket there that nobody listens to is replaced;
/// with `replace` any socket is, in one step: there is no moment at which nobody can connect. Descriptor or `-errno`;
/// -EADDRINUSE: somebody listens there, or it is no socket.
int clinux_hold_unix(const char *path, mode_t mode, int backlog, int replace, struct clinux_file_identity *file);
/// Removes the file of a socket if it is still the one meant.
void clinux_unlink_socket(const char *path, struct clinux_file_identity file);

/// Ends the listening for everybody who has the socket: connections are refused from now on.
void clinux_stop_listening(int fd);

/// A copy of descriptor `number` of the process behind `pidfd`, close-on-exec. Descriptor or `-errno`; -EPERM where a
/// process may not look into another of its user (or the environment has HEARTH_TEST_NO_GETFD, for tests).
int clinux_pidfd_getfd(int pidfd, int number);

#endif
