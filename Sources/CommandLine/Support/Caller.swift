import Configuration
import Glibc

/// Who runs this command.
enum Caller {
    static var userID: UInt32 { geteuid() }
    static var isRoot: Bool { geteuid() == 0 }

    /// Turns descriptions of apps into specifications, as seen from where the command was typed.
    static func resolver(environment: [String: String], dialect: Dialect = .hearth) throws -> AppResolver {
        guard let directory = CallerHome.workingDirectory() else {
            throw Failure(
                .failed, "the working directory is gone, or its name is not valid UTF-8; change to another one")
        }
        var resolver = AppResolver(
            workingDirectory: directory, environment: environment, home: CallerHome.directory(),
            processors: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), isRoot: isRoot,
            dialect: dialect)
        resolver.passable = CallerEnvironment.everything()
        resolver.staticServer = (try? InstalledProgram.path(of: "hearth-serve")).map { [$0] }
        return resolver
    }
}
