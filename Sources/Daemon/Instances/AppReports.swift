import CLinux
import Control
import Model
import PM2Format
import Platform

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#endif

/// What apps tell of themselves on their channels, and who waits for an answer of theirs.
///
/// An app may flood its channel: of a report little is kept (`AppReport.note`), of the rest nothing. Channels are read
/// at a bounded rate, and what is longer than it may be is not looked into.
final class AppReports {
    private final class Entry {
        var report = AppReport()
        /// The memfd that the keeper has of it.
        var kept: Int32?
        var keptAt: Instant?
        var keeping: EventLoop.TimerToken?
        /// Of the present second.
        var eventsLeft = AppReports.eventsInASecond
        var second: Int64 = 0
    }

    /// Somebody who asked for an action.
    private struct Waiter {
        var action: String
        var pending: Set<ProcessKey>
        /// nil: the process has ended.
        var answered: (InstanceID, _ value: String?, _ isLast: Bool) -> Void
    }

    /// A report's packets. They come each second at most and list a few dozen metrics.
    private static let longestPacket = 64 << 10
    private static let longestEvent = 4096
    private static let eventsInASecond = 100

    private let services: Services
    private var entries: [ProcessKey: Entry] = [:]
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0
    /// For those who listen just now: kind and text.
    var onEvent: ((InstanceID, _ kind: String, _ text: String) -> Void)?

    init(_ services: Services) { self.services = services }

    func report(_ id: InstanceID, _ generation: Generation) -> AppReport? {
        guard let report = entries[ProcessKey(id, generation)]?.report, !report.isEmpty else { return nil }
        return report
    }

    /// The process is gone.
    func close(_ id: InstanceID, _ generation: Generation) {
        let key = ProcessKey(id, generation)
        if let entry = entries.removeValue(forKey: key) {
            if let token = entry.keeping { services.loop.cancel(token) }
            drop(key, entry.kept)
        }
        for token in waiters.keys where waiters[token]?.pending.contains(key) == true { answer(token, key, nil) }
    }

    // MARK: What apps send

    private func entry(_ id: InstanceID, _ generation: Generation) -> Entry {
        let key = ProcessKey(id, generation)
        if let entry = entries[key] { return entry }
        let entry = Entry()
        entries[key] = entry
        return entry
    }

    /// `{"node_version": …}`
    func received(_ id: InstanceID, _ generation: Generation, nodeVersion: String) {
        let entry = entry(id, generation)
        guard entry.report.nodeVersion == nil else { return }
        entry.report.note(nodeVersion: nodeVersion)
        keepSoon(id, generation)
    }

    /// `{"type": …, "data": …}`
    func received(_ id: InstanceID, _ generation: Generation, type: String, data: String) {
        if type == "axm:reply" { return reply(id, generation, data) }
        guard type.hasPrefix("axm:"), !type.hasPrefix("axm:scoped_action:") else {
            return tell(id, generation, type, data)
        }
        guard data.utf8.count <= Self.longestPacket, let value = try? OrderedJSON.parse(Array(data.utf8)) else {
            return
        }
        let entry = entry(id, generation)
        let former = entry.report
        switch entry.report.note(type: type, value) {
        case .metrics: break
        case .description: if entry.report != former { keepSoon(id, generation) }
        case .other: tell(id, generation, type, data)
        }
    }

    /// Anything else, as JSON text.
    func received(_ id: InstanceID, _ generation: Generation, other text: String) {
        tell(id, generation, "process:msg", text)
    }

    /// For listeners alone, and not more than they can read: nothing of it is kept or written down.
    private func tell(_ id: InstanceID, _ generation: Generation, _ kind: String, _ text: String) {
        guard services.journal.hasListeners else { return }
        let entry = entry(id, generation)
        let second = SystemClock.now().milliseconds / 1000
        if entry.second != second {
            entry.second = second
            entry.eventsLeft = Self.eventsInASecond
        }
        guard entry.eventsLeft > 0 else { return }
        entry.eventsLeft -= 1
        // Hearth's own kinds have no colon: an app cannot speak in their name.
        let isKind = kind.contains(":") && kind.utf8.count <= 64
        let words = isKind ? text : #"{"type":\#(OrderedJSON.string(kind.cut(to: 64)).compactText),"data":\#(text)}"#
        onEvent?(
            id, isKind ? kind : "process:msg",
            words.utf8.count > Self.longestEvent
                ? words.cut(to: Self.longestEvent) + "…" : words)
    }

    // MARK: The keeper

    // Actions are told once, at the start of a process: the next hearthd would not hear of them again.

    private static let pauseOfKeeping = Milliseconds(500)
    private static let delayOfKeeping = Milliseconds(20)

    /// Soon, as they come one after the other; and not often, whatever an app sends.
    private func keepSoon(_ id: InstanceID, _ generation: Generation) {
        let (key, entry) = (ProcessKey(id, generation), entry(id, generation))
        guard entry.keeping == nil else { return }
        let now = SystemClock.now()
        let soon = now.advanced(by: Self.delayOfKeeping)
        let due = max(soon, entry.keptAt?.advanced(by: Self.pauseOfKeeping) ?? soon)
        entry.keeping = services.loop.schedule(at: due) { [unowned self, unowned entry] in
            entry.keeping = nil
            self.keep(entry, key)
        }
    }

    private func keep(_ entry: Entry, _ key: ProcessKey) {
        var description = entry.report
        description.metrics = []
        guard let bytes = try? Varlink.encoder().encode(description) else { return }
        let memory = clinux_memfd("hearth-report")
        guard memory >= 0 else { return }
        let isWhole = bytes.withUnsafeBytes { write(memory, $0.baseAddress, $0.count) == $0.count }
        guard isWhole else {
            _ = Glibc.close(memory)
            return
        }
        let former = entry.kept
        entry.keptAt = SystemClock.now()
        entry.kept = memory
        deposit(key, memory) { _ in if let former { _ = Glibc.close(former) } }
    }

    private func deposit(_ key: ProcessKey, _ memory: Int32, done: @escaping (Bool) -> Void = { _ in }) {
        services.vault.deposit(
            KEEPER_KIND_REPORT, id: key.id.rawValue, generation: key.generation.rawValue, memory, done: done)
    }

    private func drop(_ key: ProcessKey, _ memory: Int32?) {
        guard let memory else { return }
        // The keeper answers when it has what was sent before, so nothing is closed that is still to be sent.
        services.vault.drop(KEEPER_KIND_REPORT, id: key.id.rawValue, generation: key.generation.rawValue) { _ in
            _ = Glibc.close(memory)
        }
    }

    /// Takes over what a former hearthd left with the keeper.
    func take(_ deposits: [Vault.Deposit]) {
        for deposit in deposits where deposit.kind == KEEPER_KIND_REPORT.rawValue {
            let entry = entry(InstanceID(deposit.id), Generation(deposit.generation))
            entry.kept = deposit.descriptor
            // Far more than it can be.
            var bytes = [UInt8](repeating: 0, count: 256 << 10)
            let count = pread(deposit.descriptor, &bytes, bytes.count, 0)
            guard count > 0 else { continue }
            if let report = try? JSONDecoder().decode(AppReport.self, from: Data(bytes.prefix(count))) {
                entry.report = report
            }
        }
    }

    /// To a keeper that is new.
    func depositAgain() {
        for (key, entry) in entries {
            if let memory = entry.kept { deposit(key, memory) }
        }
    }

    /// Forgets what was taken over and belongs to no process that runs.
    func settle(_ runs: (ProcessKey) -> Bool) {
        for key in entries.keys where !runs(key) { close(key.id, key.generation) }
    }

    // MARK: Actions

    /// Waits for the answers of `processes` to an action. `answered` is called once for each.
    func wait(
        for action: String, of processes: [(InstanceID, Generation)],
        _ answered: @escaping (InstanceID, _ value: String?, _ isLast: Bool) -> Void
    ) -> Int {
        nextWaiter += 1
        waiters[nextWaiter] = Waiter(
            action: action, pending: Set(processes.map { ProcessKey($0.0, $0.1) }), answered: answered)
        return nextWaiter
    }

    /// Whose answer is still missing.
    func stopWaiting(_ token: Int) -> [InstanceID] {
        (waiters.removeValue(forKey: token)?.pending ?? []).map(\.id).sorted()
    }

    private func reply(_ id: InstanceID, _ generation: Generation, _ data: String) {
        tell(id, generation, "axm:reply", data)
        let key = ProcessKey(id, generation)
        guard waiters.values.contains(where: { $0.pending.contains(key) }) else { return }
        // Whole heap statistics are answers too: long ones are taken apart elsewhere.
        guard data.utf8.count > Self.longestPacket else { return take(Self.parsed(data), key) }
        services.loop.offload(to: services.codec) {
            Self.parsed(data)
        } then: { [weak self] reply in
            self?.take(reply, key)
        }
    }

    private static func parsed(_ data: String) -> (action: String, value: String)? {
        guard let object = (try? OrderedJSON.parse(Array(data.utf8)))?.object,
            let action = object["action_name"]?.text
        else { return nil }
        return (action, (object["return"] ?? .null).compactText)
    }

    private func take(_ reply: (action: String, value: String)?, _ key: ProcessKey) {
        guard let reply else { return }
        for token in waiters.keys.sorted() {
            guard let waiter = waiters[token], waiter.action == reply.action, waiter.pending.contains(key) else {
                continue
            }
            answer(token, key, reply.value)
        }
    }

    private func answer(_ token: Int, _ key: ProcessKey, _ value: String?) {
        guard var waiter = waiters[token], waiter.pending.remove(key) != nil else { return }
        waiters[token] = waiter.pending.isEmpty ? nil : waiter
        waiter.answered(key.id, value, waiter.pending.isEmpty)
    }
}
