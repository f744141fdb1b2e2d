import ArgumentParser
import Configuration
import Glibc
import Model
import Records

/// Options of every command that has to do with a home.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Home directory of the daemon (default: $HEARTH_HOME, else ~/.hearth).", valueName: "dir"),
        completion: .directory)
    var home: String?

    @Option(help: ArgumentHelp("How long the daemon may take to say hello, such as 500ms or 5s.", valueName: "time"))
    var timeout: String?

    /// Milliseconds.
    static let defaultTimeout = 2000

    func timeoutMilliseconds() throws -> Int {
        guard let timeout else { return Self.defaultTimeout }
        guard let time = TextValues.duration(timeout), time.rawValue > 0 else {
            throw Failure.usage("'\(timeout)' is not a time for --timeout; write milliseconds, or 5s")
        }
        return Int(clamping: time.rawValue)
    }

    func paths() throws -> HomePaths { try Self.paths(home: home) }

    static func paths(home: String?) throws -> HomePaths {
        if let home {
            guard !home.isEmpty else { throw Failure.usage("--home is empty; name a directory") }
            return try absolute(home)
        }
        if let value = getenv("HEARTH_HOME"), value.pointee != 0 {
            guard let path = String(validatingCString: value) else {
                throw Failure.usage("HEARTH_HOME is not valid UTF-8")
            }
            return try absolute(path)
        }
        if let home = ChosenHome.read() { return HomePaths.existing(at: home) }
        guard let home = CallerHome.directory() else {
            throw Failure(
                .failed,
                "there is no home directory: HOME is not set and /etc/passwd has none for uid \(geteuid()); "
                    + "set HEARTH_HOME or give --home")
        }
        return HomePaths(home: home + "/.hearth")
    }

    private static func absolute(_ path: String) throws -> HomePaths {
        if path.hasPrefix("/") || path.hasPrefix("~/") || path == "~" {
            return HomePaths.existing(at: Paths.absolute(path, base: "/", home: CallerHome.directory()))
        }
        guard let directory = CallerHome.workingDirectory() else {
            throw Failure(.failed, "the working directory is gone; give an absolute path to --home")
        }
        return HomePaths.existing(at: Paths.absolute(path, base: directory, home: nil))
    }
}

struct FormatOptions: ParsableArguments {
    @Flag(help: "Print JSON (docs/json.md).")
    var json = false
}

/// What most commands act on.
struct SelectorArguments: ParsableArguments {
    @Argument(help: "Ids, names, namespaces, 'all' or '/regular expression/'.")
    var selectors: [String]

    /// App files stand for the names in them.
    func resolved() throws -> [String] { try Selection.expandFiles(selectors) }
}

struct OptionalSelectorArguments: ParsableArguments {
    @Argument(help: "Ids, names, namespaces, 'all' or '/regular expression/' (default: all).")
    var selectors: [String] = []

    func resolved() throws -> [String] { try Selection.expandFiles(selectors) }
}
