/// State of an instance as PM2 names it.
package enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    case launching
    case online
    case stopping
    case stopped
    case errored
    case waitingRestart = "waiting restart"
    /// A job between two runs.
    case scheduled
    /// It starts when what it depends on is ready. PM2 has no such state.
    case waiting

    package var isRunning: Bool {
        switch self {
        case .launching, .online, .stopping: true
        case .stopped, .errored, .waitingRestart, .scheduled, .waiting: false
        }
    }
}

/// What the operator wants of an instance, apart from what it is doing.
package enum Wanted: String, Hashable, Sendable, Codable {
    case running
    case stopped
}

/// Who asked: a person's command, or Hearth itself.
package struct Actor: Hashable, Sendable, Codable, CustomStringConvertible {
    /// For example `deploy (hearth stop api)`, or `hearth`.
    package var description: String

    package init(_ description: String) {
        // Bounded: it lands in a fixed-size slot of the instance table.
        self.description = description.bounded(to: 96)
    }

    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package static let hearth = Actor("hearth")
}

/// Why an instance is in the state it is in. Every transition carries one.
package struct Reason: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case registered
        case started
        case restarted
        case stopped
        case deleted
        case crashed
        case backingOff
        case notRestarted
        case gaveUp
        case retrying
        case spawnFailed
        case couldNotStop
        case adopted
        case restored
        case killedWithDaemon
        case endedUnseen
        /// A new process took the place of the old one, which served until then.
        case reloaded
        /// The new process failed, the old one goes on.
        case notReloaded
        /// A job waits for its time.
        case scheduled
        /// A run of a job is over.
        case runEnded
        /// What it depends on is not ready; the detail says which.
        case waitsFor
    }

    package var kind: Kind
    package var actor: Actor
    /// The sentence after the kind: exit status, numbers, path and errno.
    package var detail: String?
    package var at: Instant

    /// In bytes of JSON: it lands in a fixed-size slot of the instance table.
    package static let longestDetail = 240

    package init(_ kind: Kind, by actor: Actor, detail: String? = nil, at: Instant) {
        self.kind = kind
        self.actor = actor
        self.detail = detail?.bounded(to: Self.longestDetail)
        self.at = at
    }

    /// One line for lists and `why`.
    package var text: String {
        let sentence: String =
            switch kind {
            case .registered: "registered by \(actor), not started"
            case .started: "started by \(actor)"
            case .restarted: "restarted by \(actor)"
            case .stopped: "stopped by \(actor)"
            case .deleted: "deleted by \(actor)"
            case .crashed: "restarted after"
            case .backingOff: "waiting to restart after"
            case .notRestarted: "not restarted:"
            case .gaveUp: "given up:"
            case .retrying: "trying again slowly:"
            case .spawnFailed: "could not be started:"
            case .couldNotStop: "could not be stopped:"
            case .adopted: "adopted by a new hearthd"
            case .restored: "restored by \(actor)"
            case .killedWithDaemon: "stopped with the daemon by \(actor)"
            case .endedUnseen: "ended while no hearthd ran:"
            case .reloaded: "reloaded by \(actor)"
            case .scheduled: "scheduled by \(actor)"
            case .runEnded: "last run:"
            case .notReloaded: "goes on; its reload by \(actor) failed:"
            case .waitsFor: "waits for"
            }
        guard let detail else { return sentence.hasSuffix(":") ? String(sentence.dropLast()) : sentence }
        switch kind {
        case .registered, .started, .restarted, .stopped, .deleted, .adopted, .restored, .killedWithDaemon,
            .reloaded, .scheduled:
            return "\(sentence) (\(detail))"
        default: return "\(sentence) \(detail)"
        }
    }
}

/// Where a spawn failed. Raw values are `clinux_spawn_stage`.
package enum SpawnStage: Int32, Hashable, Sendable, Codable {
    case none = 0
    case clone, session, cgroup, stdin, stdout, stderr, limits, groups, gid, uid, cwd, exec, descriptors
    /// Before the clone: interpreter not found, user unknown.
    case preparation
}

package struct SpawnFailure: Error, Hashable, Sendable, Codable {
    package var stage: SpawnStage
    package var errno: Int32
    /// The full sentence, with path and errno text.
    package var message: String

    package init(stage: SpawnStage, errno: Int32, message: String) {
        self.stage = stage
        self.errno = errno
        self.message = message
    }
}

extension String {
    /// The longest beginning that takes at most `limit` bytes within a JSON string, escapes included: what lands in a
    /// fixed-size slot must fit whatever a program's message contains.
    package func bounded(to limit: Int) -> String {
        var room = limit
        var end = unicodeScalars.startIndex
        for scalar in unicodeScalars {
            room -= Self.jsonLength(of: scalar)
            if room < 0 { return String(self[..<end]) }
            end = unicodeScalars.index(after: end)
        }
        return self
    }

    private static func jsonLength(of scalar: Unicode.Scalar) -> Int {
        switch scalar {
        case "\"", "\\": 2
        case _ where scalar.value < 0x20 || scalar.value == 0x7f: 6
        default: UTF8.width(scalar)
        }
    }
}
