import Configuration

/// How an operand of `start` is to be understood, by its spelling and what lies on disk.
enum StartOperand: Equatable {
    case file(String)
    case script(String)
    /// `all`, a pattern, or a number: only what is in the list can be meant.
    case selector(String)
    /// A bare word: an app in the list if there is one of that name, else a script or program.
    case word(String)

    init(_ text: String) throws {
        guard !text.isEmpty else { throw Failure.usage("an operand of 'start' is empty") }
        if AppFile.isNamed(text) {
            self = .file(text)
            return
        }
        if AppResolver.isShellString(text) {
            self = .script(text)
        } else if text == "all" || UInt32(text) != nil {
            self = .selector(text)
        } else if text.hasPrefix("/"), text.hasSuffix("/"), text.count > 2, FileProbe.kind(of: text) == .missing {
            self = .selector(text)
        } else if text.contains("/") {
            self = .script(text)
        } else if !Paths.fileExtension(text).isEmpty, FileProbe.kind(of: text) == .file {
            self = .script(text)
        } else {
            self = .word(text)
        }
    }
}
