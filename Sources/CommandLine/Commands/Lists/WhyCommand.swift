import ArgumentParser
import Control
import Model
import Platform

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Explain why apps are in the state they are in.")

    @OptionGroup var targets: OptionalSelectorArguments
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let session = try Session(common)
        let selectors = try targets.resolved()
        let (explanations, absence) = try Reading.run(session) {
            try session.read(.why, SelectorParameters(selectors: selectors), as: WhyReply.self).explanations
        } offline: { home in
            try home.selected(selectors).map(home.explanation)
        }
        if format.json {
            try JSONOutput.write(explanations)
        } else {
            let terminal = Terminal.detect()
            let now = SystemClock.wallClock()
            try Output.write(
                explanations.map { Self.text($0, now: now, terminal) }.joined(separator: "\n"))
        }
        try Reading.finish(absence)
    }

    static func text(_ explanation: Explanation, now: Int64, _ terminal: Terminal) -> String {
        let view = explanation.instance
        var text = terminal.paint(terminal.escape("\(view.name) (id \(view.id))"), .bold) + ": "
        text += terminal.paint(view.status.rawValue, ListTable.style(of: view.status)) + "\n"
        text += "  " + terminal.escape(explanation.summary) + "\n"
        if let exit = view.lastExit { text += "  last exit: " + terminal.escape(DetailBlock.sentence(exit)) + "\n" }
        if let next = explanation.nextStartAt {
            let wait = Quantities.duration(milliseconds: max(0, next - now))
            text += "  next start: in \(wait) (\(Quantities.timestamp(milliseconds: next)))\n"
        }
        for holder in explanation.portHolders { text += "  " + terminal.escape(sentence(holder)) + "\n" }
        if !explanation.lastErrorLines.isEmpty {
            text += "  last lines on standard error:\n"
            for line in explanation.lastErrorLines {
                text += "    " + terminal.paint(terminal.escape(line), .red) + "\n"
            }
        }
        for advice in explanation.advice {
            text += "  " + (terminal.unicode ? "→ " : "> ") + terminal.escape(advice) + "\n"
        }
        return text
    }

    private static func sentence(_ holder: PortHolderView) -> String {
        let who = holder.pid.map { "pid \($0)" } ?? "an unknown process"
        var text = "port \(holder.port) (\(holder.address)) is held by \(who) of \(holder.user)"
        if !holder.command.isEmpty { text += ": \(holder.command)" }
        if let age = holder.ageSeconds { text += ", running for \(Quantities.duration(milliseconds: age * 1000))" }
        if let ours = holder.ours { text += "; it is an \(ours)" }
        return text
    }
}
