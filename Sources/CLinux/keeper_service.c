// The keeper as the main process of a systemd service: sd_notify, and the descriptors that systemd keeps for it.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "CLinux.h"
#include "keeper_support.h"

enum { FIRST_INHERITED = 3 };

/// Connected to nobody: each message names the service manager's address. -1: nobody to notify.
static int notify_socket = -1;
static struct sockaddr_un manager;
static socklen_t manager_length;
static int inherited_count;
static char inherited_names[KEEPER_MAX_DEPOSITS * 24];

/// `@` begins an abstract name.
static int manager_address(const char *path) {
    size_t length = strlen(path);
    if ((*path != '/' && *path != '@') || length < 2 || length >= sizeof manager.sun_path) return -EINVAL;
    manager.sun_family = AF_UNIX;
    memcpy(manager.sun_path, path, length);
    if (*path == '@') manager.sun_path[0] = 0;
    manager_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

int clinux_keeper_service_start(void) {
    const char *own = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
    if (own && count && names && atol(own) == (long)getpid() && strlen(names) < sizeof inherited_names) {
        int number = atoi(count);
        if (number > 0 && number <= KEEPER_MAX_DEPOSITS) inherited_count = number;
        strcpy(inherited_names, names);
    }
    for (int i = 0; i < inherited_count; i++) clinux_set_cloexec(FIRST_INHERITED + i, 1);

    const char *path = getenv("NOTIFY_SOCKET");
    if (path && manager_address(path) == 0) {
        // Behind the inherited ones: what lies there is to be closed anyway.
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), place = FIRST_INHERITED + inherited_count;
        if (fd >= 0 && fd != place) {
            int moved = dup3(fd, place, O_CLOEXEC);
            close(fd);
            fd = moved;
        }
        notify_socket = fd;
    }
    // hearthd and what it starts are not the ones who were meant.
    const char *const ours[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) unsetenv(ours[i]);
    return FIRST_INHERITED + inherited_count + (notify_socket >= 0);
}

int clinux_keeper_in_service(void) { return notify_socket >= 0; }

int clinux_keeper_claims(void) {
    const char *unit = getenv("HEARTH_UNIT");
    return unit && *unit;
}

/// 1 when the manager has it, 0 when it has no room now, `-errno` otherwise.
static int notify(const char *text, int fd) {
    if (notify_socket < 0) return 1;
    union { struct cmsghdr header; char bytes[CMSG_SPACE(sizeof(int))]; } control;
    struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
    struct msghdr message = {.msg_name = &manager, .msg_namelen = manager_length, .msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    if (sendmsg(notify_socket, &message, MSG_NOSIGNAL) >= 0) return 1;
    return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
}

int clinux_keeper_notify_ready(void) { return notify("READY=1", -1); }
int clinux_keeper_notify_alive(void) { return notify("WATCHDOG=1", -1); }

int clinux_keeper_notify_counts(uint64_t online, uint64_t wanted, uint64_t errored) {
    char text[160];
    int length = snprintf(text, sizeof text, "STATUS=%llu of %llu apps online", (unsigned long long)online,
                          (unsigned long long)wanted);
    if (errored) snprintf(text + length, sizeof text - (size_t)length, ", %llu errored", (unsigned long long)errored);
    return notify(text, -1);
}

static void label_name(const struct keeper_label *label, char *text, size_t size) {
    snprintf(text, size, "%u-%u-%u-%u", label->kind, label->id, label->generation, label->index);
}

int clinux_keeper_store(const struct keeper_label *label, int fd) {
    char name[64], text[128];
    label_name(label, name, sizeof name);
    // FDPOLL=0: systemd would drop a channel whose other end closes, which is ours to decide.
    snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
    return notify(text, fd);
}

int clinux_keeper_unstore(const struct keeper_label *label) {
    char name[64], text[128];
    label_name(label, name, sizeof name);
    snprintf(text, sizeof text, "FDSTOREREMOVE=1\nFDNAME=%s", name);
    return notify(text, -1);
}

int clinux_keeper_inherited(int position, struct keeper_label *label) {
    if (position < 0 || position >= inherited_count) return -ENOENT;
    const char *name = inherited_names;
    for (int i = 0; i < position && name; i++) {
        name = strchr(name, ':');
        if (name) name++;
    }
    memset(label, 0, sizeof *label);
    if (!name || sscanf(name, "%u-%u-%u-%u", &label->kind, &label->id, &label->generation, &label->index) != 4)
        label->kind = 0;  // not one of ours: the caller closes it
    return FIRST_INHERITED + position;
}
