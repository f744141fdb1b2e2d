// Giving parts of a file back to the file system.
#ifndef CLINUX_HOLES_H
#define CLINUX_HOLES_H

#include <stdint.h>

/// Makes the first `bytes` of a file a hole: its blocks are free, its length stays. 0 or `-errno` (EOPNOTSUPP: the file
/// system has no holes).
int clinux_free_beginning(int fd, int64_t bytes);
/// Takes the first bytes out of a file, so that it becomes shorter. 0 or -errno (EOPNOTSUPP: the file system cannot;
/// EINVAL: not a multiple of its blocks).
int clinux_collapse_beginning(int fd, int64_t bytes);

#endif
