// The app that the benchmarks supervise. Its first act is to say when it ran: CLOCK_BOOTTIME is one clock for all
// processes, so the time since the harness killed its predecessor is exact.
//
//   app                             exits: the floor of starting and ending any process
//   app STAMPS NAME                 appends "NANOSECONDS PID NAME" to STAMPS, then sleeps until a signal ends it
//   app STAMPS NAME LINES           the same; on SIGUSR1 writes LINES lines of 100 bytes, one write each, and
//                                   appends "NANOSECONDS PID NAME.done"
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 100 };

static long long boottime(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void stamp(const char *path, long long when, const char *name, const char *suffix) {
    char line[256];
    int length = snprintf(line, sizeof line, "%lld %d %s%s\n", when, (int)getpid(), name, suffix);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line, (size_t)length) != length) _exit(1);
    close(fd);
}

static void write_lines(long count) {
    char line[LINE_BYTES + 1];
    for (long number = 1; number <= count; number++) {
        int length = snprintf(line, sizeof line, "%09ld ", number);
        memset(line + length, 'x', (size_t)(LINE_BYTES - 1 - length));
        line[LINE_BYTES - 1] = '\n';
        for (int done = 0; done < LINE_BYTES;) {
            ssize_t written = write(1, line + done, (size_t)(LINE_BYTES - done));
            if (written < 0) _exit(1);
            done += (int)written;
        }
    }
}

int main(int count, char **arguments) {
    long long began = boottime();
    if (count < 3) return 0;
    sigset_t go;
    sigemptyset(&go);
    sigaddset(&go, SIGUSR1);
    if (count > 3) sigprocmask(SIG_BLOCK, &go, NULL);
    stamp(arguments[1], began, arguments[2], "");
    if (count > 3) {
        int number;
        sigwait(&go, &number);
        write_lines(atol(arguments[3]));
        stamp(arguments[1], boottime(), arguments[2], ".done");
    }
    for (;;) pause();
}
