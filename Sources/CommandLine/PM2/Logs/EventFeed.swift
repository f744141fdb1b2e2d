import Control
import Records

/// The daemon's events for as long as somebody listens: after a daemon that died, those of the next one.
final class EventFeed {
    private let paths: HomePaths
    private var call: PendingCall<EventReply>?

    init(paths: HomePaths) {
        self.paths = paths
        connect()
        // What happens from here on is not missed.
        try? call?.settle()
    }

    /// -1: there is no connection just now.
    var descriptor: Int32 { call?.descriptor ?? -1 }
    /// Milliseconds after which a turn is due although nothing came; -1: none.
    var pause: Int32 { call == nil ? 200 : call?.mustGreetAgain == true ? 20 : -1 }

    /// Events that have come.
    func turn() -> [EventView] {
        if call == nil { connect() }
        guard let call else { return [] }
        do throws(ClientError) {
            if call.mustGreetAgain { try call.greet() }
            let received = try call.receive()
            if received.isOver { self.call = nil }
            return received.replies.map(\.event)
        } catch {
            self.call = nil
            return []
        }
    }

    private func connect() {
        call = try? PendingCall(paths, .events, EventsParameters(replay: nil, selectors: []), more: true)
    }
}
