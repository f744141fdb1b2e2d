/// Which worker of one app has which sockets, and what is said to all that have the same.
package struct ClusterLedger<Worker: Hashable & Sendable>: Sendable {
    /// Nil: it was there before us, and may have any.
    private var keys: [Worker: Set<String>?] = [:]
    private var data: [String: String] = [:]

    package init() {}

    package var isEmpty: Bool { keys.isEmpty }

    /// - Parameter isNew: false for a worker of a former daemon's.
    package mutating func enter(_ worker: Worker, isNew: Bool) {
        if isNew { keys[worker] = .some([]) } else { keys[worker] = .some(nil) }
    }

    /// What the first worker with that key said beside it.
    package mutating func agreed(_ key: String, _ proposed: String) -> String {
        if let former = data[key], former != "null" { return former }
        data[key] = proposed
        return proposed
    }

    package mutating func gave(_ key: String, to worker: Worker) {
        guard case .some(.some(var own)) = keys[worker] else { return }
        own.insert(key)
        keys[worker] = .some(own)
    }

    /// Whether nobody has that socket any more.
    package mutating func closed(_ key: String, by worker: Worker) -> Bool {
        if case .some(.some(var own)) = keys[worker] {
            own.remove(key)
            keys[worker] = .some(own)
        }
        let isFree = keys.allSatisfy { $0.key == worker || $0.value?.contains(key) == false }
        if isFree { data[key] = nil }
        return isFree
    }

    package mutating func leave(_ worker: Worker) { keys.removeValue(forKey: worker) }
}
