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
/// Watches a directory for everything that changes a tree, added to what it is watched for already: names that come and
/// go, and files that were closed after writing. Not each single write: a log that stays open wakes nobody.
/// Watch number or `-errno`.
int clinux_inotify_watch_tree(int inotify, const char *directory);
/// Watches a directory for new names only, added to what it is watched for already. Watch number or `-errno`.
int clinux_inotify_watch_names(int inotify, const char *directory);
void clinux_inotify_unwatch(int inotify, int watch);

/// One event, as far as trees need it.
struct clinux_change {
    int watch;
    /// CLINUX_CHANGE_* bits.
    unsigned kind;
    /// Where in the buffer its name is. Without one the event is about the directory itself.
    unsigned name;
    unsigned name_length;
    /// Where the next one begins.
    unsigned next;
};
enum {
    CLINUX_CHANGE_DIRECTORY = 1,  // what changed is a directory
    CLINUX_CHANGE_APPEARED = 2,   // created, or moved in
    CLINUX_CHANGE_VANISHED = 4,   // deleted, or moved away
    CLINUX_CHANGE_UNWATCHED = 8,  // the watch ended with its directory
    CLINUX_CHANGE_LOST = 16,      // the queue was full: anything may have changed
    CLINUX_CHANGE_SELF_GONE = 32, // the watched directory itself was deleted or moved
};
/// Fills the buffer with events. Bytes read, 0 when there are none, or `-errno`.
long clinux_inotify_read(int inotify, char *buffer, unsigned long capacity);
/// The event at `offset` of what was read. 1, or 0 when there is none.
int clinux_inotify_next(const char *buffer, unsigned long count, unsigned offset, struct clinux_change *change);
/// Throws all pending events away. 1 when there were any, 0 when not.
int clinux_inotify_drain(int inotify);
/// Value of an extended attribute. Its length, or `-errno`.
long clinux_get_xattr(const char *path, const char *name, void *value, unsigned long capacity);
/// execve. Returns `-errno`; does not return on success.
int clinux_exec(const char *path, char *const *arguments, char *const *environment);

#endif
