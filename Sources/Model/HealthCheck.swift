/// An address that answers while an app is well: `http://127.0.0.1:3000/health`, or with the status that is expected,
/// `http://127.0.0.1:3000/old=301`.
package struct HealthCheck: Hashable, Sendable {
    /// As it was given, without the expected status.
    package let url: String
    /// 200 unless it says otherwise.
    package let expected: Int
    package let isSecure: Bool
    /// A name, or a numeric address without brackets.
    package let host: String
    package let port: Int
    /// With the query: what stands in the request's first line.
    package let target: String

    package struct Invalid: Error, Hashable, Sendable {
        package var message: String
    }

    /// In bytes: beyond it no server takes a request line.
    private static let longest = 2000

    /// A number of three digits behind the last `=` is the expected status.
    package init(parsing text: String) throws(Invalid) {
        var address = text[...]
        var expected = 200
        if let equals = text.lastIndex(of: "=") {
            let digits = text[text.index(after: equals)...]
            if digits.utf8.count == 3, let status = Int(digits), (100...599).contains(status) {
                expected = status
                address = text[..<equals]
            }
        }
        func invalid(_ why: String) -> Invalid {
            Invalid(
                message: "'\(text)' is not a URL to check: \(why); write http://127.0.0.1:3000/health, or with =301")
        }
        // Blanks and control characters would end the request's line.
        guard text.utf8.count <= Self.longest, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw invalid("it has blanks, characters beyond ASCII, or over \(Self.longest) bytes")
        }
        let rest: Substring
        if address.hasPrefix("http://") {
            (isSecure, rest) = (false, address.dropFirst(7))
        } else if address.hasPrefix("https://") {
            (isSecure, rest) = (true, address.dropFirst(8))
        } else {
            throw invalid("it begins with neither http:// nor https://")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { throw invalid("a user or password cannot be in it") }
        guard let (host, port) = Self.split(authority, defaultPort: isSecure ? 443 : 80) else {
            throw invalid("it has no host and port")
        }
        let path = rest.dropFirst(authority.count).prefix { $0 != "#" }
        url = String(address)
        self.expected = expected
        self.host = host
        self.port = port
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    /// `host`, `host:80`, `[::1]`, `[::1]:80`.
    private static func split(_ authority: Substring, defaultPort: Int) -> (String, Int)? {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            if rest.hasPrefix(":") { port = rest.dropFirst() } else if !rest.isEmpty { return nil }
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
            // An IPv6 address without its brackets.
            if host.contains(":") { return nil }
        }
        guard !host.isEmpty else { return nil }
        guard let port else { return (String(host), defaultPort) }
        guard let number = Int(port), (1...65_535).contains(number) else { return nil }
        return (String(host), number)
    }

    /// What the `Host` field of a request says.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}
