import CLinux

/// How processes ended that became the keeper's children when their daemon died: the last 4,096.
///
/// The zombie is reaped at once. Pid and start time together name a process for ever (within one boot), so nothing
/// is gained by leaving it, and a zombie per exit would grow without bound when nobody asks.
struct Exits {
    struct Exit {
        let pid: pid_t
        let status: Int32
        let startTime: UInt64
    }

    private let slots: UnsafeMutablePointer<Exit>
    /// Exits ever recorded; the serial number of the next one.
    private(set) var total = 0

    init?() {
        guard let slots = reserve(Exit.self, count: KEEPER_MAX_EXITS) else { return nil }
        self.slots = slots
    }

    /// Serial number of the oldest one still remembered; `total` when there is none.
    var oldest: Int { total > KEEPER_MAX_EXITS ? total - KEEPER_MAX_EXITS : 0 }

    subscript(serial: Int) -> Exit { slots[serial % KEEPER_MAX_EXITS] }

    mutating func append(_ exit: Exit) {
        slots[total % KEEPER_MAX_EXITS] = exit
        total += 1
    }
}
