import Model
import Testing

@testable import Supervision

@Suite("State machine: every state and event")
struct TransitionTests {
    @Test("each event does in each state what the table says", arguments: Situation.allCases)
    func transitions(situation: Situation) throws {
        let expected = try #require(Self.table[situation.rawValue], "no entry for \(situation)")
        for occurrence in Occurrence.allCases {
            let wanted = try #require(expected[occurrence.rawValue], "no entry for \(situation) × \(occurrence)")
            let found = Self.outcome(of: occurrence, in: situation)
            #expect(found == wanted, "\(situation) × \(occurrence)")
        }
    }

    @Test("the table has no entry twice and none for a state or event that does not exist")
    func tableIsExact() {
        #expect(Set(Self.table.keys) == Set(Situation.allCases.map(\.rawValue)))
        for (situation, entries) in Self.table {
            #expect(Set(entries.keys) == Set(Occurrence.allCases.map(\.rawValue)), "\(situation)")
        }
    }

    @Test("each situation is the one that its name says", arguments: Situation.allCases)
    func situations(situation: Situation) {
        let name = situation.rawValue
        let machine = situation.machine
        let expected: Status =
            if name.hasPrefix("starting") || name == "launching" {
                .launching
            } else if name.hasPrefix("stopping") {
                .stopping
            } else if name.hasPrefix("stuck") || name.hasPrefix("errored") {
                .errored
            } else if name.hasPrefix("waiting") {
                .waitingRestart
            } else if name == "online" {
                .online
            } else {
                .stopped
            }
        #expect(machine.status == expected)
        #expect(machine.isSettled == (expected != .launching && expected != .stopping))
        let hasProcess =
            ["launching", "online"].contains(name)
            || (name.hasPrefix("stopping") || name.hasPrefix("stuck")) && !name.hasSuffix("MainGone")
        #expect((machine.process != nil) == hasProcess)
    }

    // MARK: The table's language

    /// `status/purpose wanted=… restarts+1: effects`; `-` when nothing changes.
    static func outcome(of occurrence: Occurrence, in situation: Situation) -> String {
        var machine = situation.machine
        let before = machine.record
        let effects = machine.handle(occurrence.event(for: machine), at: instant(occurrence.time))
        return outcome(from: before, to: machine.record, effects, at: occurrence.time)
    }

    static func outcome(
        from before: InstanceRecord, to after: InstanceRecord, _ effects: [Effect], at now: Int64
    ) -> String {
        if effects.isEmpty { return before == after ? "-" : "changed without an effect" }
        var words = [after.status.rawValue]
        if let purpose = after.purpose { words[0] += "/\(purpose.rawValue)" }
        if after.wanted != before.wanted { words.append("wanted=\(after.wanted)") }
        if after.restarts != before.restarts { words.append("restarts+\(after.restarts - before.restarts)") }
        words[words.count - 1] += ":"
        return (words + effects.map { text($0, at: now) }).joined(separator: " ")
    }

    private static func text(_ effect: Effect, at now: Int64) -> String {
        switch effect {
        case .spawn(let generation): "spawn(\(generation))"
        case .terminate(let generation, _, let wholeTree): "terminate(\(generation)\(wholeTree ? ",tree" : ""))"
        case .askToEnd(let generation, _, let wholeTree): "ask(\(generation)\(wholeTree ? ",tree" : ""))"
        case .watchSocket(let generation): "look(\(generation))"
        case .drain(let generation): "drain(\(generation))"
        case .kill(let generation, let wholeTree): "kill(\(generation)\(wholeTree ? ",tree" : ""))"
        case .watchTree(let generation): "watch(\(generation))"
        case .sweep(let generation, _, _): "sweep(\(generation))"
        case .arm(let kind, let generation, let at): "arm(\(kind),\(generation),+\(at.milliseconds - now))"
        case .disarm(let kind): "disarm(\(kind))"
        case .record: "record"
        case .persist: "persist"
        case .report(let kind, _): "report(\(kind))"
        case .explain(let generation, _): "explain(\(generation))"
        case .remove: "remove"
        }
    }

    private static let table = parse(transitionTable)

    /// Situation to event to outcome.
    static func parse(_ text: String) -> [String: [String: String]] {
        var table: [String: [String: String]] = [:]
        var situation = ""
        for line in text.split(separator: "\n") {
            guard line.hasPrefix(" ") else {
                situation = String(line)
                precondition(table[situation] == nil, "\(situation) is in the table twice")
                table[situation] = [:]
                continue
            }
            let halves = line.split(separator: " → ", maxSplits: 1)
            precondition(halves.count == 2, "'\(line)' is not 'events → outcome'")
            for event in halves[0].split(separator: " ") {
                precondition(table[situation]?[String(event)] == nil, "\(situation) × \(event) is in the table twice")
                table[situation]?[String(event)] = String(halves[1])
            }
        }
        return table
    }
}
