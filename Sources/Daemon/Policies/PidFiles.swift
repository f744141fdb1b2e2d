import Model
import Platform
import Records
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

/// Files with the pid of an instance's main process, there while it runs.
///
/// For scripts of others: nothing here ever believes one. Disks may hang, so a thread writes; each instance has one
/// change under way at a time, and the last wish counts.
final class PidFiles {
    private struct Wish: Hashable, Sendable {
        var path: String
        /// nil: no file.
        var pid: Int32?
    }

    private struct Entry {
        var done: Wish?
        var wish: Wish
        var isBusy = false
    }

    private let services: Services
    private let fleet: Fleet
    private var entries: [InstanceID: Entry] = [:]
    /// By path: each is told once.
    private var failures: [String: String] = [:]

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
    }

    var notes: [String] { failures.values.sorted() }

    func follow(_ id: InstanceID) {
        let member = fleet[id]
        let path = member.flatMap { services.paths.pidFile(of: $0.desired.spec, id: id) }
        if var entry = entries[id] {
            // A file that is not wanted any more goes; then the entry does.
            let wish = path.map { Wish(path: $0, pid: member?.machine.process?.pid) }
            entry.wish = wish ?? Wish(path: entry.wish.path, pid: nil)
            entries[id] = entry
        } else {
            guard let path else { return }
            entries[id] = Entry(wish: Wish(path: path, pid: member?.machine.process?.pid))
        }
        advance(id)
    }

    private func advance(_ id: InstanceID) {
        guard var entry = entries[id], !entry.isBusy else { return }
        let (done, wish) = (entry.done, entry.wish)
        guard done != wish else {
            if fleet[id].flatMap({ services.paths.pidFile(of: $0.desired.spec, id: id) }) == nil { entries[id] = nil }
            return
        }
        entry.isBusy = true
        entries[id] = entry
        services.loop.offload(to: services.files) { () -> String? in
            if let former = done?.path, former != wish.path { _ = unlink(former) }
            return Self.fulfil(wish)
        } then: { [unowned self] failure in
            self.entries[id]?.isBusy = false
            self.entries[id]?.done = wish
            self.note(failure, wish.path)
            self.advance(id)
        }
    }

    private func note(_ failure: String?, _ path: String) {
        if let failure, failures[path] == nil { services.log.note(failure) }
        failures[path] = failure
    }

    /// What went wrong, if anything.
    private static func fulfil(_ wish: Wish) -> String? {
        guard let pid = wish.pid else {
            guard unlink(wish.path) != 0, errno != ENOENT, errno != ENOTDIR else { return nil }
            return "pid file '\(wish.path)' cannot be removed: \(errorText(errno))"
        }
        // PM2 writes no newline, and scripts compare.
        let text = Array("\(pid)".utf8)
        if let present = try? FileSystem.read(wish.path, limit: 64), present == text { return nil }
        do throws(SystemError) {
            try FileSystem.makeDirectory(FileSystem.parent(of: wish.path), mode: 0o755)
            try FileSystem.replace(wish.path, with: text, mode: 0o644, sync: false)
            return nil
        } catch {
            return "no pid file: \(error)"
        }
    }
}
