#include "watch.h"

#include <errno.h>
#include <stddef.h>
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
