extension AppDraft {
    /// What keys of one app come to, wherever they were given: the options of a command line are keys, too.
    package static func read(
        _ members: [String: JSONValue], dialect: Dialect, needsScript: Bool
    ) -> (draft: AppDraft, problems: [ConfigurationError]) {
        var reader = AppReader(members: members, location: "", dialect: dialect, needsScript: needsScript)
        let draft = reader.read()
        return (draft, reader.problems)
    }
}
