// Unix sockets. A path that does not fit into sun_path is reached through its directory:
// "/proc/self/fd/N/name" is short whatever the directory's own length.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "CLinux.h"
#include "unix_address.h"

int clinux_make_address(const char *path, struct unix_address *address) {
    memset(address, 0, sizeof *address);
    address->sun.sun_family = AF_UNIX;
    address->directory = -1;
    size_t length = strlen(path);
    if (length == 0) return -ENOENT;  // an empty name would mean autobind
    if (length < sizeof address->sun.sun_path) {
        memcpy(address->sun.sun_path, path, length + 1);
        return 0;
    }
    const char *slash = strrchr(path, '/');
    if (!slash) return -ENAMETOOLONG;
    char parent[4096];
    size_t parent_length = slash == path ? 1 : (size_t)(slash - path);
    if (parent_length >= sizeof parent) return -ENAMETOOLONG;
    memcpy(parent, path, parent_length);
    parent[parent_length] = 0;
    address->directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (address->directory < 0) return -errno;
    int written = snprintf(address->sun.sun_path, sizeof address->sun.sun_path, "/proc/self/fd/%d/%s",
                           address->directory, slash + 1);
    if (written < 0 || (size_t)written >= sizeof address->sun.sun_path) {
        close(address->directory);
        return -ENAMETOOLONG;
    }
    return 0;
}

void clinux_release_address(struct unix_address *address) {
    if (address->directory >= 0) close(address->directory);
}

static int bind_and_listen(int fd, const struct unix_address *address, mode_t mode, int backlog) {
    const char *path = address->sun.sun_path;
    struct stat status;
    // Only a socket is ours to replace: anything else makes bind fail with EADDRINUSE.
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) && unlink(path) < 0 && errno != ENOENT) return -errno;
    // The mode of the unbound socket is what bind starts from: never wider than wanted, not even for a moment.
    if (fchmod(fd, mode) < 0) return -errno;
    if (bind(fd, (const struct sockaddr *)&address->sun, sizeof address->sun) < 0) return -errno;
    // Undo what the umask took away. Nobody can connect before listen.
    if (chmod(path, mode) < 0 || listen(fd, backlog) < 0) {
        int error = errno;
        unlink(path);
        return -error;
    }
    return 0;
}

int clinux_unix_listen(const char *path, int type, mode_t mode, int backlog) {
    struct unix_address address;
    int result = clinux_make_address(path, &address);
    if (result < 0) return result;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    result = fd < 0 ? -errno : bind_and_listen(fd, &address, mode, backlog);
    clinux_release_address(&address);
    if (result < 0 && fd >= 0) close(fd);
    return result < 0 ? result : fd;
}

static int64_t monotonic_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int set_send_timeout(int fd, int64_t ms) {
    struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ? -errno : 0;
}

static int connect_within(int fd, const struct unix_address *address, int timeout_ms) {
    // A blocking connect honours SO_SNDTIMEO while the backlog is full: the kernel wakes us when there is
    // room, which no poll on a non-blocking socket would tell.
    int64_t deadline = monotonic_ms() + (timeout_ms > 0 ? timeout_ms : 0);
    for (;;) {
        int64_t left = deadline - monotonic_ms();
        int result = set_send_timeout(fd, left > 1 ? left : 1);  // 0 would mean for ever
        if (result < 0) return result;
        if (connect(fd, (const struct sockaddr *)&address->sun, sizeof address->sun) == 0) break;
        if (errno == EAGAIN) return -ETIMEDOUT;
        if (errno != EINTR) return -errno;
        if (left <= 0) return -ETIMEDOUT;
    }
    return set_send_timeout(fd, 0);
}

int clinux_unix_connect(const char *path, int type, int timeout_ms) {
    struct unix_address address;
    int result = clinux_make_address(path, &address);
    if (result < 0) return result;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    result = fd < 0 ? -errno : connect_within(fd, &address, timeout_ms);
    clinux_release_address(&address);
    if (result < 0 && fd >= 0) close(fd);
    return result < 0 ? result : fd;
}

int clinux_accept(int fd) {
    int connection;
    do connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (connection < 0 && errno == EINTR);
    return connection < 0 ? -errno : connection;
}

int clinux_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
    if (pid) *pid = credentials.pid;
    if (uid) *uid = credentials.uid;
    if (gid) *gid = credentials.gid;
    return 0;
}

int clinux_seqpacket_pair(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
}

int clinux_stream_pair(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
}

static int has_value(int fd, int option, int wanted) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
}

// A zombie whose parent does not care may stay one for ever.
static int has_ended(pid_t pid) {
    int fd = clinux_pidfd_open(pid);
    if (fd < 0) return fd == -ESRCH;
    struct pollfd end = {.fd = fd, .events = POLLIN};
    int ended = poll(&end, 1, 0) > 0;
    close(fd);
    return ended;
}

// The process may have closed what it was given and opened something of its own under the number. Only a pair has no
// name on either side; and one of its own was made by a process that lives.
static int is_end_of_ours(int fd) {
    struct sockaddr_un name;
    socklen_t own = sizeof name, peer = sizeof name;
    if (!has_value(fd, SO_DOMAIN, AF_UNIX) || !has_value(fd, SO_TYPE, SOCK_STREAM)) return 0;
    if (getsockname(fd, (struct sockaddr *)&name, &own) < 0 || own != sizeof(sa_family_t)) return 0;
    if (getpeername(fd, (struct sockaddr *)&name, &peer) < 0 || peer != sizeof(sa_family_t)) return 0;
    pid_t maker = 0;
    uid_t uid = 0;
    if (clinux_peer_credentials(fd, &maker, &uid, NULL) < 0 || uid != geteuid() || maker <= 0) return 0;
    return maker == getpid() || has_ended(maker);
}

int clinux_recover_stream_end(int pidfd, int number) {
    int fd = clinux_pidfd_getfd(pidfd, number);
    if (fd < 0) return fd;
    if (is_end_of_ours(fd)) return fd;
    close(fd);
    return -ENOTSOCK;
}

static ssize_t send_with(int socket, const void *bytes, size_t count, int fd, int flags) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd != -1) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, flags);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t clinux_send_packet(int socket, const void *bytes, size_t count, int fd) {
    return send_with(socket, bytes, count, fd, MSG_NOSIGNAL);
}

ssize_t clinux_send_line(int socket, const void *bytes, size_t count, int fd) {
    return send_with(socket, bytes, count, fd, MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t clinux_discard(int socket, size_t count) {
    char bytes[16384];
    // All that one message can carry: SCM_MAX_FD.
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(253 * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = count < sizeof bytes ? count : sizeof bytes};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control.space;
    ssize_t taken;
    do taken = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (taken < 0 && errno == EINTR);
    if (taken < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t descriptors = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < descriptors; i++) {
            int received;
            memcpy(&received, CMSG_DATA(header) + i * sizeof received, sizeof received);
            close(received);
        }
    }
    return taken;
}

ssize_t clinux_receive_packet(int socket, void *bytes, size_t capacity, int *fd, int *truncated) {
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control.space;
    *fd = -1;
    *truncated = 0;
    ssize_t count;
    // A peer that died with unread packets of ours is told once as ECONNRESET; what it sent before comes after that.
    do count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && (errno == EINTR || errno == ECONNRESET));
    if (count < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        // Alignment leaves room for a second descriptor: it must not leak.
        size_t descriptors = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < descriptors; i++) {
            int received;
            memcpy(&received, CMSG_DATA(header) + i * sizeof received, sizeof received);
            if (*fd == -1) *fd = received;
            else close(received);
        }
    }
    *truncated = (message.msg_flags & MSG_CTRUNC) != 0;
    return count;
}
