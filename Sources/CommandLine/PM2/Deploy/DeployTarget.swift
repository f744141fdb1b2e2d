import Configuration

/// One host of an environment in the `deploy` section, with everything that is needed to deploy to it.
struct DeployTarget: Equatable {
    var host: String
    var user: String?
    var port: Int?
    /// Identity file for ssh, as written.
    var key: String?
    var sshOptions: [String] = []
    var forwardsAgent = false
    var needsTerminal = false

    var repository: String
    /// On the host; `~` is the user's home there.
    var path: String
    /// Empty: the latest tag.
    var ref: String
    /// `fetch: "fast"`: only the last commits.
    var isShallow = false
    /// For the post-deploy hook, names in upper case.
    var environment: [String: String] = [:]
    var hooks: [Hook: String] = [:]

    enum Hook: String, CaseIterable {
        case preSetup = "pre-setup"
        case postSetup = "post-setup"
        case preDeployLocal = "pre-deploy-local"
        case preDeploy = "pre-deploy"
        case postDeploy = "post-deploy"
    }

    /// `host: localhost`: no ssh.
    var isLocal: Bool { host == "localhost" }

    /// What ssh is told: `user@host`.
    var destination: String { user.map { "\($0)@\(host)" } ?? host }

    /// What is wrong with a section, as PM2's schema says it.
    struct Problems: Error, Equatable {
        var lines: [String]
    }

    /// The hosts of an environment, in their order.
    static func all(in section: [String: JSONValue]) throws(Problems) -> [DeployTarget] {
        let hosts: [JSONValue]
        switch section["host"] {
        case .array(let values)?: hosts = values
        case let value?: hosts = [value]
        case nil: hosts = []
        }
        let missing = ["host", "repo", "path", "ref"].filter { section[$0] == nil || section[$0] == .null }
        guard missing.isEmpty else { throw Problems(lines: missing.map { "Missing required property: \($0)" }) }
        guard !hosts.isEmpty else { throw Problems(lines: ["host: there is none in the array"]) }
        var targets: [DeployTarget] = []
        for host in hosts {
            var members = section
            if case .object(let own) = host {
                // What is said of one host counts for it alone.
                members.merge(own) { _, own in own }
                if own["host"] == nil { members["host"] = nil }
            } else {
                members["host"] = host
            }
            var reader = Reader(members: members)
            let target = reader.target()
            guard reader.problems.isEmpty else { throw Problems(lines: reader.problems) }
            targets.append(target)
        }
        return targets
    }
}

/// Takes one host's settings out of the section and collects what is wrong with them.
private struct Reader {
    let members: [String: JSONValue]
    var problems: [String] = []

    init(members: [String: JSONValue]) { self.members = members }

    mutating func target() -> DeployTarget {
        var target = DeployTarget(
            host: word("host") ?? "", repository: text("repo") ?? "", path: text("path") ?? "",
            ref: text("ref") ?? "")
        if target.host.isEmpty, problems.isEmpty { problems.append("Missing required property: host") }
        if members["path"] != nil, target.path.isEmpty, problems.isEmpty { problems.append("path: it is empty") }
        if let problem = Self.problem(ofRef: target.ref) { problems.append("ref: \(problem)") }
        target.user = word("user")
        target.port = port()
        target.key = text("key")
        target.sshOptions = texts("ssh_options")
        target.forwardsAgent = flag("forward-agent")
        target.needsTerminal = flag("needs_tty")
        target.isShallow = text("fetch") == "fast"
        target.environment = variables()
        for hook in DeployTarget.Hook.allCases {
            if let command = text(hook.rawValue), command.contains(where: { !$0.isWhitespace }) {
                target.hooks[hook] = command
            }
        }
        return target
    }

    /// A ref that git would take for an option is none.
    static func problem(ofRef ref: String) -> String? {
        if ref.hasPrefix("-") { return "'\(ref)' is no name of a branch, tag or commit" }
        return nil
    }

    private mutating func text(_ key: String) -> String? {
        guard let value = members[key], value != .null else { return nil }
        guard case .string(let text) = value else {
            problems.append("Invalid type: \(Self.type(of: value)) (expected string): \(key)")
            return nil
        }
        return checked(text, key)
    }

    /// The end of a C string in the middle would cut the command that it is part of.
    private mutating func checked(_ text: String, _ key: String) -> String? {
        guard !text.unicodeScalars.contains("\0") else {
            problems.append("\(key): there is a NUL character in it")
            return nil
        }
        return text
    }

    /// A name for ssh: nothing that it, or a shell of a proxy command, could take for something else.
    private mutating func word(_ key: String) -> String? {
        guard let text = text(key), !text.isEmpty else { return nil }
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && scalar.value != 0x7f && !"'\"`$\\;&|<>(){}*?!".unicodeScalars.contains(scalar)
        }
        guard isPlain, !text.hasPrefix("-") else {
            problems.append("\(key): '\(text)' is no name for ssh")
            return nil
        }
        return text
    }

    private mutating func texts(_ key: String) -> [String] {
        guard case .array(let values)? = members[key] else { return text(key).map { [$0] } ?? [] }
        var texts: [String] = []
        for value in values {
            guard case .string(let text) = value else {
                problems.append("Invalid type: \(Self.type(of: value)) (expected string): \(key)")
                continue
            }
            if let text = checked(text, key) { texts.append(text) }
        }
        return texts
    }

    private mutating func port() -> Int? {
        let number: Int?
        switch members["port"] {
        case nil, .null?: return nil
        case .integer(let value)?: number = Int(exactly: value)
        case .string(let text)?: number = Int(text)
        default: number = nil
        }
        guard let number, (1...65_535).contains(number) else {
            problems.append("port: \(members["port"]?.quoted ?? "''") is not a port from 1 to 65535")
            return nil
        }
        return number
    }

    /// `true`, or a word that means it: PM2's own examples have `"forward-agent": "yes"`.
    private func flag(_ key: String) -> Bool {
        switch members[key] {
        case .bool(let value)?: value
        case .integer(let value)?: value != 0
        case .string(let text)?: !["", "no", "false", "0"].contains(text.lowercased())
        default: false
        }
    }

    private mutating func variables() -> [String: String] {
        switch members["env"] {
        case nil, .null?: return [:]
        case .object(let values)?:
            var variables: [String: String] = [:]
            // In order, so that of two spellings of one name the same one counts each time.
            for (key, value) in values.sorted(by: { $0.key < $1.key }) where value != .null {
                let name = key.uppercased()
                guard Self.isVariable(name) else {
                    problems.append("env: '\(key)' is no name of a variable")
                    continue
                }
                variables[name] = checked(value.variableText, "env.\(key)")
            }
            return variables
        case let value?:
            problems.append("Invalid type: \(Self.type(of: value)) (expected object): env")
            return [:]
        }
    }

    private static func isVariable(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    /// The words of JSON's schema.
    private static func type(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .integer, .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
