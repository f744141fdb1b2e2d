import Configuration
import Control
import Model
import PM2Format

/// `trigger` and `inspect`: an action that apps have registered, and what they answer.
struct PM2Trigger {
    let face: PM2Session
    private var console: PM2Console { face.console }

    func run(_ words: [String]) throws {
        let target = words.first ?? ""
        let action = words.dropFirst().first ?? ""
        let entries = try face.inventory().entries
        let chosen = entries.filter { Self.matches($0, target) && Self.has(action, $0) }
        if UInt32(target) != nil, chosen.isEmpty {
            guard let entry = entries.first(where: { $0.instance.id.description == target }) else {
                console.plainError("\(target) id unknown")
                throw PM2Exit.failed
            }
            console.plainError("Action doesn't exist \(action) for \(entry.spec.name)")
            throw PM2Exit.failed
        }
        guard !chosen.isEmpty else {
            console.plainError("Not any process has received a command (offline or unexistent)")
            throw PM2Exit.failed
        }
        try ask(chosen.map(\.instance.id), action, words.dropFirst(2).first)
    }

    /// By number an id; else the name of the script's file, the app or its namespace, or all.
    private static func matches(_ entry: InventoryEntry, _ target: String) -> Bool {
        if let id = UInt32(target) { return entry.instance.id == InstanceID(id) }
        return [Paths.baseName(entry.spec.script), entry.spec.name, entry.spec.namespace, "all"].contains {
            $0 == target
        }
    }

    private static func has(_ action: String, _ entry: InventoryEntry) -> Bool {
        guard entry.instance.status == .online || entry.instance.status == .launching else { return false }
        return entry.report?.actions.contains { $0.name == action } ?? false
    }

    /// Waits without end, as PM2 does: Ctrl-C ends it.
    private func ask(_ ids: [InstanceID], _ action: String, _ parameters: String?) throws {
        var isFirst = true
        var failures: [ActionResult] = []
        try face.session.stream(
            .trigger,
            TriggerParameters(
                selectors: ids.map(SelectorMatching.exactly), action: action, parameters: parameters, timeout: nil,
                origin: face.origin), as: TriggerReply.self
        ) { reply in
            if isFirst {
                let count = reply.results.filter(\.ok).count
                console.line(console.bold("\(count) processes have received command \(action)"))
                isFirst = false
            }
            failures += reply.results.filter { !$0.ok }
            if let answer = reply.answer {
                console.line("[\(answer.name):\(answer.id):\(answer.namespace)]=\(answer.value)")
            }
            return true
        }
        for failure in failures { console.error("[\(failure.name)] \(failure.message)") }
        if !failures.isEmpty { throw PM2Exit.failed }
    }
}
