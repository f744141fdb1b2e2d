import ArgumentParser
import CLinux
import Control
import Glibc
import Model

/// Waits for the end of a run and shows meanwhile what it writes. Ctrl-C ends the waiting, not the run.
struct RunWait {
    /// Exit code where no process was ever started, as in a shell.
    static let notStarted: Int32 = 127
    /// How long a daemon may be away in the middle of a run.
    private static let comeback: Int64 = 30_000_000_000

    private let session: Session
    private let files: OnceLogs
    private let streams: Bool

    init(_ session: Session, _ files: OnceLogs, streams: Bool) {
        self.session = session
        self.files = files
        self.streams = streams
    }

    /// Ends with the exit code of the run.
    func run(_ started: InstanceView, json: Bool) throws {
        var followed = [
            (file: FollowedFile(path: files.out, offset: 0), to: Int32(1)),
            (file: FollowedFile(path: files.error, offset: 0), to: Int32(2)),
        ]
        defer { for index in followed.indices { followed[index].file.close() } }
        var view = started
        var pause: UInt32 = 20_000
        while isGoingOn(view) {
            usleep(pause)
            // A short run is over soon; a long one is looked at twice a second.
            pause = min(500_000, pause + pause / 4)
            if streams {
                for index in followed.indices {
                    let to = followed[index].to
                    try followed[index].file.readLines { try Self.write($0, to) }
                }
            }
            view = try look(at: view)
        }
        if streams {
            for index in followed.indices {
                let to = followed[index].to
                try followed[index].file.readRest { try Self.write($0, to) }
            }
        }
        if json { try JSONOutput.write(view) }
        try finish(view)
    }

    private func isGoingOn(_ view: InstanceView) -> Bool {
        switch view.status {
        case .launching, .online, .stopping, .waitingRestart, .waiting: true
        case .stopped: view.reasonKind == Reason.Kind.registered.rawValue
        case .errored, .scheduled: false
        }
    }

    private static func write(_ lines: [ArraySlice<UInt8>], _ descriptor: Int32) throws {
        var bytes: [UInt8] = []
        for line in lines {
            bytes += line
            bytes.append(0x0a)
        }
        try Output.write(bytes, to: descriptor)
    }

    private func look(at view: InstanceView) throws -> InstanceView {
        let deadline = clinux_boottime_ns() + Self.comeback
        while true {
            do {
                let reply: ListReply = try session.read(
                    .list, SelectorParameters(selectors: [SelectorMatching.exactly(view.id)]))
                // Another entry of that number is another run.
                if let now = reply.instances.first, now.createdAt == view.createdAt { return now }
                throw Failure(.failed, "'\(view.name)' (id \(view.id)) was deleted before it had ended")
            } catch ClientError.remote(let error) where error.code == .notFound {
                throw Failure(.failed, "'\(view.name)' (id \(view.id)) was deleted before it had ended")
            } catch let error as ClientError {
                guard clinux_boottime_ns() < deadline else { throw error }
                session.disconnect()
                usleep(200_000)
            }
        }
    }

    private func finish(_ view: InstanceView) throws {
        guard let exit = view.lastExit, view.status != .errored else {
            Output.complain("'\(view.name)' (id \(view.id)): \(view.reason)")
            throw ExitCode(Self.notStarted)
        }
        if let code = exit.code {
            if code != 0 { throw ExitCode(Int32(clamping: code)) }
            return
        }
        Output.complain("'\(view.name)' (id \(view.id)): \(view.reason)")
        // As a shell has it.
        let signal = exit.signal.flatMap { Signal(parsing: $0) }
        throw ExitCode(signal.map { 128 + $0.rawValue } ?? Exit.failed.rawValue)
    }
}
