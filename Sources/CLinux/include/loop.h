// epoll and thread names, which Swift's Glibc module does not show.
#ifndef CLINUX_LOOP_H
#define CLINUX_LOOP_H

#include <stdint.h>

enum {
    CLINUX_READABLE = 0x001,  // EPOLLIN
    CLINUX_WRITABLE = 0x004,  // EPOLLOUT
    CLINUX_HANGUP = 0x018,    // EPOLLERR | EPOLLHUP
    CLINUX_EDGE = 1 << 30,    // told once of what is new, instead of as long as there is something (EPOLLET)
};

struct clinux_ready {
    uint32_t events;
    uint64_t data;
};

/// A new epoll descriptor, close-on-exec, or `-errno`.
int clinux_epoll(void);
/// Adds (op 1), changes (3) or removes (2) a descriptor. 0 or `-errno`.
int clinux_epoll_control(int epoll, int op, int fd, uint32_t events, uint64_t data);
/// Waits for events, for ever when `timeout_ms` is -1. How many (at most 64), or `-errno`.
int clinux_epoll_wait(int epoll, struct clinux_ready *ready, int capacity, int timeout_ms);
/// Names the calling thread (15 bytes count).
void clinux_name_thread(const char *name);
/// Lets other threads of the machine go first (nice 5). Has no effect where that is not allowed.
void clinux_lower_thread_priority(void);

#endif
