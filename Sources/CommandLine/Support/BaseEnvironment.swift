/// The environment of apps that a file describes: little, and the same from every shell. What else an app needs, its
/// file says (`env`, `env_file`, `pass_env`).
enum BaseEnvironment {
    private static let names: Set<String> = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ"]

    static func contains(_ name: String) -> Bool { names.contains(name) || name.hasPrefix("LC_") }

    /// The basic ones of the caller's variables.
    static func current() -> [String: String] {
        CallerEnvironment.current().variables.filter { contains($0.key) }
    }
}
