/// Where a held socket listens.
package enum ListenAddress: Hashable, Sendable {
    /// `host`: a numeric address, IPv6 without brackets, or nil for every one of the machine (IPv6 and IPv4). `port` 0:
    /// any free one.
    case tcp(host: String?, port: Int)
    /// An absolute path.
    case unix(path: String)
}

/// As it is written: `8080`, `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/x.sock`.
extension ListenAddress: CustomStringConvertible, Codable {
    /// Why a text is no address.
    package struct Invalid: Error, Hashable, Sendable {
        package var message: String
        package var hint: String

        package init(_ message: String, hint: String) {
            self.message = message
            self.hint = hint
        }
    }

    package var description: String {
        switch self {
        case .tcp(nil, let port): "\(port)"
        case .tcp(let host?, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Of TCP; nil: any free one, or none.
    package var port: Int? {
        if case .tcp(_, let port) = self, port > 0 { return port }
        return nil
    }

    package init(parsing text: String) throws(Invalid) {
        if let path = text.dropping(prefix: "unix:") {
            self = .unix(path: try Self.path(path))
        } else {
            self = try Self.internet(text)
        }
    }

    package static func path(_ text: String) throws(Invalid) -> String {
        guard text.hasPrefix("/"), !text.hasSuffix("/"), !text.utf8.contains(0) else {
            throw Invalid("'\(text)' is not the absolute path of a file", hint: "write unix:/run/app.sock")
        }
        // PATH_MAX less the name under which it is made.
        guard text.utf8.count <= 4000 else {
            throw Invalid("the path has \(text.utf8.count) bytes", hint: "4000 are allowed")
        }
        return text
    }

    /// A numeric address without its port, or nil for every one (`*`).
    package static func host(_ text: String) throws(Invalid) -> String? {
        if text == "*" { return nil }
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let host = isBracketed ? String(text.dropFirst().dropLast()) : text
        if NumericAddress.isIPv6(host) || (!isBracketed && NumericAddress.isIPv4(host)) { return host }
        throw Invalid(
            "'\(text)' is not a numeric address", hint: "write 127.0.0.1 or [::1] for this machine alone")
    }

    private static func internet(_ text: String) throws(Invalid) -> ListenAddress {
        let forms = "write 8080, 127.0.0.1:8080, [::1]:8080 or unix:/run/app.sock"
        if text.hasPrefix("/") { throw Invalid("'\(text)' has no 'unix:' in front", hint: forms) }
        if let port = Int(text) { return .tcp(host: nil, port: try checked(port)) }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else {
            throw Invalid("'\(text)' is not an address with a port", hint: forms)
        }
        let host = String(text[..<colon])
        if host.contains(":"), !host.hasPrefix("[") {
            throw Invalid("'\(text)' has an IPv6 address without brackets", hint: "write [::1]:8080")
        }
        return .tcp(host: try Self.host(host), port: try checked(port))
    }

    private static func checked(_ port: Int) throws(Invalid) -> Int {
        guard (0...65_535).contains(port) else {
            throw Invalid("port \(port) is not between 0 and 65535", hint: "0 is any free one")
        }
        return port
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(Invalid) { try self.init(parsing: text) } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(error.message); \(error.hint)")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}

/// Whether a text is an address in numbers: nothing else can be listened on without asking a name server.
enum NumericAddress {
    static func isIPv4(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.count <= 3 && part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil
            }
    }

    /// Also with a zone (`fe80::1%eth0`).
    static func isIPv6(_ text: String) -> Bool {
        let zoned = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = zoned.first, zoned.count == 1 || zoned.last?.isEmpty == false else { return false }
        let sides = halves(address)
        guard sides.count <= 2 else { return false }
        var groups = 0
        for (index, side) in sides.enumerated() {
            guard let count = groupCount(side, mayEndInIPv4: index == sides.count &- 1) else { return false }
            groups += count
        }
        return sides.count == 2 ? groups < 8 : groups == 8
    }

    /// What stands around `::`.
    private static func halves(_ text: Substring) -> [Substring] {
        var sides: [Substring] = []
        var rest = text
        while let gap = rest.firstRange(of: "::") {
            sides.append(rest[..<gap.lowerBound])
            rest = rest[gap.upperBound...]
        }
        return sides + [rest]
    }

    private static func groupCount(_ text: Substring, mayEndInIPv4: Bool) -> Int? {
        if text.isEmpty { return 0 }
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        if mayEndInIPv4, let last = parts.last, last.contains(".") {
            guard isIPv4(last) else { return nil }
            parts.removeLast()
            count = 2
        }
        for part in parts {
            guard (1...4).contains(part.count), part.allSatisfy(\.isHexDigit), part.utf8.count == part.count else {
                return nil
            }
            count += 1
        }
        return count
    }
}
