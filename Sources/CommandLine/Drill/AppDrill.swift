import CLinux
import Control
import Glibc
import Model
import Platform

/// SIGKILL to one instance, as the kernel does when memory is short: it must come back, and the others must not notice.
struct AppDrill {
    let drill: Drill
    let selector: String

    func run() throws {
        let session = drill.session
        try session.connectStarting()
        let list = try session.read(.list, SelectorParameters(selectors: []), as: ListReply.self).instances
        let ids = try Selection.ids(
            [selector], among: list.map { .init(id: $0.id, name: $0.name, namespace: $0.namespace) })
        let names = Set(list.filter { ids.contains($0.id) }.map(\.name))
        try drill.look { names.contains($0.spec.name) }
        guard let target = drill.subjects.first(where: { ids.contains($0.id) && $0.entry.instance.status == .online }),
            let process = target.process
        else { throw Failure(.failed, "no instance of '\(selector)' is online: 'hearth why \(selector)' tells more") }
        guard target.entry.spec.restart.mode != .never else {
            throw Failure(
                .failed, "'\(target.name)' has 'restart: never': it would not come back, so it was not killed")
        }
        drill.askBefore()

        let pidfd = clinux_pidfd_open(process.pid)
        guard pidfd >= 0 else { throw SystemError(-pidfd, "open the process \(process.pid) of '\(target.name)'") }
        defer { close(pidfd) }
        guard process.isAlive() else {
            throw Failure(.failed, "'\(target.name)' ended by itself just now: run the command again")
        }
        drill.strike("SIGKILL to '\(target.name)' (id \(target.id), pid \(process.pid))")
        let code = clinux_pidfd_send_signal(pidfd, SIGKILL)
        guard code == 0 else {
            throw Failure(
                code == -EPERM ? .notPermitted : .failed, "pid \(process.pid) cannot be killed: \(errorText(-code))")
        }
        try follow(target.id)
        drill.askAfter(waits: true)
    }

    private func follow(_ target: InstanceID) throws {
        try drill.follow { subject, view in
            guard subject.id == target else {
                let isSame = subject.process.map { view.pid == $0.pid && $0.isAlive() } ?? true
                return subject.result(
                    view, recoveredMs: nil, problem: isSame ? nil : "it was not meant, and runs as another process")
            }
            guard view.status == .online, let pid = view.pid, pid != subject.process?.pid else { return nil }
            let elapsed = drill.elapsed
            drill.note("'\(subject.name)' runs again (pid \(pid)), \(elapsed) ms after the blow")
            return subject.result(view, recoveredMs: elapsed)
        } late: { subject, view in
            subject.result(
                view, recoveredMs: nil,
                problem: view.map { "not back after \(drill.patience) ms: \($0.status.rawValue), \($0.reason)" }
                    ?? "not in the list any more")
        }
    }
}
