internal import Glibc

/// The `/regular expression/` of a selector: POSIX extended, with `\d`, `\w` and `\s` as people know them.
package final class NamePattern {
    private var compiled = regex_t()

    /// - Parameter text: what stands between the slashes.
    package init(_ text: String) throws(ControlError) {
        var pattern = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                pattern += character == "d" ? "[0-9]" : character == "D" ? "[^0-9]" : "\\\(character)"
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                pattern.append(character)
            }
        }
        if isEscaped { pattern += "\\" }
        let failure = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB)
        guard failure == 0 else {
            var buffer = [CChar](repeating: 0, count: 200)
            regerror(failure, &compiled, &buffer, buffer.count)
            let why = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw ControlError(.badRequest, "'/\(text.prefix(60))/' is not a regular expression: \(why.lowercased())")
        }
    }

    deinit { regfree(&compiled) }

    package func matches(_ name: String) -> Bool { regexec(&compiled, name, 0, nil, 0) == 0 }
}
