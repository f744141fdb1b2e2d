import Glibc
import Model
import Testing

@testable import Platform

/// A directory of a test's own, removed with everything in it.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/hearth-inspection-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(errno, "make a scratch directory") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        let remove = try? Child(["/bin/rm", "-rf", path])
        _ = remove?.wait()
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The whole numbers in a file that a child writes, once there are `count` of them.
    func numbers(in name: String, count: Int = 1) throws -> [Int32] {
        var found: [Int32] = []
        let isThere = eventually {
            let bytes = contents(file(name))
            guard bytes.last == 0x0A else { return false }
            found = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }.compactMap { Int32($0) }
            return found.count >= count
        }
        try #require(isThere, "no \(count) numbers in \(name): \(found)")
        return found
    }

    func write(_ bytes: [UInt8], to name: String, at offset: Int = 0) {
        let fd = open(file(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        defer { close(fd) }
        #expect(bytes.withUnsafeBytes { pwrite(fd, $0.baseAddress, $0.count, offset) } == bytes.count)
    }
}

func contents(_ path: String) -> [UInt8] {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return [] }
    defer { close(fd) }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = buffer.withUnsafeMutableBytes { read(fd, $0.baseAddress, $0.count) }
    return Array(buffer.prefix(max(0, count)))
}

/// Waits until something is so, at most ten seconds.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let deadline = now.tv_sec + 10
    while true {
        if try condition() { return true }
        clock_gettime(CLOCK_MONOTONIC, &now)
        if now.tv_sec > deadline { return false }
        usleep(2000)
    }
}

/// A real child in a session of its own, killed with everything in that session at the end.
final class Child {
    let pid: Int32
    private var extra: [Int32] = []
    private var isReaped = false

    /// `environment`: all that it gets, beside PATH.
    init(_ arguments: [String], environment: [String] = []) throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test's thread blocks signals, and a child would inherit that.
        var nothing = sigset_t()
        sigemptyset(&nothing)
        posix_spawnattr_setsigmask(&attributes, &nothing)
        posix_spawnattr_setflags(&attributes, 0x88)  // POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK
        // What lives on must not hold the output of the tests: whoever reads that waits for its end.
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for fd in Int32(0)...2 { posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0) }
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = (["PATH=/usr/bin:/bin"] + environment).map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, &envp)
        guard result == 0 else { throw SystemError(result, "run '\(arguments[0])'") }
        self.pid = pid
    }

    static func shell(_ script: String, tag: InstanceTag? = nil) throws -> Child {
        try Child(["/bin/sh", "-c", script], environment: tag.map { [$0.environmentEntry] } ?? [])
    }

    static func python(_ script: String, arguments: [String] = [], tag: InstanceTag? = nil) throws -> Child {
        try Child(
            ["/usr/bin/python3", "-c", script] + arguments, environment: tag.map { [$0.environmentEntry] } ?? [])
    }

    deinit {
        if !isReaped { kill(-pid, SIGKILL) }
        for other in extra { kill(other, SIGKILL) }
        if !isReaped { _ = wait() }
    }

    /// Also kills this process at the end: one that left the session.
    func adopt(_ pid: Int32) { extra.append(pid) }

    var identity: ProcessIdentity { ProcessIdentity.current(of: pid) ?? ProcessIdentity(pid: pid, startTime: 0) }

    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        isReaped = true
        return status
    }
}

let home = "test-home"

/// Tags that no other test uses.
func uniqueTag(_ generation: UInt32 = 1) -> InstanceTag {
    InstanceTag(
        homeID: home, instance: InstanceID(UInt32.random(in: 1...UInt32.max)), generation: Generation(generation))
}

extension MembershipScan {
    /// A scan of now, in which the test process plays the keeper.
    static func now() -> MembershipScan { MembershipScan(ProcessTable.read(), keeper: getpid()) }
}

extension MembershipScan.Query {
    init(_ child: Child, _ tag: InstanceTag, remembered: [ProcessIdentity] = []) {
        let main = child.identity
        self.init(main: main, notBefore: main.startTime, uid: getuid(), tag: tag, remembered: remembered)
    }
}
