#include "loop.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_epoll(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int clinux_epoll_control(int epoll, int op, int fd, uint32_t events, uint64_t data) {
    uint32_t edge = events & CLINUX_EDGE ? (uint32_t)EPOLLET : 0;
    struct epoll_event event = {.events = (events & ~(uint32_t)CLINUX_EDGE) | edge, .data = {.u64 = data}};
    return epoll_ctl(epoll, op, fd, &event) < 0 ? -errno : 0;
}

int clinux_epoll_wait(int epoll, struct clinux_ready *ready, int capacity, int timeout_ms) {
    struct epoll_event events[64];
    if (capacity > 64) capacity = 64;
    int count = epoll_wait(epoll, events, capacity, timeout_ms);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) {
        ready[i].events = events[i].events;
        ready[i].data = events[i].data.u64;
    }
    return count;
}

void clinux_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

void clinux_lower_thread_priority(void) {
    // On Linux the priority is the thread's, not the process's.
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
}
