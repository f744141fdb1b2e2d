import CLinux
import Control
import Model
import Platform
import Records

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#endif

// Upgrading in place: the same process executes the new program, so its pid, its children and its descriptors stay.
//
// What must be known is in the instance table (shared memory) and in the desired state on disk; a memfd carries the
// rest: the numbers of the descriptors that stay open. Before anything is risked, the new program is asked, as a
// separate process, whether it can read both (`hearthd --check-state`). A refusal, or an exec that fails, leaves the
// running daemon as it was.

/// What the old program leaves for the new one. Unknown fields are ignored by older readers.
struct HandOver: Codable, Sendable {
    static let environmentName = "HEARTH_HANDOVER_FD"

    var version = 1
    var home: String
    var fromVersion: String
    var tableDescriptor: Int32
    var controlDescriptor: Int32
    var vaultDescriptor: Int32?
    var lockDescriptor: Int32
    var keeperPid: Int32?
    /// The client that asked for the upgrade and waits for its answer.
    var clientDescriptor: Int32?
    /// Clients of whom nothing was read yet.
    var idleClients: [Int32]?
    var openFilesSoft: UInt64
    var umask: UInt32

    /// Reads what was left, from the descriptor named in the environment.
    static func fromEnvironment() -> HandOver? {
        guard let text = getenv(environmentName), let fd = Int32(String(cString: text)) else { return nil }
        unsetenv(environmentName)
        return read(fd)
    }

    static func read(_ fd: Int32) -> HandOver? {
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_size > 0, status.st_size < 1 << 20 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        guard pread(fd, &bytes, bytes.count, 0) == bytes.count else { return nil }
        close(fd)
        return try? RecordCoding.decode(HandOver.self, from: bytes)
    }

    /// A memfd with this value, inherited across exec.
    func store() throws(SystemError) -> Int32 {
        let fd = try checked(clinux_memfd("hearth-handover"), "create a memory file")
        let failure: SystemError? = RecordCoding.encode(self).withUnsafeBytes { raw in
            do throws(SystemError) {
                try FileSystem.writeAll(fd, raw, path: "the hand-over")
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        return fd
    }
}

/// `hearthd --check-state`: can this program go on with that state? Exit 0 or 1, the reason on stderr.
enum StateCheck {
    static func run(_ paths: HomePaths) -> Int32 {
        guard let handOver = HandOver.fromEnvironment() else {
            return refuse("there is no state to check (\(HandOver.environmentName))")
        }
        guard handOver.version == 1 else { return refuse("the state has version \(handOver.version), this knows 1") }
        let reading = DesiredStateFile.read(paths)
        guard reading.state != nil || !FileSystem.exists(paths.desiredState) else {
            return refuse(reading.notes.joined(separator: "; "))
        }
        return 0
    }

    private static func refuse(_ why: String) -> Int32 {
        let line = Array("hearthd: \(why)\n".utf8)
        _ = write(2, line, line.count)
        return 1
    }
}

/// Performs the upgrade of a running daemon.
final class Upgrader {
    private let services: Services
    private let fleet: Fleet
    private let server: ControlServer
    private let lockDescriptor: Int32

    init(_ services: Services, _ fleet: Fleet, _ server: ControlServer, lockDescriptor: Int32) {
        self.services = services
        self.fleet = fleet
        self.server = server
        self.lockDescriptor = lockDescriptor
    }

    func upgrade(to path: String?, for connection: Connection, _ failed: @escaping (ControlError) -> Void) {
        let program = path ?? Executable.path
        guard program.hasPrefix("/"), FileSystem.isExecutable(program) else {
            return failed(
                ControlError(.badRequest, "'\(program)' is not an executable file", hint: "give an absolute path"))
        }
        services.state.whenDurable { [self] _ in
            let handOver = self.handOver(nil)
            let (paths, limits) = (self.services.paths, self.services.limits)
            self.services.loop.offload(to: self.services.codec) {
                Self.check(program, handOver, paths, limits)
            } then: { [self] refusal in
                if let refusal {
                    return failed(
                        ControlError(
                            .refused, "the new program does not take over: \(refusal)",
                            hint: "nothing was changed; the daemon goes on as it was"))
                }
                self.whenQuiet(for: connection, attempts: Self.attempts) { [self] isQuiet in
                    guard isQuiet else {
                        self.fleet.holdsSpawns = false
                        return failed(ControlError(.timedOut, "work that is under way did not end within 2 s"))
                    }
                    self.replace(program, connection, failed)
                }
            }
        }
    }

    private func handOver(_ client: Int32?) -> HandOver {
        HandOver(
            home: services.paths.home, fromVersion: Interface.productVersion,
            tableDescriptor: services.table.descriptor, controlDescriptor: server.listeningDescriptor ?? -1,
            vaultDescriptor: services.vault.socket, lockDescriptor: lockDescriptor,
            keeperPid: services.vault.keeperPid, clientDescriptor: client, openFilesSoft: services.limits.openFiles,
            umask: services.limits.umask)
    }

    /// Asks the new program. Nil: it can; else why not.
    private static func check(
        _ program: String, _ handOver: HandOver, _ paths: HomePaths, _ limits: ProcessLimits
    ) -> String? {
        let memory: Int32
        do throws(SystemError) { memory = try handOver.store() } catch { return error.description }
        defer { close(memory) }
        let output = paths.run + "/check-state.\(getpid())"
        defer { unlink(output) }
        let request = SpawnRequest(
            command: SpawnRequest.Command(
                program: program, arguments: ["--home", paths.home, "--check-state"] + (paths.isPM2 ? ["--pm2"] : [])),
            environment: ["\(HandOver.environmentName)=3", "PATH=/usr/bin:/bin"], cwd: "/",
            standardOutput: output, standardError: output, stdin: .null, uid: nil, gid: nil,
            descriptors: [(from: memory, to: 3)], openFilesLimit: limits.openFiles, umask: limits.umask, pidSlot: nil)
        switch Spawner.spawn(request) {
        case .failure(let failure): return failure.message
        case .success(let child):
            defer { close(child.pidfd) }
            var poll = pollfd(fd: child.pidfd, events: Int16(POLLIN), revents: 0)
            // 10 s: reading the state takes milliseconds; more is a program that is something else.
            if Glibc.poll(&poll, 1, 10_000) <= 0 { _ = clinux_pidfd_send_signal(child.pidfd, SIGKILL) }
            var status: Int32 = 0
            waitpid(child.process.pid, &status, 0)
            let exit = ExitStatus(waitStatus: status)
            if exit.isSuccess { return nil }
            let words = (try? FileSystem.read(output, limit: 4096)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let line = words.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
            return line.isEmpty ? "\(exit)" : "\(line) (\(exit))"
        }
    }

    /// 2 s of looks every 10 ms; in the first half second answers to other clients are waited for too.
    private static let attempts = 200
    private static let attemptsWithoutClients = 150

    /// Threads vanish in an exec: waits until none is in the middle of something.
    private func whenQuiet(for connection: Connection, attempts: Int, _ done: @escaping (Bool) -> Void) {
        fleet.holdsSpawns = true
        let isQuiet =
            !fleet.isSpawning && services.state.isQuiet && services.isTableQuiet && fleet.sockets.isQuiet
            && services.stateThread.isQuiet
            && services.spawners.isQuiet
            && (attempts <= Self.attemptsWithoutClients || !server.isAnswering(besides: connection))
        if isQuiet { return done(true) }
        guard attempts > 0 else { return done(false) }
        services.loop.schedule(after: Milliseconds(10)) { [self] in
            self.whenQuiet(for: connection, attempts: attempts - 1, done)
        }
    }

    private func replace(
        _ program: String, _ connection: Connection, _ failed: @escaping (ControlError) -> Void
    ) {
        let client = connection.descriptor
        var handOver = handOver(client)
        let idleClients = server.idleDescriptors
        handOver.idleClients = idleClients
        let memory: Int32
        do throws(SystemError) { memory = try handOver.store() } catch {
            fleet.holdsSpawns = false
            return failed(ControlError(.failed, error.description))
        }
        services.journal.add("daemon", "executing '\(program)'")
        services.log.drain()
        let own = [
            memory, services.table.descriptor, server.listeningDescriptor ?? -1, services.vault.socket ?? -1,
            lockDescriptor, client,
        ]
        let kept = own.filter { $0 >= 0 } + idleClients
        for fd in kept { _ = clinux_set_cloexec(fd, 0) }

        var environment: [String] = []
        var variable = environ
        while let entry = variable.pointee {
            environment.append(String(cString: entry))
            variable += 1
        }
        environment.append("\(HandOver.environmentName)=\(memory)")
        // A title that scripts look for is kept.
        let isPM2 = services.paths.isPM2
        let title = isPM2 ? CommandLine.arguments.first ?? program : program
        let arguments = [title, "--home", services.paths.home] + (isPM2 ? ["--pm2"] : [])
        let failure = Self.exec(program, arguments, environment)

        for fd in kept { _ = clinux_set_cloexec(fd, 1) }
        close(memory)
        fleet.holdsSpawns = false
        failed(
            ControlError(
                .failed, "'\(program)' cannot be executed: \(errorText(failure))",
                hint: "nothing was changed; the daemon goes on as it was"))
    }

    private static func exec(_ program: String, _ arguments: [String], _ environment: [String]) -> Int32 {
        var argumentPointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        var environmentPointers: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) }
        argumentPointers.append(nil)
        environmentPointers.append(nil)
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        return -clinux_exec(program, argumentPointers, environmentPointers)
    }
}
