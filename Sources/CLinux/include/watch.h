// inotify, extended attributes, and replacing this program in place.
#ifndef CLINUX_WATCH_H
#define CLINUX_WATCH_H

#include <stdint.h>

/// An inotify descriptor, non-blocking and close-on-exec, or `-errno`.
int clinux_inotify(void);
/// Watches a directory for names that go away in it, and for its own end. Watch number or `-errno`.
int clinux_inotify_watch_removals(int inotify, const char *directory);
/// Watches a file or directory for writes, new and replaced names. Watch number or `-errno`.
int clinux_inotify_watch_changes(int inotify, const char *path);
/// Throws all pending events away. 1 when there were any, 0 when not.
int clinux_inotify_drain(int inotify);
/// Value of an extended attribute. Its length, or `-errno`.
long clinux_get_xattr(const char *path, const char *name, void *value, unsigned long capacity);
/// execve. Returns `-errno`; does not return on success.
int clinux_exec(const char *path, char *const *arguments, char *const *environment);

#endif
