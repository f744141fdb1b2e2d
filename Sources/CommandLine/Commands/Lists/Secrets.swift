/// Which values are not printed unless somebody asks for them: a screen is shared, a terminal is recorded.
enum Secrets {
    static let mask = "******"

    // Parts of names, in capitals: `DB_PASSWORD`, `stripe_secret_key`.
    private static let fragments = [
        "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "DSN", "COOKIE", "PRIVATE",
    ]
    // Words of a name: `API_KEY` is one, `KEYBOARD` and `MONKEY` are not. `PWD` is a directory, but `DB_PWD` is not.
    private static let words: Set<String> = ["KEY", "KEYS", "APIKEY", "PASS", "PW", "AUTH"]

    /// What is printed instead of a value; nil: the value itself.
    static func redacted(_ name: String, _ value: String) -> String? {
        if value.isEmpty { return nil }
        if isSecret(name) { return mask }
        return withoutPassword(value)
    }

    private static func isSecret(_ name: String) -> Bool {
        let name = name.uppercased()
        if fragments.contains(where: { name.contains($0) }) { return true }
        let parts = name.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        // SSH_AUTH_SOCK and the like are paths.
        if parts.last == "SOCK" || parts.last == "FILE" || parts.last == "PATH" { return false }
        return parts.contains { words.contains($0) } || (parts.count > 1 && parts.last == "PWD")
    }

    /// `postgres://user:password@host/db` without its password; nil when there is none in it.
    private static func withoutPassword(_ value: String) -> String? {
        guard let scheme = value.firstRange(of: "://") else { return nil }
        let rest = value[scheme.upperBound...]
        // A password may hold an `@` that somebody forgot to encode: the last one before the path ends it.
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@"), let colon = authority.firstIndex(of: ":"), colon < at else {
            return nil
        }
        return value[...colon] + mask + value[at...]
    }
}
