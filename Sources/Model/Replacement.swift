// What an instance has besides its process while that is being replaced: `reload` runs the new one beside the old.

/// How an app shows that it can serve.
package enum ReadySign: String, Hashable, Sendable, Codable, CaseIterable {
    /// `"ready"` on its channel.
    case message
    /// A worker of Node's cluster listens.
    case listening
    /// `READY=1` on its notification socket.
    case notified
    /// It has a listening socket of its own.
    case ownSocket
}

/// A process that is to take the place of the present one as soon as it has shown that it can serve.
package struct Successor: Hashable, Sendable, Codable {
    package var generation: Generation
    /// nil: its spawn is under way.
    package var process: ProcessIdentity?
    package var startedAt: Instant?
    /// What it has to show. nil: it has to live until `due`.
    package var awaited: ReadySign?
    package var due: Instant

    package init(generation: Generation, awaited: ReadySign?, due: Instant) {
        self.generation = generation
        self.awaited = awaited
        self.due = due
    }
}

/// A process that was replaced, or that was to replace another and failed: it is on its way out.
package struct Leaving: Hashable, Sendable, Codable {
    package enum Stage: String, Hashable, Sendable, Codable {
        /// Its spawn is under way, and it is not wanted any more.
        case unborn
        /// It takes no more connections and ends when the last one is over.
        case draining
        /// It has got its stop signal.
        case signalled
        case killed
    }

    package var generation: Generation
    package var process: ProcessIdentity?
    package var stage: Stage
    /// When the next stage comes.
    package var due: Instant

    package init(generation: Generation, process: ProcessIdentity?, stage: Stage, due: Instant) {
        self.generation = generation
        self.process = process
        self.stage = stage
        self.due = due
    }
}

/// How far the reload of an instance has come.
package struct ReloadProgress: Hashable, Sendable, Codable {
    package enum Phase: String, Hashable, Sendable, Codable {
        /// Its turn has not come.
        case queued
        case running
        case done
        /// The old process goes on.
        case failed
    }

    package var phase: Phase
    package var actor: Actor
    /// Why it failed; one sentence.
    package var detail: String? {
        didSet { detail = detail?.bounded(to: Self.longestDetail) }
    }
    /// It takes back a change that failed elsewhere: its own failure changes nothing more.
    package var isRollback: Bool?

    /// In bytes of JSON: it lands in a fixed-size slot of the instance table.
    package static let longestDetail = 160

    package init(_ phase: Phase, by actor: Actor, detail: String? = nil, isRollback: Bool? = nil) {
        self.phase = phase
        self.actor = actor
        self.detail = detail?.bounded(to: Self.longestDetail)
        self.isRollback = isRollback
    }

    package var isUnderWay: Bool { phase == .queued || phase == .running }
}

extension AppSpec {
    /// Whether a new process can run beside the old one: neither holds the port for itself.
    package var canOverlap: Bool { isCluster || listen?.isEmpty == false || reload?.overlaps == true }

    /// How long a new process has to show that it can serve, at a reload. Longer than PM2's 3 s where nobody gave a time:
    /// there it is the time after which PM2 goes on regardless, here one after which the reload has failed.
    package var proofTimeout: Milliseconds { readiness?.timeout ?? Milliseconds(30_000) }
}
