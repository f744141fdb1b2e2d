internal import CLinux
package import Model

/// Everything that the trampoline needs to start one process. Made on the loop, used on a spawner thread.
package struct SpawnRequest: Sendable {
    package var command: Command
    package var environment: [String]
    package var cwd: String
    /// nil: /dev/null.
    package var standardOutput: String?
    package var standardError: String?
    package var stdin: StandardInput
    /// User and group as given in the configuration; resolved when spawning.
    package var uid: String?
    package var gid: String?
    /// HOME, USER and LOGNAME are set to the account's, but for those named here, which the app set itself.
    package var ownAccountVariables: Set<String>
    /// Descriptors the child gets beyond 0, 1 and 2.
    package var descriptors: [(from: Int32, to: Int32)]
    /// The child's own pid is added to its environment as LISTEN_PID: it says whom the sockets are meant for.
    package var hasSockets = false
    /// The instance's cgroup, made if it is not there; nil: none.
    package var cgroup: String?
    /// What the cgroup may use, in bytes; nil: no limit, or nothing is counted here.
    package var memoryMax: Int64?
    /// The soft limit on open files as it was before the daemon raised its own.
    package var openFilesLimit: UInt64
    package var umask: UInt32
    /// A word in the shared instance table where the child writes its pid before it does anything else.
    package var pidSlot: PidSlot?

    /// Program and arguments, before the lookup in the app's own PATH.
    package struct Command: Sendable {
        package var program: String
        package var arguments: [String]

        package init(program: String, arguments: [String]) {
            self.program = program
            self.arguments = arguments
        }
    }

    package init(
        command: Command, environment: [String], cwd: String, standardOutput: String?, standardError: String?,
        stdin: StandardInput, uid: String?, gid: String?,
        ownAccountVariables: Set<String> = [], descriptors: [(from: Int32, to: Int32)] = [],
        cgroup: String? = nil, openFilesLimit: UInt64, umask: UInt32, pidSlot: PidSlot?
    ) {
        self.command = command
        self.environment = environment
        self.cwd = cwd
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.stdin = stdin
        self.uid = uid
        self.gid = gid
        self.ownAccountVariables = ownAccountVariables
        self.descriptors = descriptors
        self.cgroup = cgroup
        self.openFilesLimit = openFilesLimit
        self.umask = umask
        self.pidSlot = pidSlot
    }
}

/// Address of a word in the instance table's mapping, which lives as long as the process.
package struct PidSlot: @unchecked Sendable {
    // Sendable: the mapping is never unmapped, and the word is only read and written atomically.
    package let pointer: UnsafeMutablePointer<Int32>
    package init(_ pointer: UnsafeMutablePointer<Int32>) { self.pointer = pointer }
}

/// A process that was started: its identity and a pidfd that the receiver owns.
package struct SpawnedProcess: Sendable {
    package let process: ProcessIdentity
    package let pidfd: Int32
}
