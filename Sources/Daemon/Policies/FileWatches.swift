import Model
import Platform
import Records
import Supervision

/// Restarts of apps whose files changed.
///
/// One watch per app (name and policy), as long as one of its instances is wanted: a stop drops it. What inotify tells is
/// read, filtered and followed on a thread; the loop only learns that something changed. After each look there is a
/// pause: a directory in which something happens all the time costs 20 looks a second at most.
final class FileWatches {
    private struct Key: Hashable {
        var name: String
        var cwd: String
        var policy: WatchPolicy
        /// Of all its instances: a change of them is not a change of the app.
        var logs: Set<String>
        var pidFiles: Set<String>
    }

    private final class Watch {
        let tree: TreeWatch
        var changed: String?
        var firstChange = Instant(milliseconds: 0)
        var timer: EventLoop.TimerToken?

        init(_ tree: TreeWatch) { self.tree = tree }
    }

    /// A burst has shorter pauses than this.
    private static let floor = Milliseconds(100)
    /// A stream of changes that never pauses is acted upon all the same.
    private static let longestBurst = Milliseconds(30_000)
    private static let pause = Milliseconds(50)

    private let services: Services
    private let fleet: Fleet
    private var watches: [Key: Watch] = [:]
    private var failures: [Key: String] = [:]
    /// Names of apps of which at least one instance has a watch policy: all others are passed over quickly.
    private var names: Set<String> = []

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
    }

    var notes: [String] { failures.map { "\($0.key.name): \($0.value)" }.sorted() }

    func follow(_ id: InstanceID) {
        if let spec = fleet[id]?.desired.spec {
            if spec.watch != nil { names.insert(spec.name) }
            guard names.contains(spec.name) else { return }
        } else if names.isEmpty {
            return
        }
        followSoon()
    }

    // MARK: Which watches there are

    private var isFollowing = false

    /// Many instances change in one turn of the loop; they are looked at together.
    private func followSoon() {
        guard !isFollowing else { return }
        isFollowing = true
        services.loop.schedule(after: Milliseconds(0)) { [unowned self] in
            self.isFollowing = false
            self.adjust()
        }
    }

    private func adjust() {
        var wanted: Set<Key> = []
        var logs: [String: Set<String>] = [:]
        var pidFiles: [String: Set<String>] = [:]
        let members = fleet.members.values.filter { names.contains($0.desired.spec.name) }
        for member in members {
            let spec = member.desired.spec
            let files = services.paths.logFiles(of: spec, id: member.desired.id)
            logs[spec.name, default: []].formUnion([files.out, files.error].compactMap { $0 })
            if let path = services.paths.pidFile(of: spec, id: member.desired.id) {
                pidFiles[spec.name, default: []].insert(path)
            }
        }
        for member in members where member.mayBeStartedByRule {
            let spec = member.desired.spec
            guard let policy = spec.watch, !policy.paths.isEmpty else { continue }
            wanted.insert(
                Key(
                    name: spec.name, cwd: spec.cwd, policy: policy, logs: logs[spec.name] ?? [],
                    pidFiles: pidFiles[spec.name] ?? []))
        }
        names = Set(members.lazy.filter { $0.desired.spec.watch != nil }.map(\.desired.spec.name))
        for key in failures.keys where !wanted.contains(key) { failures[key] = nil }
        for (key, watch) in watches where !wanted.contains(key) { drop(watch, key) }
        for key in wanted where watches[key] == nil { begin(key) }
    }

    private func drop(_ watch: Watch, _ key: Key) {
        watches[key] = nil
        if let timer = watch.timer { services.loop.cancel(timer) }
        services.loop.unwatch(watch.tree.descriptor)
    }

    private func begin(_ key: Key) {
        let paths = services.paths
        let filter = WatchFilter(
            roots: key.policy.paths, cwd: key.cwd, ignore: key.policy.ignore, extensions: key.policy.extensions,
            logs: key.logs.union([paths.daemonLog]),
            pidFiles: key.pidFiles.union([paths.pidFile, paths.controlSocket]),
            ownDirectories: [paths.run, paths.state, paths.logs, paths.pm2Pids])
        let watch: Watch
        do throws(SystemError) {
            watch = Watch(try TreeWatch(roots: key.policy.paths, filter: filter))
        } catch { return fail(key, "\(error)") }
        watches[key] = watch
        services.loop.offload(to: services.watchers) { [tree = watch.tree] in
            tree.begin()
        } then: { [weak self] outcome in
            guard let self, self.watches[key] === watch else { return }
            if let failure = outcome.failure { self.fail(key, failure) }
            self.services.log.note("\(key.name): \(outcome.directories) directories are watched")
            self.listen(watch, key, filter)
        }
    }

    private func fail(_ key: Key, _ failure: String) {
        guard failures[key] != failure else { return }
        failures[key] = failure
        services.journal.add("watch", name: key.name, failure)
    }

    // MARK: Changes

    private func listen(_ watch: Watch, _ key: Key, _ filter: WatchFilter) {
        let descriptor = watch.tree.descriptor
        do throws(SystemError) {
            try services.loop.watch(descriptor, .readable) { [unowned self] _ in
                self.services.loop.unwatch(descriptor)
                self.look(watch, key, filter)
            }
        } catch { fail(key, "\(error)") }
    }

    private func look(_ watch: Watch, _ key: Key, _ filter: WatchFilter) {
        services.loop.offload(to: services.watchers) { [tree = watch.tree] in
            tree.drain()
        } then: { [weak self] outcome in
            guard let self, self.watches[key] === watch else { return }
            if let failure = outcome.failure { self.fail(key, failure) }
            if let path = outcome.changed { self.note(filter.display(path), watch, key) }
            self.services.loop.schedule(after: Self.pause) { [weak self] in
                guard let self, self.watches[key] === watch else { return }
                self.listen(watch, key, filter)
            }
        }
    }

    /// Something changed: the restart comes when it has been quiet for a while.
    private func note(_ path: String, _ watch: Watch, _ key: Key) {
        let now = SystemClock.now()
        if let timer = watch.timer {
            services.loop.cancel(timer)
        } else {
            watch.firstChange = now
            watch.changed = path
        }
        let quiet = now.advanced(by: max(Self.floor, key.policy.delay))
        let latest = watch.firstChange.advanced(by: max(Self.longestBurst, key.policy.delay))
        watch.timer = services.loop.schedule(at: min(quiet, latest)) { [unowned self] in
            watch.timer = nil
            self.restart(watch.changed ?? path, key)
        }
    }

    private func restart(_ path: String, _ key: Key) {
        guard services.state.desired.killed == nil else { return }
        // The name of the file is what a person looks for: of a long path the end is shown.
        let shown = path.utf8.count <= 60 ? path : "…" + String(path.suffix(50))
        let actor = Actor("hearth (watch: \(shown) changed)")
        var isTold = false
        for id in fleet.ids {
            guard let member = fleet[id], member.desired.spec.name == key.name, member.mayBeStartedByRule else {
                continue
            }
            switch member.machine.status {
            // The start that follows sees the change.
            case .stopping, .launching, .scheduled, .waiting: continue
            // What was given up because of a mistake in its source is worth a try when the source changed.
            case .online, .errored, .waitingRestart, .stopped: break
            }
            if !isTold { services.journal.add("watch", name: key.name, "'\(path)' changed") }
            isTold = true
            fleet.send(.restart(actor), to: id)
        }
    }
}
