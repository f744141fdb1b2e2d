import ArgumentParser
import Records

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say which layer is broken and what to do; works without a daemon. Exit code 1: something was found.")

    @Flag(help: "Do what is safe: start a daemon, replace one that hangs, close the home, enable lingering.")
    var fix = false
    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let paths = try common.paths()
        let timeout = try common.timeoutMilliseconds()
        UserScope.findRuntimeDirectory()
        let owner = BoundedLooks.one(within: 3000) { Scene.owner(of: paths.home) } ?? nil
        let doctor = Doctor(
            paths: paths, isNamed: common.home != nil,
            fix: FixCommands(paths, isUsual: (try? CommonOptions.paths(home: nil)) == paths, owner: owner),
            timeout: timeout)
        var diagnosis = doctor.examine()
        var fixed: [String] = []
        if fix {
            fixed = Repairs(paths: paths, timeout: timeout).perform(diagnosis.findings)
            if !fixed.isEmpty { diagnosis = doctor.examine() }
        }
        if format.json {
            try JSONOutput.write(DoctorReport.View(diagnosis, fixed: fixed))
        } else {
            let terminal = Terminal.detect()
            for sentence in fixed { try Output.line("fix: " + terminal.escape(sentence)) }
            try Output.write(DoctorReport.text(diagnosis, terminal))
        }
        if !diagnosis.isFine { throw Failure(.failed, lines: []) }
    }
}
