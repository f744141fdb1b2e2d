import CLinux

/// The descriptors that outlive the daemon, each under its label.
///
/// A dense array, searched from the front: with 8,192 entries that is some microseconds, and it needs no hashing,
/// which Embedded Swift could only have from a newer libc.
struct Deposits {
    struct Deposit {
        var label: keeper_label
        /// -1: dropped; only the service manager still has it.
        var descriptor: Int32
        var copy: Copy
    }

    /// How the service manager's copy stands to ours. Where there is no manager, everything is as `same` at once.
    ///
    /// Not an enum, see `Condition`.
    struct Copy {
        static let same = Copy(rawValue: 0)
        static let missing = Copy(rawValue: 1)
        /// Of a former descriptor with this label.
        static let old = Copy(rawValue: 2)

        let rawValue: UInt8
    }

    private let slots: UnsafeMutablePointer<Deposit>
    private(set) var count = 0
    /// Deposits whose copy is not as it should be.
    private(set) var unsettled = 0

    init?() {
        guard let slots = reserve(Deposit.self, count: KEEPER_MAX_DEPOSITS) else { return nil }
        self.slots = slots
    }

    /// The order is stable as long as nothing is kept or dropped.
    subscript(position: Int) -> Deposit { slots[position] }

    /// What the manager kept for us when the keeper before us died.
    mutating func inherit() {
        var label = keeper_label()
        var position: Int32 = 0
        while true {
            let descriptor = clinux_keeper_inherited(position, &label)
            guard descriptor >= 0 else { return }
            position += 1
            guard label.kind > 0, count < KEEPER_MAX_DEPOSITS, self.position(of: label) == count else {
                clinux_keeper_close(descriptor)
                continue
            }
            slots[count] = Deposit(label: label, descriptor: descriptor, copy: .same)
            count += 1
        }
    }

    /// Takes over `descriptor`, in place of the one that has the label. False when the vault is full: then it remains
    /// the caller's.
    mutating func keep(_ descriptor: Int32, under label: keeper_label) -> Bool {
        let position = position(of: label)
        if position < count {
            clinux_keeper_close(slots[position].descriptor)
            slots[position].descriptor = descriptor
            if slots[position].copy.rawValue == Copy.same.rawValue { mark(position, .old) }
            return true
        }
        guard count < KEEPER_MAX_DEPOSITS else { return false }
        slots[position] = Deposit(label: label, descriptor: descriptor, copy: .same)
        count += 1
        mark(position, .missing)
        return true
    }

    /// Closes what has the label; nothing when there is none.
    mutating func drop(_ label: keeper_label) {
        let position = position(of: label)
        guard position < count else { return }
        clinux_keeper_close(slots[position].descriptor)
        slots[position].descriptor = -1
        if slots[position].copy.rawValue == Copy.missing.rawValue {
            unsettled -= 1
            return remove(position)
        }
        if slots[position].copy.rawValue == Copy.same.rawValue { mark(position, .old) }
        if clinux_keeper_in_service() == 0 { settle() }
    }

    /// Tells the manager what it does not know yet. It takes no more for now: the rest stays for the next time.
    mutating func settle() {
        var position = 0
        while unsettled > 0 && position < count {
            guard slots[position].copy.rawValue != Copy.same.rawValue else {
                position += 1
                continue
            }
            if slots[position].copy.rawValue == Copy.old.rawValue {
                guard clinux_keeper_unstore(&slots[position].label) != 0 else { return }
                if slots[position].descriptor < 0 {
                    unsettled -= 1
                    remove(position)
                    continue
                }
                slots[position].copy = .missing
            }
            guard clinux_keeper_store(&slots[position].label, slots[position].descriptor) != 0 else { return }
            slots[position].copy = .same
            unsettled -= 1
            position += 1
        }
    }

    private mutating func mark(_ position: Int, _ copy: Copy) {
        slots[position].copy = copy
        unsettled += 1
    }

    private mutating func remove(_ position: Int) {
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
