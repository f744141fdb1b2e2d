#include "watch.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/xattr.h>
#include <unistd.h>

int clinux_inotify(void) {
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int clinux_inotify_watch_removals(int inotify, const char *directory) {
    int watch = inotify_add_watch(
        inotify, directory, IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    return watch < 0 ? -errno : watch;
}

int clinux_inotify_watch_changes(int inotify, const char *path) {
    int watch = inotify_add_watch(
        inotify, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB);
    return watch < 0 ? -errno : watch;
}

int clinux_inotify_watch_tree(int inotify, const char *directory) {
    int watch = inotify_add_watch(
        inotify, directory,
        IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
            IN_ONLYDIR | IN_EXCL_UNLINK | IN_MASK_ADD);
    return watch < 0 ? -errno : watch;
}

int clinux_inotify_watch_names(int inotify, const char *directory) {
    int watch = inotify_add_watch(inotify, directory, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD);
    return watch < 0 ? -errno : watch;
}

void clinux_inotify_unwatch(int inotify, int watch) {
    inotify_rm_watch(inotify, watch);
}

long clinux_inotify_read(int inotify, char *buffer, unsigned long capacity) {
    ssize_t count = read(inotify, buffer, capacity);
    if (count >= 0) return count;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int clinux_inotify_next(const char *buffer, unsigned long count, unsigned offset, struct clinux_change *change) {
    struct inotify_event event;
    if (offset > count || count - offset < sizeof event) return 0;
    memcpy(&event, buffer + offset, sizeof event);
    if (event.len > count - offset - sizeof event) return 0;
    change->watch = event.wd;
    change->name = offset + offsetof(struct inotify_event, name);
    change->next = change->name + event.len;
    change->kind = (event.mask & IN_ISDIR ? CLINUX_CHANGE_DIRECTORY : 0) |
                   (event.mask & (IN_CREATE | IN_MOVED_TO) ? CLINUX_CHANGE_APPEARED : 0) |
                   (event.mask & (IN_DELETE | IN_MOVED_FROM) ? CLINUX_CHANGE_VANISHED : 0) |
                   (event.mask & IN_IGNORED ? CLINUX_CHANGE_UNWATCHED : 0) |
                   (event.mask & IN_Q_OVERFLOW ? CLINUX_CHANGE_LOST : 0) |
                   (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF) ? CLINUX_CHANGE_SELF_GONE : 0);
    // The kernel pads names with NUL bytes.
    change->name_length = (unsigned)strnlen(buffer + change->name, event.len);
    return 1;
}

int clinux_inotify_drain(int inotify) {
    char buffer[8192];
    int any = 0;
    while (read(inotify, buffer, sizeof buffer) > 0) any = 1;
    return any;
}

int clinux_exec(const char *path, char *const *arguments, char *const *environment) {
    execve(path, arguments, environment);
    return -errno;
}

long clinux_get_xattr(const char *path, const char *name, void *value, unsigned long capacity) {
    ssize_t count = getxattr(path, name, value, capacity);
    return count < 0 ? -errno : count;
}
