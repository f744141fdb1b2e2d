import Model

/// Something that is wrong, or that a person should know.
struct Finding: Hashable, Sendable {
    /// Whether it must be dealt with.
    enum Severity: String, CaseIterable, Comparable, Sendable {
        /// Something does not work, or will not after the next reboot or crash.
        case error
        /// It works, and something makes that doubtful.
        case warning
        /// Nothing to do.
        case note

        static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .error: 0
            case .warning: 1
            case .note: 2
            }
        }
    }

    var code: FindingCode
    var severity: Severity
    /// One sentence.
    var message: String
    /// What was seen, a line each.
    var evidence: [String]
    /// A command line that mends it; nil: there is none that fits every case.
    var fix: String?
    /// What `--fix` does about it; nil: nothing, as it could do harm.
    var repair: Repair?
    var layer: DoctorLayer

    init(
        _ code: FindingCode, _ message: String, _ evidence: [String] = [], fix: String? = nil, repair: Repair? = nil,
        severity: Severity? = nil, at layer: DoctorLayer? = nil
    ) {
        self.code = code
        self.layer = layer ?? code.layer ?? .home
        self.severity = severity ?? code.severity
        self.message = message
        self.evidence = evidence
        self.fix = fix
        self.repair = repair
    }
}

/// What `--fix` may do: nothing that ends an app, and nothing to what is not ours.
enum Repair: Hashable, Sendable {
    /// Starts a keeper; it starts a daemon, or takes the place beside a living one.
    case startKeeper
    /// SIGKILL; the keeper starts another daemon, which takes over what runs.
    case replaceDaemon(ProcessIdentity)
    /// SIGCONT.
    case resumeKeeper(ProcessIdentity)
    case closeHome
    case enableLinger(user: String)
}

/// Where the fault is: the order in which they are looked at and shown.
enum DoctorLayer: String, CaseIterable, Sendable {
    case home
    case daemon
    case keeper
    case unit
    case list
    case apps
    case managers
    case ports
    case disk
    case limits
    case clock
    case kernel
}
