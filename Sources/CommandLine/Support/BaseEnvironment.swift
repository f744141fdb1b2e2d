/// The environment of apps that a file describes: little, and the same from every shell. What else an app needs, its
/// file says (`env`, `env_file`, `pass_env`).
enum BaseEnvironment {
    private static let names: Set<String> = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ"]

    /// Of the caller's variables: the basic ones, and those that `pass_env` names.
    static func current(passing names: Set<String> = []) -> [String: String] {
        CallerEnvironment.current().variables.filter { name, _ in
            Self.names.contains(name) || name.hasPrefix("LC_") || names.contains(name)
        }
    }
}
