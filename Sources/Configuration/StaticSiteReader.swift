/// Reads an element of `static`: a directory that is to be served.
struct StaticSiteReader {
    let members: [String: JSONValue]
    let location: String
    private(set) var problems: [ConfigurationError] = []

    init(members: [String: JSONValue], location: String) {
        self.members = members
        self.location = location
    }

    mutating func read() -> AppDraft {
        var site = StaticSite()
        if let path = text("path") { site.path = path }
        if let value = members["port"], value != .null {
            let port: Int? =
                switch value {
                case .integer(let number): Int(exactly: number)
                case .string(let text): Int(text)
                default: nil
                }
            if let port, (1...65_535).contains(port) {
                site.port = port
            } else {
                expect("a port from 1 to 65535", "port", value)
            }
        }
        if let host = text("host") { site.host = host }
        site.spa = flag("spa") ?? false
        site.listsDirectories = flag("ftp") ?? flag("directory") ?? false
        site.homepage = text("homepage")
        site.basicAuth = credentials()
        var draft = AppDraft()
        draft.name = text("name")
        draft.namespace = text("namespace")
        draft.staticSite = site
        return draft
    }

    private mutating func credentials() -> StaticSite.Credentials? {
        guard let value = members["basic_auth"] ?? members["basicAuth"], value != .null else { return nil }
        guard case .object(let fields) = value, case .string(let password)? = fields["password"],
            case .string(let user)? = fields["username"] ?? fields["user"]
        else {
            // The value is not shown: it may hold the password.
            problems.append(
                ConfigurationError(
                    "expected an object with 'username' and 'password'", location: "\(location).basic_auth",
                    subject: .setting))
            return nil
        }
        return StaticSite.Credentials(user: user, password: password)
    }

    private mutating func text(_ key: String) -> String? {
        guard let value = members[key], value != .null else { return nil }
        guard case .string(let text) = value else {
            expect("a string", key, value)
            return nil
        }
        return text
    }

    private mutating func flag(_ key: String) -> Bool? {
        guard let value = members[key], value != .null else { return nil }
        guard case .bool(let flag) = value else {
            expect("true or false", key, value)
            return nil
        }
        return flag
    }

    private mutating func expect(_ expected: String, _ key: String, _ value: JSONValue) {
        problems.append(
            ConfigurationError(
                "expected \(expected), found \(value.kind) \(value.quoted)", location: "\(location).\(key)",
                subject: .setting))
    }
}
