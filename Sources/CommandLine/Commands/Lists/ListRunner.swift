import ArgumentParser
import Control
import Records

/// The work of `list`.
struct ListRunner {
    let session: Session
    let json: Bool

    func run(_ selectors: [String]) throws {
        let (reply, absence) = try Reading.run(session) {
            try session.read(.list, SelectorParameters(selectors: selectors), as: ListReply.self)
        } offline: { home in
            ListReply(instances: try home.selected(selectors).map(home.view), notes: [])
        }
        if json {
            try JSONOutput.write(reply.instances)
        } else if reply.instances.isEmpty {
            try Output.line("no apps; start one with 'hearth start app.js'")
        } else {
            try Output.write(ListTable.render(reply.instances, Terminal.detect()))
        }
        if !json {
            ChosenHome.mention(session.paths)
            OtherHomes.mention(besides: session.paths)
        }
        for note in reply.notes { Output.complain(note) }
        try Reading.finish(absence)
    }

    /// The plain forms of `list`, which scripts and status bars call all the time, without the argument parser: it takes
    /// a third of the time of the whole command. Nil: the parser has to look at it.
    static func plain(_ arguments: [String]) throws -> ListRunner? {
        guard let command = arguments.first, command == "list" || ListCommand.configuration.aliases.contains(command)
        else { return nil }
        var json = false
        var home: String?
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            if word == "--json" {
                json = true
            } else if word == "--home", home == nil, let path = rest.first, !path.hasPrefix("-") {
                home = path
                rest = rest.dropFirst()
            } else {
                return nil
            }
        }
        let session = Session(paths: try CommonOptions.paths(home: home), timeout: CommonOptions.defaultTimeout)
        return ListRunner(session: session, json: json)
    }
}
