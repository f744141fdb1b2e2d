import Model

/// `listen`: an address, an object that says more about one, or an array of those.
extension AppReader {
    private static let forms =
        "an address such as 8080, \"127.0.0.1:8080\" or \"unix:/run/app.sock\", an object, or an array of those"
    private static let keys = ["name", "address", "port", "path", "backlog", "reuseport", "mode"]

    mutating func listen() -> [ListenSpec]? {
        guard let (key, value) = take("listen") else { return nil }
        var all: [ListenSpec] = []
        let known = problems.count
        if case .array(let values) = value {
            for (index, value) in values.enumerated() {
                if let listen = socket(value, at: index, place(of: "\(key)[\(index)]")) { all.append(listen) }
            }
        } else if let listen = socket(value, at: 0, place(of: key)) {
            all.append(listen)
        }
        if problems.count == known, let fault = ListenSpec.fault(of: all) {
            complain(fault, place(of: key), hint: "each socket needs an address and a name of its own")
        }
        return all
    }

    private mutating func socket(_ value: JSONValue, at index: Int, _ place: String) -> ListenSpec? {
        let name = ListenSpec.usualName(at: index)
        switch value {
        case .integer(let port):
            return address(String(port), place).map { ListenSpec(name: name, address: $0) }
        case .string(let text):
            return address(text, place).map { ListenSpec(name: name, address: $0) }
        case .object(let members): return socket(members, name, place)
        default:
            complain("expected \(Self.forms), found \(value.kind) \(value.quoted)", place)
            return nil
        }
    }

    private mutating func address(_ text: String, _ place: String) -> ListenAddress? {
        do throws(ListenAddress.Invalid) { return try ListenAddress(parsing: text) } catch {
            complain(error.message, place, hint: error.hint)
            return nil
        }
    }

    private mutating func socket(
        _ members: [String: JSONValue], _ usualName: String, _ place: String
    ) -> ListenSpec? {
        let known = problems.count
        for key in members.keys.sorted() where !Self.keys.contains(key) {
            let near = Spelling.nearest(to: key, among: Self.keys)
            complain(
                "unknown key '\(key)'", place,
                hint: near.map { "did you mean '\($0)'?" } ?? "there are \(Self.keys.joined(separator: ", "))")
        }
        let address = address(of: members, place)
        let name = text("name", of: members, place) ?? usualName
        let backlog = number("backlog", of: members, place, 1...65_535)
        let reusePort = flag("reuseport", of: members, place)
        let mode = mode(of: members, place)
        guard problems.count == known, let address else { return nil }
        let listen = ListenSpec(name: name, address: address, backlog: backlog, reusePort: reusePort, mode: mode)
        if let fault = listen.fault {
            complain(fault, place)
            return nil
        }
        return listen
    }

    /// Exactly one of `address`, `port` and `path`.
    private mutating func address(of members: [String: JSONValue], _ place: String) -> ListenAddress? {
        let given = ["address", "port", "path"].filter { (members[$0] ?? .null) != .null }
        guard given.count == 1, let form = given.first else {
            complain(
                given.isEmpty
                    ? "it has no 'port', 'path' or 'address'"
                    : "'\(given.joined(separator: "' and '"))' exclude each other",
                place, hint: "give one of them")
            return nil
        }
        switch form {
        case "address":
            if case .integer(let port)? = members["address"] { return address(String(port), place + ".address") }
            return text("address", of: members, place).flatMap { address($0, place + ".address") }
        case "path":
            guard let path = text("path", of: members, place) else { return nil }
            do throws(ListenAddress.Invalid) { return .unix(path: try ListenAddress.path(path)) } catch {
                complain(error.message, place + ".path", hint: "begin it with '/'")
                return nil
            }
        default:
            return number("port", of: members, place, 0...65_535).map { .tcp(host: nil, port: $0) }
        }
    }

    private mutating func text(_ key: String, of members: [String: JSONValue], _ place: String) -> String? {
        switch members[key] {
        case nil, .null: return nil
        case .string(let text): return text
        case let value?:
            complain("expected a string, found \(value.kind) \(value.quoted)", "\(place).\(key)")
            return nil
        }
    }

    private mutating func flag(_ key: String, of members: [String: JSONValue], _ place: String) -> Bool? {
        switch members[key] {
        case nil, .null: return nil
        case .bool(let flag): return flag
        case let value?:
            complain("expected true or false, found \(value.kind) \(value.quoted)", "\(place).\(key)")
            return nil
        }
    }

    private mutating func number(
        _ key: String, of members: [String: JSONValue], _ place: String, _ range: ClosedRange<Int>
    ) -> Int? {
        let number: Int?
        switch members[key] {
        case nil, .null: return nil
        case .integer(let value): number = Int(exactly: value)
        case .string(let text): number = Int(text)
        default: number = nil
        }
        if let number, range.contains(number) { return number }
        let value = members[key] ?? .null
        complain(
            "expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(value.kind) \(value.quoted)",
            "\(place).\(key)")
        return nil
    }

    /// Octal, as `chmod` has it: a number in JSON would be read as decimal, and is not what anybody means.
    private mutating func mode(of members: [String: JSONValue], _ place: String) -> UInt32? {
        guard let value = members["mode"], value != .null else { return nil }
        if case .string(let text) = value, (3...4).contains(text.count), let mode = UInt32(text, radix: 8),
            mode <= 0o777
        {
            return mode
        }
        complain(
            "expected permissions in octal such as \"0660\", found \(value.kind) \(value.quoted)", place + ".mode",
            hint: "put them in quotes")
        return nil
    }

    mutating func complain(_ message: String, _ place: String, hint: String? = nil) {
        problems.append(ConfigurationError(message, hint: hint, location: place, subject: .setting))
    }
}
