import Configuration
import Glibc
import Model
import Platform

/// A process as a person would look at it.
struct ObservedProcess: Hashable, Sendable {
    var identity: ProcessIdentity
    var uid: UInt32
    /// The kernel's letter.
    var state: Character
    /// Name of the file that it runs; the kernel's name for it where that may not be read.
    var program: String
    var command: String
    /// The file that it runs has been replaced or removed since.
    var isReplaced = false
    var ageSeconds: Int64 = 0
    /// Of one core, over a moment; nil: not measured.
    var cpuPercent: Double?
    /// What it waits for in the kernel; nil: nothing, or not to be seen.
    var waitsIn: String?
    var cgroup: String?

    var pid: Int32 { identity.pid }
    var user: String { UserNames.name(of: uid) }
    var age: String { Quantities.duration(milliseconds: ageSeconds * 1000) }
    var isStopped: Bool { state == "T" || state == "t" }

    /// `pid 12 of deploy, for 3h 1m: node app.js`
    var sentence: String { "pid \(pid) of \(user), for \(age): \(command)" }
}

extension ObservedProcess {
    static func look(at pid: Int32) -> ObservedProcess? {
        ProcessTable.entry(of: pid).flatMap { $0.isAlive ? ObservedProcess($0) : nil }
    }

    init(_ entry: ProcessTable.Entry) {
        let executable = ProcessFacts.executable(of: entry.pid)
        self.init(
            identity: entry.identity, uid: entry.uid, state: Character(UnicodeScalar(entry.state)),
            program: executable.map { Paths.baseName($0.path) } ?? entry.name,
            command: CommandLineText.read(of: entry.pid), isReplaced: executable?.isDeleted ?? false,
            ageSeconds: Self.age(of: entry), cgroup: ProcessFacts.cgroup(of: entry.pid))
    }

    static func age(of entry: ProcessTable.Entry) -> Int64 {
        let started = Int64(clamping: entry.startTime / ResourceUsage.ticksPerSecond)
        return max(0, SystemClock.bootNanoseconds() / 1_000_000_000 - started)
    }

    /// Looks twice: what it does with the processor, and what it waits for.
    mutating func watch(microseconds: UInt32) {
        guard let before = ProcessTable.entry(of: pid) else { return }
        let start = SystemClock.bootNanoseconds()
        usleep(microseconds)
        guard let after = ProcessTable.entry(of: pid), after.startTime == before.startTime else { return }
        let seconds = Double(SystemClock.bootNanoseconds() - start) / 1e9
        let ticks = Double(after.userTicks &+ after.systemTicks) - Double(before.userTicks &+ before.systemTicks)
        cpuPercent = max(0, ticks / Double(ResourceUsage.ticksPerSecond) / max(seconds, 1e-3) * 100)
        state = Character(UnicodeScalar(after.state))
        waitsIn = ProcessFacts.kernelFunction(of: pid)
    }
}

/// Processes of Hearth's own, of whatever home and user.
struct HearthProcess: Hashable, Sendable {
    var process: ObservedProcess
    /// As `--home` says.
    var home: String

    /// All of one program, `hearthd` or `hearth-keeper`.
    static func all(_ program: String, in table: ProcessTable) -> [HearthProcess] {
        table.entries.filter { $0.name == program && $0.isAlive }.compactMap { entry in
            let words = ProcessFacts.arguments(of: entry.pid)
            guard let option = words.firstIndex(of: "--home"), option + 1 < words.count else { return nil }
            return HearthProcess(process: ObservedProcess(entry), home: words[option + 1])
        }
    }
}
