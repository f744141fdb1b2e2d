/// A socket that Hearth holds for an app, so that it outlives every process of it.
package struct ListenSpec: Codable, Hashable, Sendable {
    /// Unique within the app: LISTEN_FDNAMES, `{fd:NAME}`.
    package var name: String
    package var address: ListenAddress
    /// Connections that may wait; nil: 511.
    package var backlog: Int?
    /// Bound with SO_REUSEPORT from the start, for programs that bind to the same port themselves.
    package var reusePort: Bool?
    /// Permissions of a unix socket's file; nil: 0660.
    package var mode: UInt32?

    package init(
        name: String, address: ListenAddress, backlog: Int? = nil, reusePort: Bool? = nil, mode: UInt32? = nil
    ) {
        self.name = name
        self.address = address
        self.backlog = backlog
        self.reusePort = reusePort
        self.mode = mode
    }
}

// What holds for the sockets of an app, whoever described them.
extension ListenSpec {
    /// Descriptors are numbered from 3 on and passed twice: far below any limit.
    package static let most = 64
    /// `LISTEN_FDNAMES` has `:` between names; the rest is what can stand in a variable's name and in an argument.
    package static let longestName = 64

    /// The name of a socket that was given none: `web`, `web2`, `web3` by its place in the list.
    package static func usualName(at index: Int) -> String { index == 0 ? "web" : "web\(index &+ 1)" }

    /// `HEARTH_FD_…` for a name: upper case, `_` for what a variable cannot hold.
    package static func variableSuffix(of name: String) -> String {
        String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? Character($0.uppercased()) : "_" })
    }

    /// What is wrong with one of them, on its own; nil: nothing.
    package var fault: String? {
        let isSpelled = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isSpelled, !name.isEmpty, name.utf8.count <= Self.longestName else {
            return "name '\(name)' is not 1 to \(Self.longestName) letters, digits, '-', '_' and '.'"
        }
        if let backlog, !(1...65535).contains(backlog) { return "backlog \(backlog) is not between 1 and 65535" }
        // Whoever made the address by hand: what cannot be written is none.
        do throws(ListenAddress.Invalid) { _ = try ListenAddress(parsing: address.description) } catch {
            return error.message
        }
        switch address {
        case .tcp: if mode != nil { return "mode is for unix sockets" }
        case .unix:
            if let mode, mode > 0o777 { return "mode \(String(mode, radix: 8)) is not between 0 and 777" }
            if reusePort == true { return "reuseport is for TCP" }
        }
        return nil
    }

    /// What is wrong with all of them together; nil: nothing.
    package static func fault(of all: [ListenSpec]) -> String? {
        if all.count > most { return "\(all.count) sockets are more than an app can have (\(most))" }
        for listen in all { if let fault = listen.fault { return fault } }
        var names: [String: String] = [:]
        var addresses: Set<ListenAddress> = []
        for listen in all {
            let suffix = variableSuffix(of: listen.name)
            if let other = names.updateValue(listen.name, forKey: suffix) {
                return other == listen.name
                    ? "two sockets are named '\(other)'"
                    : "the names '\(other)' and '\(listen.name)' would be the same variable, HEARTH_FD_\(suffix)"
            }
            // Any free port twice are two.
            if case .tcp(_, 0) = listen.address { continue }
            if !addresses.insert(listen.address).inserted { return "\(listen.address) is given twice" }
        }
        return nil
    }
}
