import CLinux

/// The descriptors that outlive the daemon, each under its label.
///
/// A dense array, searched from the front: with 8,192 entries that is some microseconds, and it needs no hashing,
/// which Embedded Swift could only have from a newer libc.
struct Deposits {
    struct Deposit {
        let label: keeper_label
        let descriptor: Int32
    }

    private let slots: UnsafeMutablePointer<Deposit>
    private(set) var count = 0

    init?() {
        guard let slots = reserve(Deposit.self, count: KEEPER_MAX_DEPOSITS) else { return nil }
        self.slots = slots
    }

    /// The order is stable as long as nothing is kept or dropped.
    subscript(position: Int) -> Deposit { slots[position] }

    /// Takes over `descriptor`, in place of the one that has the label. False when the vault is full: then it remains
    /// the caller's.
    mutating func keep(_ descriptor: Int32, under label: keeper_label) -> Bool {
        let position = position(of: label)
        if position < count {
            clinux_keeper_close(slots[position].descriptor)
        } else {
            guard count < KEEPER_MAX_DEPOSITS else { return false }
            count += 1
        }
        slots[position] = Deposit(label: label, descriptor: descriptor)
        return true
    }

    /// Closes what has the label; nothing when there is none.
    mutating func drop(_ label: keeper_label) {
        let position = position(of: label)
        guard position < count else { return }
        clinux_keeper_close(slots[position].descriptor)
        count -= 1
        slots[position] = slots[count]
    }

    /// Where the label is, or `count`.
    private func position(of label: keeper_label) -> Int {
        var position = 0
        while position < count && !isSame(slots[position].label, label) { position += 1 }
        return position
    }

    private func isSame(_ left: keeper_label, _ right: keeper_label) -> Bool {
        left.kind == right.kind && left.id == right.id && left.generation == right.generation
            && left.index == right.index
    }
}
