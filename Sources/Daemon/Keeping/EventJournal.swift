import Control
import Model
import Platform

/// The last events, and who listens.
final class EventJournal {
    /// Enough for a night's trouble; about 100 KB.
    private static let kept = 500

    private var events: [EventView] = []
    private var listeners: [Int: (EventView) -> Void] = [:]
    private var nextListener = 0
    private let log: DaemonLog

    init(_ log: DaemonLog) { self.log = log }

    func add(_ kind: String, id: InstanceID? = nil, name: String? = nil, pid: Int32? = nil, _ message: String) {
        let event = EventView(
            at: SystemClock.wallClock(), kind: kind, id: id, name: name, pid: pid, message: message)
        events.append(event)
        if events.count > 2 * Self.kept { events.removeFirst(events.count - Self.kept) }
        log.note((name.map { "\($0) (\(id.map(\.description) ?? "-")): " } ?? "") + "\(kind): \(message)")
        for listener in listeners.values { listener(event) }
    }

    var hasListeners: Bool { !listeners.isEmpty }

    /// For those who listen just now: neither kept nor written down.
    func pass(_ kind: String, id: InstanceID, name: String?, pid: Int32?, _ message: String) {
        let event = EventView(
            at: SystemClock.wallClock(), kind: kind, id: id, name: name, pid: pid, message: message)
        for listener in listeners.values { listener(event) }
    }

    func last(_ count: Int) -> ArraySlice<EventView> { events.suffix(max(0, min(count, Self.kept))) }

    func listen(_ body: @escaping (EventView) -> Void) -> Int {
        nextListener += 1
        listeners[nextListener] = body
        return nextListener
    }

    func stopListening(_ token: Int) { listeners.removeValue(forKey: token) }
}
