/// Finds the port in a line of an error message (lower case ASCII).
enum PortInText {
    static func find(in line: String) -> Int? {
        // The surest first: a word that says what the number is.
        for word in ["port: ", "port:", "port=", "port "] {
            var rest = line[...]
            while let after = rest.end(of: word) {
                let before = line[..<after].dropLast(word.count).last
                rest = line[after...]
                // "support 24" is no port.
                if before?.isLetter != true, let port = port(at: rest) { return port }
            }
        }
        // Python's pairs: ('127.0.0.1', 8000) and ('::', 8000, 0, 0).
        for quote in ["', ", "\", "] {
            if let after = line.end(of: quote), let port = port(at: line[after...]) { return port }
        }
        for token in line.split(whereSeparator: { " ()'\",<>".contains($0) }) {
            if let port = port(inAddress: token) { return port }
        }
        return nil
    }

    /// Digits at the start that are a port, and nothing that goes on like a larger word.
    private static func port(at text: Substring) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let value = Int(digits), (1...65535).contains(value) else { return nil }
        if let next = text.dropFirst(digits.count).first, next.isLetter { return nil }
        return value
    }

    /// The port of `:8080`, `0.0.0.0:80`, `[::]:80`, `:::3000`, `localhost:8000`, `http://host.example:80/`,
    /// `0.0.0.0/0.0.0.0:8080`; nil for a time of day, `file.js:12:5`, `[::]` and the like.
    private static func port(inAddress raw: Substring) -> Int? {
        var token = raw
        var isURL = false
        if let scheme = token.end(of: "://") {
            token = token[scheme...]
            isURL = true
        }
        while let last = token.last, ":;.,/]".contains(last), token.count > 1 {
            token.removeLast()
        }
        guard let colon = token.lastIndex(of: ":") else { return nil }
        let digits = token[token.index(after: colon)...]
        guard let value = Int(digits), digits.allSatisfy(\.isNumber), (1...65535).contains(value) else { return nil }
        return isURL || isHost(token[..<colon]) ? value : nil
    }

    private static func isHost(_ host: Substring) -> Bool {
        // Java prints NAME/ADDRESS.
        if let slash = host.lastIndex(of: "/") { return isHost(host[host.index(after: slash)...]) }
        if host.isEmpty || host == "*" || host == "localhost" { return true }
        if host.hasPrefix("["), host.hasSuffix("]") { return true }
        // Two colons in a row are in no time of day.
        if host.contains(":") { return host == "::" || host.end(of: "::") != nil && host.allSatisfy(isHexOrColon) }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func isHexOrColon(_ character: Character) -> Bool {
        character == ":" || character.isHexDigit
    }
}

extension StringProtocol {
    /// The index after the first occurrence of `words`.
    func end(of words: String) -> Index? {
        let wanted = Array(words.utf8)
        guard let first = wanted.first else { return nil }
        var start = utf8.startIndex
        while let hit = utf8[start...].firstIndex(of: first) {
            if utf8[hit...].starts(with: wanted) { return utf8.index(hit, offsetBy: wanted.count) }
            start = utf8.index(after: hit)
        }
        return nil
    }
}
