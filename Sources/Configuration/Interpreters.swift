/// Which program runs which file.
package enum Interpreters {
    /// Candidates by extension, the first one found in PATH is taken; the first is named when there is none.
    package static func candidates(forExtension suffix: String) -> [String]? {
        switch suffix {
        case ".sh", ".bash": ["bash", "sh"]
        case ".zsh": ["zsh"]
        case ".py": ["python3", "python"]
        case ".rb": ["ruby"]
        case ".php": ["php"]
        case ".pl": ["perl"]
        case ".lua": ["lua"]
        case ".js", ".cjs", ".mjs": ["node", "bun"]
        case ".ts", ".tsx", ".mts", ".cts": ["bun", "node"]
        case ".coffee": ["coffee"]
        case ".ls": ["lsc"]
        default: nil
        }
    }

    /// The same as PM2 has them.
    static func foreignCandidates(forExtension suffix: String) -> [String]? {
        switch suffix {
        case ".sh": ["bash"]
        case ".py": ["python", "python3"]
        case ".rb": ["ruby"]
        case ".php": ["php"]
        case ".pl": ["perl"]
        case ".js": ["node"]
        case ".coffee": ["coffee"]
        case ".ls": ["lsc"]
        case ".ts", ".tsx": ["bun"]
        default: nil
        }
    }

    /// No text, as far as the first bytes tell: a NUL, or a tenth of bytes that no text has.
    static func looksBinary(_ head: [UInt8]) -> Bool {
        if isBinary(head) { return true }
        let strange = head.count { $0 < 7 || (14..<32).contains($0) && $0 != 27 }
        return strange * 10 > head.count
    }

    /// The interpreter of a `#!` line and its arguments; `env` and `env -S` are looked through.
    package static func shebang(of head: [UInt8]) -> (interpreter: String, arguments: [String])? {
        guard head.starts(with: [0x23, 0x21]) else { return nil }
        let line = head.dropFirst(2).prefix { $0 != 0x0a }
        guard let text = String(validating: line, as: UTF8.self) else { return nil }
        var words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !words.isEmpty else { return nil }
        if Paths.baseName(words[0]) == "env" {
            words.removeFirst()
            if words.first == "-S" { words.removeFirst() }
            while let word = words.first, word.contains("="), !word.contains("/") { words.removeFirst() }
            guard let first = words.first, !first.hasPrefix("-") else { return nil }
            return (first, Array(words.dropFirst()))
        }
        return (words[0], Array(words.dropFirst()))
    }

    /// An ELF program, or something else that is no text (binfmt_misc may run it).
    package static func isBinary(_ head: [UInt8]) -> Bool {
        head.starts(with: [0x7f, 0x45, 0x4c, 0x46]) || head.contains(0)
    }
}
