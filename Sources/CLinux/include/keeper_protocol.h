// The private protocol between hearth-keeper and hearthd: SOCK_SEQPACKET, fixed-size packets, at most one
// descriptor each. It lives in C because an Embedded Swift module cannot import an ordinary one.
#ifndef KEEPER_PROTOCOL_H
#define KEEPER_PROTOCOL_H

#include <stdint.h>

/// The version of PM2 that Hearth answers as in a home of PM2's.
#define KEEPER_PM2_VERSION "7.0.3"

enum {
    KEEPER_PROTOCOL_VERSION = 1,
    /// The inherited end of the vault socket in a hearthd that the keeper started.
    KEEPER_VAULT_FD = 3,
    /// Exit code of a hearthd that found the home locked by another one: the keeper attaches to that one instead.
    KEEPER_EXIT_LOCKED = 75,
    /// Exit code of a hearthd that can't run here whatever the number of tries (bad home, other machine's state).
    KEEPER_EXIT_CONFIG = 78,
    KEEPER_MAX_DEPOSITS = 8192,
    KEEPER_MAX_EXITS = 4096,
    KEEPER_LABEL_KINDS = 16,
};

/// What a packet is. K>D: keeper to daemon; D>K: daemon to keeper.
enum keeper_message {
    KEEPER_HELLO = 1,      // D>K first packet of an attached daemon: pid of hearthd in `a`, version in `b`
    KEEPER_WELCOME = 2,    // K>D answer: pid of the keeper in `a`, version in `b`
    KEEPER_DEPOSIT = 3,    // D>K with a descriptor: keep it under `label`, replacing a former one. Answer ACK or NACK
    KEEPER_DROP = 4,       // D>K forget `label`. Answer ACK (also when unknown)
    KEEPER_LIST = 5,       // D>K answer: one ITEM with descriptor per deposit, then END
    KEEPER_ITEM = 6,       // K>D with a descriptor
    KEEPER_END = 7,        // K>D count of items in `a`
    KEEPER_EXITS = 8,      // D>K answer: one EXIT per remembered exit, then END
    KEEPER_EXIT = 9,       // K>D pid in `a`, start time in `b`, wait status in `c`. Also sent unasked when it happens
    KEEPER_ACK = 10,       // K>D `a`: the message it answers, label repeated
    KEEPER_NACK = 11,      // K>D `a`: the message it answers, `b`: errno
    KEEPER_PING = 12,      // K>D heartbeat: serial in `a`
    KEEPER_PONG = 13,      // D>K serial in `a`
    KEEPER_READY = 14,     // D>K adoption is done: from now on a death is followed by a restart at once
    KEEPER_STAND_DOWN = 15,// D>K the daemon ends on purpose: do not start another, exit 0 after it. Answer ACK
    KEEPER_PID_FILE = 16,  // reserved
    KEEPER_REFUSED = 17,   // D>K to a keeper that connected although there is one, or that lost its place: exit 0
    KEEPER_CLAIM = 18,     // K>D first packet of a keeper that a service manager started: it takes the place of another
    KEEPER_COUNTS = 19,    // D>K instances online in `a`, wanted in `b`, errored in `c`, for the service manager
};

struct keeper_label {
    uint32_t kind;        // see keeper_kind
    uint32_t id;          // instance id, 0 where none
    uint32_t generation;  // instance generation, 0 where none
    uint32_t index;       // several of a kind: 0, 1, …
};

enum keeper_kind {
    KEEPER_KIND_TABLE = 1,    // memfd of the instance table
    KEEPER_KIND_CONTROL = 2,  // listening control socket
    KEEPER_KIND_CHANNEL = 3,  // Node IPC channel
    KEEPER_KIND_LISTENER = 4, // listening socket of an app
    KEEPER_KIND_STDIN = 5,
    KEEPER_KIND_LIST = 6,     // memfd of the desired state, while the disk does not take it
    KEEPER_KIND_STORED = 7,   // what an app stored: an even index, and the odd one behind it for its name
    KEEPER_KIND_REPORT = 8,   // memfd of what a process told once of itself: its actions
};

struct keeper_packet {
    uint32_t type;
    uint32_t reserved;
    struct keeper_label label;
    uint64_t a, b, c;
};

#endif
