#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>

int clinux_free_beginning(int fd, int64_t bytes) {
    int result;
    do {
        result = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, bytes);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

int clinux_collapse_beginning(int fd, int64_t bytes) {
    int result;
    do {
        result = fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, bytes);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}
