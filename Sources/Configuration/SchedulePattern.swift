/// Checks the pattern of a scheduled restart.
package enum SchedulePattern {
    /// What is wrong with `pattern`; nil: nothing. The one place where patterns are checked.
    package static func problem(in pattern: String) -> String? {
        let fields = pattern.split(whereSeparator: \.isWhitespace)
        if pattern.hasPrefix("@") { return "names such as '\(pattern.prefix(20))' are not known" }
        guard fields.count == 5 || fields.count == 6 else {
            return "it has \(fields.count) fields instead of 5, or 6 with seconds in front"
        }
        return nil
    }
}
