import CLinux
import Control
import Glibc
import Model
import Platform

/// SIGKILL to hearthd and its keeper at once: the worst that can happen to the manager. The apps must not notice.
struct DaemonDrill {
    let drill: Drill
    private var session: Session { drill.session }

    func run() throws {
        let hello = try session.connectStarting().greet(again: true)
        // What this command could not start again it does not kill.
        if hello.unit == nil { try HomeOwner(paths: session.paths).requireOwn() }
        try requireDurable()
        try drill.look()
        drill.askBefore()
        let daemon = try Victim("hearthd", hello.pid)
        let victims =
            try [daemon] + (hello.keeperPid.map { [try Victim("hearth-keeper", $0)] } ?? [])
        defer { for victim in victims { victim.forget() } }
        let apps = drill.subjects.compactMap(\.process?.pid)
        if let objection = ProcessUnit.of(hello.pid)?.objection(ifKilled: victims.map(\.pid), against: apps) {
            throw Failure(.failed, "nothing was killed: \(objection)")
        }

        // What was begun is brought to its end: an interrupted drill must not leave the apps without a manager.
        let calm = Uninterrupted()
        defer { calm.end() }
        drill.strike("SIGKILL to \(victims.map(\.description).joined(separator: " and "))")
        // Each would start the other again: hearthd is stopped first, so that both die at once.
        try daemon.send(SIGSTOP)
        for victim in victims.reversed() { try victim.send(SIGKILL) }
        for victim in victims { try victim.awaitEnd() }
        session.disconnect()
        let after = try comeBack(hello.unit)
        drill.note("hearthd (pid \(after.pid)) is ready, \(drill.elapsed) ms after the blow")
        try compare()
        drill.askAfter(waits: false)
    }

    /// A list that the disk did not take is with keeper and daemon alone: it would go with both.
    private func requireDurable() throws {
        let list: ListReply = try session.read(.list, SelectorParameters(selectors: []))
        guard let reason = list.notes.first(where: { $0.hasPrefix("not saved: ") }) else { return }
        throw Failure(.failed, "nothing was killed, as the list is not on the disk and would be lost: \(reason)")
    }

    /// In a unit systemd starts both again; elsewhere the next command does, and this is one.
    private func comeBack(_ unit: String?) throws -> HelloReply {
        if let unit {
            while drill.elapsed < 10_000 {
                if let hello = ready() {
                    drill.note("brought back by systemd (\(unit))")
                    return hello
                }
                usleep(5000)
            }
            drill.outcome.problems.append(
                "systemd did not bring the daemon back within 10 s (\(unit)): see 'systemctl status \(unit)'")
        } else {
            drill.outcome.notes.append(
                "the daemon runs in no systemd unit: this command started it again, as every command does that changes something"
            )
        }
        let hello = try session.connectStarting().greet(again: true)
        if unit == nil { drill.note("brought back by this command") }
        return hello
    }

    private func ready() -> HelloReply? {
        session.disconnect()
        guard let hello = try? session.connect().greet(again: true), hello.ready else {
            session.disconnect()
            return nil
        }
        return hello
    }

    private func compare() throws {
        try drill.follow { subject, view in
            guard let process = subject.process else { return subject.result(view, recoveredMs: nil) }
            let isSame = view.pid == process.pid && process.isAlive()
            return subject.result(
                view, recoveredMs: isSame ? drill.elapsed : nil,
                problem: isSame ? nil : "another process: \(view.status.rawValue), \(view.reason)")
        } late: { subject, view in
            subject.result(view, recoveredMs: nil, problem: "not in the list any more")
        }
    }

    /// A process that is to die, held so that no other can get its number.
    private struct Victim: CustomStringConvertible {
        let name: String
        let pid: Int32
        private let pidfd: Int32

        init(_ name: String, _ pid: Int32) throws {
            self.name = name
            self.pid = pid
            pidfd = clinux_pidfd_open(pid)
            guard pidfd >= 0 else { throw SystemError(-pidfd, "open the process \(pid) (\(name))") }
            // Opened first, looked at then: it is the process that will be meant.
            guard ProcessTable.entry(of: pid)?.name.hasPrefix(name) == true else {
                close(pidfd)
                throw Failure(.failed, "pid \(pid) is no \(name): nothing was killed")
            }
        }

        var description: String { "\(name) (pid \(pid))" }

        func send(_ signal: Int32) throws {
            let code = clinux_pidfd_send_signal(pidfd, signal)
            guard code == 0 || code == -ESRCH else {
                throw Failure(
                    code == -EPERM ? .notPermitted : .failed, "\(description) cannot be killed: \(errorText(-code))")
            }
        }

        func awaitEnd() throws {
            var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 5000) == 1 else {
                throw Failure(.failed, "\(description) is still there 5 s after SIGKILL: it hangs in the kernel")
            }
        }

        func forget() { close(pidfd) }
    }
}
