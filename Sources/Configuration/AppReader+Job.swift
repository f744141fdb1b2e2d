import Model

/// `schedule`: a cron pattern, `@reboot`, or an object with `cron` or `every` and options.
extension AppReader {
    private static let example = "write \"0 3 * * *\" for every day at 3, @reboot, or {every: 15m}"

    mutating func jobPolicy() -> JobPolicy? {
        guard let (key, value) = take("schedule") else { return nil }
        var policy = JobPolicy()
        let known = problems.count
        switch value {
        case .string(let text): policy.pattern = pattern(text, place(of: key))
        case .object(let members): read(members, place(of: key), into: &policy)
        default: complain("expected a time, found \(value.kind) \(value.quoted)", place(of: key), hint: Self.example)
        }
        if problems.count == known, let fault = policy.fault { complain(fault, place(of: key)) }
        return problems.count == known ? policy : nil
    }

    private mutating func read(_ members: [String: JSONValue], _ place: String, into policy: inout JobPolicy) {
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where value != .null {
            let here = "\(place).\(name)"
            switch name {
            case "cron":
                guard case .string(let text) = value else {
                    expected("a cron pattern", value, here)
                    continue
                }
                policy.pattern = pattern(text, here)
            case "every": policy.every = time(value, here)
            case "timeout": policy.timeout = time(value, here)
            case "jitter": policy.jitter = time(value, here)
            case "overlap":
                if case .string(let text) = value { policy.overlap = JobPolicy.Overlap(rawValue: text) }
                if policy.overlap == nil { expected("skip or replace", value, here) }
            case "catch_up", "catchUp":
                guard case .bool(let flag) = value else {
                    expected("true or false", value, here)
                    continue
                }
                policy.catchUp = flag
            case "history":
                if case .integer(let number) = value { policy.history = Int(exactly: number) }
                if policy.history == nil { expected("a number of runs", value, here) }
            default:
                let keys = ["cron", "every", "overlap", "catch_up", "timeout", "jitter", "history"]
                let near = Spelling.nearest(to: name, among: keys).map { "did you mean '\($0)'?" }
                complain("unknown key '\(name)'", place, hint: near ?? "there are \(keys.joined(separator: ", "))")
            }
        }
        if members["cron"] == nil, members["every"] == nil {
            complain("it says no time", place, hint: "give cron or every")
        }
    }

    private mutating func pattern(_ text: String, _ place: String) -> String? {
        if text == JobPolicy.atBoot { return text }
        guard let problem = SchedulePattern.problem(in: text, dialect: .hearth) else { return text }
        complain("not a time: \(problem)", place, hint: Self.example)
        return nil
    }

    private mutating func time(_ value: JSONValue, _ place: String) -> Milliseconds? {
        let time: Milliseconds? =
            switch value {
            case .integer(let number): TextValues.duration(String(number))
            case .string(let text): TextValues.duration(text)
            default: nil
            }
        if time == nil { expected("a time such as \"15m\"", value, place) }
        return time
    }

    private mutating func expected(_ what: String, _ value: JSONValue, _ place: String) {
        complain("expected \(what), found \(value.kind) \(value.quoted)", place)
    }

    /// Bytes, or a size; what can hold no process at all is a slip.
    mutating func memoryMax() -> Int64? {
        guard let given = take("memory_max"), let size = size("memory_max") else { return nil }
        guard size >= AppResolver.smallestMemory else {
            complain(
                "\(given.value.quoted) is less than a process needs", place(of: given.key),
                hint: "give 1M or more, such as \"512M\"")
            return nil
        }
        return size
    }
}
