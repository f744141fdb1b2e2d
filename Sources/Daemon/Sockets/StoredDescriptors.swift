import CLinux
import Model
import Platform
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

// What an app leaves with its manager for its next process (`FDSTORE=1` of `sd_notify`): a listening socket of its own,
// a memfd with its state. Kept while the instance is to run; its next process finds them behind the held sockets.
//
// The keeper has a copy of each, and beside it a memfd with the name that the app gave: one label, an even index and the
// odd one behind it. Names go first, so that there is never a descriptor without one. When keeper and hearthd die
// together the descriptors are lost: nobody else has them under a number that is known.

/// The descriptors that apps have stored.
final class StoredDescriptors {
    private struct Entry {
        /// Even.
        var index: UInt32
        var name: String
        var descriptor: Int32
        /// The memfd with the name.
        var label: Int32
    }

    /// Of one instance.
    static let most = 64
    /// The name of what came without one, as systemd has it.
    static let usualName = "stored"

    private let services: Services
    private var entries: [InstanceID: [Entry]] = [:]

    init(_ services: Services) { self.services = services }

    func hasAny(_ id: InstanceID) -> Bool { entries[id] != nil }

    /// The descriptors are ours from here on. Returns how many were not taken, because there are too many.
    func store(_ id: InstanceID, _ descriptors: [Int32], name: String?) -> Int {
        var refused = 0
        for descriptor in descriptors {
            let stored = entries[id] ?? []
            if stored.contains(where: { Self.isSame($0.descriptor, descriptor) }) {
                _ = close(descriptor)
                continue
            }
            guard let index = freeIndex(stored), let label = Self.memfd(name ?? Self.usualName) else {
                _ = close(descriptor)
                refused += 1
                continue
            }
            let entry = Entry(index: index, name: name ?? Self.usualName, descriptor: descriptor, label: label)
            entries[id, default: []].append(entry)
            deposit(id, entry)
        }
        return refused
    }

    func remove(_ id: InstanceID, name: String?) {
        let name = name ?? Self.usualName
        for entry in entries[id] ?? [] where entry.name == name { drop(id, entry) }
        entries[id]?.removeAll { $0.name == name }
        if entries[id]?.isEmpty == true { entries[id] = nil }
    }

    /// The instance is not to run any more.
    func removeAll(_ id: InstanceID) {
        for entry in entries.removeValue(forKey: id) ?? [] { drop(id, entry) }
    }

    /// For the next process, in the order in which they were stored: copies, the receiver's to close.
    func copies(_ id: InstanceID) -> [DescriptorPlan.Passed] {
        (entries[id] ?? []).compactMap { entry in
            let copy = fcntl(entry.descriptor, F_DUPFD_CLOEXEC, 3)
            return copy >= 0 ? DescriptorPlan.Passed(name: entry.name, descriptor: copy) : nil
        }
    }

    // MARK: The keeper

    func take(_ deposits: [Vault.Deposit]) {
        let ours = deposits.filter { $0.kind == KEEPER_KIND_STORED.rawValue }
        var labels: [InstanceID: [UInt32: Int32]] = [:]
        for deposit in ours where deposit.index % 2 == 1 {
            labels[InstanceID(deposit.id), default: [:]][deposit.index] = deposit.descriptor
        }
        for deposit in ours.sorted(by: { $0.index < $1.index }) where deposit.index % 2 == 0 {
            let id = InstanceID(deposit.id)
            let label = labels[id]?.removeValue(forKey: deposit.index + 1)
            guard let label, let name = Self.name(in: label) else {
                if let label { drop(id, deposit.index + 1, label) }
                drop(id, deposit.index, deposit.descriptor)
                continue
            }
            entries[id, default: []].append(
                Entry(index: deposit.index, name: name, descriptor: deposit.descriptor, label: label))
        }
        // Names whose descriptor did not come, or was dropped.
        for (id, labels) in labels {
            for (index, label) in labels { drop(id, index, label) }
        }
    }

    /// Drops what belongs to no instance that is to run.
    func settle(_ isKept: (InstanceID) -> Bool) {
        for id in entries.keys where !isKept(id) { removeAll(id) }
    }

    /// To a keeper that is new.
    func depositAgain() {
        for (id, entries) in entries {
            for entry in entries { deposit(id, entry) }
        }
    }

    private func deposit(_ id: InstanceID, _ entry: Entry) {
        services.vault.deposit(KEEPER_KIND_STORED, id: id.rawValue, index: entry.index + 1, entry.label)
        services.vault.deposit(KEEPER_KIND_STORED, id: id.rawValue, index: entry.index, entry.descriptor)
    }

    private func drop(_ id: InstanceID, _ entry: Entry) {
        drop(id, entry.index, entry.descriptor)
        drop(id, entry.index + 1, entry.label)
    }

    private func drop(_ id: InstanceID, _ index: UInt32, _ descriptor: Int32) {
        // The keeper answers when it has what was sent before, so nothing is closed that is still to be sent.
        services.vault.drop(KEEPER_KIND_STORED, id: id.rawValue, index: index) { _ in _ = close(descriptor) }
    }

    private func freeIndex(_ stored: [Entry]) -> UInt32? {
        let used = Set(stored.map(\.index))
        return (0..<UInt32(Self.most)).lazy.map { $0 * 2 }.first { !used.contains($0) }
    }

    // MARK: Descriptors

    private static func memfd(_ name: String) -> Int32? {
        let label = clinux_memfd("hearth-stored")
        guard label >= 0 else { return nil }
        let bytes = Array(name.utf8)
        guard write(label, bytes, bytes.count) == bytes.count else {
            _ = close(label)
            return nil
        }
        return label
    }

    private static func name(in label: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: Notification.longestName)
        let count = pread(label, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }

    /// Whether both are the same file or socket: an app that stores at every start stores what it was given again.
    private static func isSame(_ one: Int32, _ other: Int32) -> Bool {
        var (first, second) = (stat(), stat())
        guard fstat(one, &first) == 0, fstat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }
}
