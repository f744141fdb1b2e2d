// Sockets that are bound for an app.
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CLinux.h"
#include "unix_address.h"

static int set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int failed(int fd, int error) {
    close(fd);
    return error;
}

// --- TCP and UDP -------------------------------------------------------------------------------------

/// 0 or -EINVAL. Only numbers: a name would mean waiting for a name server.
static int parse(const struct clinux_inet_socket *wanted, struct sockaddr_storage *address, socklen_t *length) {
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_family = wanted->family == 4 ? AF_INET : wanted->family == 6 ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = wanted->datagram ? SOCK_DGRAM : SOCK_STREAM;
    char port[16];
    snprintf(port, sizeof port, "%d", wanted->port);
    if (wanted->port < 0 || wanted->port > 65535) return -EINVAL;
    if (getaddrinfo(wanted->address, port, &hints, &found) != 0 || !found) return -EINVAL;
    memcpy(address, found->ai_addr, found->ai_addrlen);
    *length = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int hold(const struct clinux_inet_socket *wanted) {
    struct sockaddr_storage address;
    socklen_t length = 0;
    int result = parse(wanted, &address, &length);
    if (result < 0) return result;
    int fd = socket(address.ss_family, (wanted->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (address.ss_family == AF_INET6) result = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, wanted->ipv6_only);
    if (result == 0 && wanted->reuse_address) result = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (result == 0 && wanted->reuse_port) result = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (result < 0) return failed(fd, result);
    if (bind(fd, (struct sockaddr *)&address, length) < 0) return failed(fd, -errno);
    // Only now: had it been set before, an address that somebody else shares would have been taken without a word.
    if (set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0) return failed(fd, -errno);
    if (!wanted->datagram && listen(fd, wanted->backlog) < 0) return failed(fd, -errno);
    return fd;
}

int clinux_hold_inet(const struct clinux_inet_socket *wanted) {
    if (wanted->address || wanted->family) return hold(wanted);
    struct clinux_inet_socket either = *wanted;
    either.family = 6;
    int fd = hold(&either);
    // A machine without IPv6.
    if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL && fd != -EINVAL) return fd;
    either.family = 4;
    return hold(&either);
}

int clinux_bound_port(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -errno;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

// --- unix sockets ------------------------------------------------------------------------------------

/// 0: free, or a socket without listener that was removed; -EADDRINUSE: taken.
static int make_room(const struct unix_address *address) {
    const char *path = address->sun.sun_path;
    struct stat status;
    if (lstat(path, &status) < 0) return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode)) return -EADDRINUSE;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return -errno;
    int refused = connect(probe, (const struct sockaddr *)&address->sun, sizeof address->sun) < 0 && errno == ECONNREFUSED;
    close(probe);
    if (!refused) return -EADDRINUSE;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int identify(const char *path, struct clinux_file_identity *file) {
    struct stat status;
    if (lstat(path, &status) < 0) return -errno;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    return 0;
}

static int listen_at(const char *path, mode_t mode, int backlog, int replace, struct clinux_file_identity *file) {
    struct unix_address address;
    int result = clinux_make_address(path, &address);
    if (result < 0) return result;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) result = -errno;
    if (result == 0 && !replace) result = make_room(&address);
    // The mode of the unbound socket is what bind starts from: never wider than wanted, not even for a moment.
    if (result == 0 && fchmod(fd, mode) < 0) result = -errno;
    if (result == 0 && bind(fd, (struct sockaddr *)&address.sun, sizeof address.sun) < 0) result = -errno;
    if (result == 0) {
        // Undoes what the umask took away. Nobody can connect before listen.
        const char *name = address.sun.sun_path;
        if (chmod(name, mode) < 0 || listen(fd, backlog) < 0) result = -errno;
        if (result == 0) result = identify(name, file);
        if (result < 0) unlink(name);
    }
    clinux_release_address(&address);
    return result < 0 ? (fd < 0 ? result : failed(fd, result)) : fd;
}

int clinux_hold_unix(const char *path, mode_t mode, int backlog, int replace, struct clinux_file_identity *file) {
    if (!replace) return listen_at(path, mode, backlog, 0, file);
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) return -EADDRINUSE;
    char beside[4096];
    int written = snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid());
    if (written < 0 || (size_t)written >= sizeof beside) return -ENAMETOOLONG;
    unlink(beside);
    int fd = listen_at(beside, mode, backlog, 1, file);
    if (fd < 0 || rename(beside, path) == 0) return fd;
    int error = -errno;
    unlink(beside);
    return failed(fd, error);
}

void clinux_unlink_socket(const char *path, struct clinux_file_identity file) {
    struct clinux_file_identity present;
    if (identify(path, &present) < 0) return;
    if (present.device == file.device && present.inode == file.inode) unlink(path);
}

// --- both --------------------------------------------------------------------------------------------

void clinux_stop_listening(int fd) { shutdown(fd, SHUT_RDWR); }

int clinux_pidfd_getfd(int pidfd, int number) {
    if (getenv("HEARTH_TEST_NO_GETFD")) return -EPERM;
    int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    return fd < 0 ? -errno : fd;
}
