/// The path of a request, decoded and without dots.
struct RequestPath: Hashable {
    enum Refusal: Error, Hashable {
        /// It leads out of the root.
        case escapes
        /// It is no path at all.
        case malformed
    }

    let components: [String]
    let endsWithSlash: Bool

    /// `/a/b`; `/` for the root.
    var text: String { "/" + components.joined(separator: "/") }

    /// - Parameter target: as it stands in the request line, with or without a query.
    init(_ target: String) throws(Refusal) {
        var path = target[...]
        // The absolute form, which proxies use.
        for scheme in ["http://", "https://"] where path.lowercased().hasPrefix(scheme) {
            path = path.dropFirst(scheme.count)
            path = path.firstIndex(of: "/").map { path[$0...] } ?? "/"
        }
        path = path.prefix { $0 != "?" && $0 != "#" }
        guard let decoded = Self.decode(path) else { throw .malformed }
        var components: [String] = []
        let words = decoded.split(separator: "/", omittingEmptySubsequences: true)
        for word in words where word != "." {
            if word == ".." {
                guard !components.isEmpty else { throw .escapes }
                components.removeLast()
            } else {
                components.append(String(word))
            }
        }
        self.components = components
        endsWithSlash = decoded.isEmpty || decoded.hasSuffix("/")
    }

    /// Nil for what is no UTF-8, has a NUL, or a percent sign without two digits.
    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// A path as it may stand in a link or a header.
    static func encode(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return text
    }
}
