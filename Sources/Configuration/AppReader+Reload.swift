import Model

/// `reload`: `overlap`, `restart`, or an object with `overlap` and `parallel`.
extension AppReader {
    private static let forms = "overlap, restart, or an object with overlap and parallel"

    mutating func reloadPolicy() -> ReloadPolicy? {
        guard let (key, value) = take("reload") else { return nil }
        switch value {
        case .string("overlap"): return ReloadPolicy(overlaps: true)
        case .string("restart"): return ReloadPolicy()
        case .object(let members): return policy(members, place(of: key))
        default:
            expect(Self.forms, key, value)
            return nil
        }
    }

    private mutating func policy(_ members: [String: JSONValue], _ place: String) -> ReloadPolicy? {
        var policy = ReloadPolicy()
        let known = problems.count
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            switch (name, value) {
            case ("overlap", .bool(let flag)): policy.overlaps = flag
            case ("parallel", .integer(let number)) where (1...1024).contains(number):
                policy.parallel = Int(exactly: number)
            case ("overlap", _):
                complain("expected true or false, found \(value.kind) \(value.quoted)", place + ".overlap")
            case ("parallel", _):
                complain("expected a number from 1 to 1024, found \(value.kind) \(value.quoted)", place + ".parallel")
            default: complain("unknown key '\(name)'", place, hint: "there are overlap and parallel")
            }
        }
        return problems.count == known ? policy : nil
    }
}
