// Internal: not in include/.
#ifndef CLINUX_SIGNALS_H
#define CLINUX_SIGNALS_H

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Sets every signal to its default action, then unblocks all. For a child before its exec: async-signal-safe.
///
/// By the raw call, since glibc refuses 32 and 33, which it keeps to itself: a runtime above us that ignored those
/// would otherwise hand that down to every app.
static inline void clinux_reset_signals(void) {
    // All zero is SIG_DFL without flags in every architecture's layout of the kernel's struct sigaction.
    static const uint64_t by_default[8];
    const uint64_t none = 0;
    for (int signal = 1; signal <= 64; signal++) syscall(SYS_rt_sigaction, signal, by_default, NULL, sizeof none);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

#endif
