import Configuration
import Glibc
import Platform

/// A directory that `serve` puts on the web, and the app that it becomes.
struct ServedDirectory {
    /// Relative to the caller's directory.
    var path = "."
    var port = Self.defaultPort
    var host: String?
    /// Nil: from the port.
    var name: String?
    var isSinglePage = false
    var listsDirectories = false
    var homepage: String?
    var user: String?
    var password: String?

    static let defaultPort = 8080

    /// The variables that PM2 lets win over what was typed.
    mutating func apply(environment: [String: String]) throws {
        if let path = environment["PM2_SERVE_PATH"], !path.isEmpty { self.path = path }
        if let port = environment["PM2_SERVE_PORT"], !port.isEmpty { self.port = try Self.port(port) }
    }

    static func port(_ text: String) throws -> Int {
        guard let port = UInt16(text), port > 0 else {
            throw Failure.usage("expected a port from 1 to 65535, found '\(text)'")
        }
        return Int(port)
    }

    /// The app: hearth-serve in the directory, with its settings in the environment, as PM2 does it.
    ///
    /// - Parameter directory: where relative paths start.
    func draft(from directory: String) throws -> AppDraft {
        let root = Paths.absolute(path, base: directory, home: CallerHome.directory())
        guard FileProbe.kind(of: root) == .directory else {
            throw Failure(.failed, "there is no directory '\(root)' to serve")
        }
        guard (user == nil) == (password == nil) else {
            throw Failure.usage("--basic-auth-username and --basic-auth-password belong together")
        }
        var draft = AppDraft()
        draft.script = try Self.program()
        draft.interpreter = "none"
        draft.name = name ?? "static-page-server-\(port)"
        draft.cwd = root
        draft.port = port
        // The path, not the directory that it leads to now: a link may be switched to another one.
        var variables = ["PM2_SERVE_PATH": root, "PM2_SERVE_PORT": String(port)]
        // Every variable is set: the caller's own would count otherwise.
        variables["PM2_SERVE_HOST"] = host ?? ""
        variables["PM2_SERVE_SPA"] = String(isSinglePage)
        variables["PM2_SERVE_FTP"] = String(listsDirectories)
        variables["PM2_SERVE_HOMEPAGE"] = homepage ?? ""
        variables["PM2_SERVE_BASIC_AUTH"] = String(user != nil)
        variables["PM2_SERVE_BASIC_AUTH_USERNAME"] = user ?? ""
        variables["PM2_SERVE_BASIC_AUTH_PASSWORD"] = password ?? ""
        draft.environment = variables
        return draft
    }

    /// The server lies where the keeper does.
    private static func program() throws -> String {
        var places: [String] = []
        if let directory = getenv("HEARTH_LIBEXEC"), directory.pointee != 0 {
            places.append(String(cString: directory))
        }
        if let own = DaemonLauncher.ownPath() {
            let directory = FileSystem.parent(of: own)
            places += [Paths.absolute("../lib/hearth", base: directory, home: nil), directory]
        }
        for place in places where FileProbe.isExecutable(place + "/hearth-serve") { return place + "/hearth-serve" }
        throw Failure(
            .failed,
            "the program 'hearth-serve' is not installed (looked in \(places.joined(separator: ", "))); "
                + "run 'make install', or set HEARTH_LIBEXEC")
    }
}
