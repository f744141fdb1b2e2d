/// How a process ended.
package enum ExitStatus: Hashable, Sendable, Codable, CustomStringConvertible {
    case exited(code: Int)
    case signalled(Signal, coreDumped: Bool)
    /// Nobody who could know was there: the reason is said in the explanation.
    case unknown

    /// From a wait status as waitpid gives it.
    package init(waitStatus: Int32) {
        let low = waitStatus & 0x7f
        if low == 0 {
            self = .exited(code: Int((waitStatus >> 8) & 0xff))
        } else if let signal = Signal(rawValue: low) {
            self = .signalled(signal, coreDumped: waitStatus & 0x80 != 0)
        } else {
            self = .unknown
        }
    }

    private enum Key: String, CodingKey {
        case code, signal, coreDumped
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let code = try container.decodeIfPresent(Int.self, forKey: .code) {
            self = .exited(code: code)
        } else if let signal = try container.decodeIfPresent(Signal.self, forKey: .signal) {
            self = .signalled(
                signal, coreDumped: try container.decodeIfPresent(Bool.self, forKey: .coreDumped) ?? false)
        } else {
            self = .unknown
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .exited(let code): try container.encode(code, forKey: .code)
        case .signalled(let signal, let coreDumped):
            try container.encode(signal, forKey: .signal)
            if coreDumped { try container.encode(true, forKey: .coreDumped) }
        case .unknown: break
        }
    }

    package var isSuccess: Bool { self == .exited(code: 0) }

    /// PM2's `exit_code`: 0 for a death by signal.
    package var code: Int {
        if case .exited(let code) = self { return code }
        return 0
    }

    package var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal, let coreDumped): coreDumped ? "\(signal) (core dumped)" : "\(signal)"
        case .unknown: "an unknown exit status"
        }
    }
}

/// Why a process ended, as `why` tells it.
package enum ExitCause: String, Hashable, Sendable, Codable, CaseIterable {
    /// Hearth ended it, because somebody or a rule asked for it.
    case ours
    /// It ended by itself with an exit code.
    case exit
    /// It died of a fault of its own (SIGSEGV, SIGABRT, …).
    case signal
    /// The kernel killed it for memory.
    case oom
    /// Somebody other than Hearth sent the signal.
    case outside
    case unknown
}

/// The last end of an instance.
package struct LastExit: Hashable, Sendable, Codable {
    package var status: ExitStatus
    package var cause: ExitCause
    package var at: Instant
    /// How long it had run.
    package var uptime: Milliseconds
    package var pid: Int32
    /// What is known beyond the status: who sent the signal, the holder of its port, the kernel's words.
    package var detail: String? {
        didSet { detail = detail?.bounded(to: Self.longestDetail) }
    }

    /// In bytes of JSON.
    package static let longestDetail = 240

    package init(
        status: ExitStatus, cause: ExitCause, at: Instant, uptime: Milliseconds, pid: Int32, detail: String? = nil
    ) {
        self.status = status
        self.cause = cause
        self.at = at
        self.uptime = uptime
        self.pid = pid
        self.detail = detail?.bounded(to: Self.longestDetail)
    }
}
