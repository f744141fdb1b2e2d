/// A key of the configuration store as a person writes it: `app:key`, `app.key`, `a."b.c".d`.
package struct ConfigurationKey: Hashable, Sendable {
    package let segments: [String]

    /// Dots separate where there is one, colons otherwise; double quotes keep a segment together.
    package init(_ text: String) throws(ModuleConfiguration.Failure) {
        let separator: Character = text.contains(".") ? "." : ":"
        var segments: [String] = []
        var segment = ""
        var isQuoted = false
        var wasQuoted = false
        for character in text {
            if character == "\"" {
                isQuoted.toggle()
                wasQuoted = true
            } else if character == separator, !isQuoted {
                // Nothing between two separators is no segment, as with PM2.
                if !segment.isEmpty || wasQuoted { segments.append(segment) }
                segment = ""
                wasQuoted = false
            } else {
                segment.append(character)
            }
        }
        guard !isQuoted else { throw ModuleConfiguration.Failure("the quotes in the key '\(text)' are never closed") }
        if !segment.isEmpty || wasQuoted { segments.append(segment) }
        guard !segments.isEmpty else { throw ModuleConfiguration.Failure("the key '\(text)' is empty") }
        // They would change every object of a PM2 that reads the file.
        for name in ["__proto__", "constructor", "prototype"] where segments.contains(name) {
            throw ModuleConfiguration.Failure("'\(name)' can't be part of a key ('\(text)')")
        }
        self.segments = segments
    }

    /// The app or module that the key belongs to.
    package var section: String { segments[0] }
    /// What follows the section, as it is shown.
    package var rest: String { segments.dropFirst().joined(separator: ".") }
}
