import Model

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Something this reader was not made for.
struct Unexpected: Error {}

/// Reads answers that hearthd writes by hand (JSONWriter), in one pass.
struct ReplyReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    // MARK: Rows

    mutating func instance() throws(Unexpected) -> InstanceView {
        var texts: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        var percent: Double?
        var ports: [PortView] = []
        var exit: ExitView?
        try object { (reader, key) throws(Unexpected) in
            switch key {
            case "cpuPercent": percent = try reader.isNull() ? nil : reader.double()
            case "ports": try reader.array { (reader) throws(Unexpected) in ports.append(try reader.port()) }
            case "lastExit": exit = try reader.isNull() ? nil : reader.exit()
            default: try reader.scalar(key, &texts, &numbers)
            }
        }
        guard let id = numbers["id"].flatMap(UInt32.init(exactly:)), let name = texts["name"],
            let namespace = texts["namespace"], let number = numbers["number"],
            let generation = numbers["generation"].flatMap(UInt32.init(exactly:)),
            let status = texts["status"].flatMap(Status.init(rawValue:)),
            let wanted = texts["wanted"].flatMap(Wanted.init(rawValue:)), let reason = texts["reason"],
            let reasonKind = texts["reasonKind"], let restarts = numbers["restarts"],
            let unstable = numbers["unstableRestarts"], let uptime = numbers["uptimeMs"],
            let created = numbers["createdAt"], let memory = numbers["memoryBytes"], let cwd = texts["cwd"],
            let command = texts["command"]
        else { throw Unexpected() }
        return InstanceView(
            id: InstanceID(id), name: name, namespace: namespace, number: Int(number),
            generation: Generation(generation), pid: try pid(numbers["pid"]), status: status, wanted: wanted,
            reason: reason, reasonKind: reasonKind, restarts: Int(restarts), unstableRestarts: Int(unstable),
            uptimeMs: uptime, startedAt: numbers["startedAt"], createdAt: created, cpuPercent: percent,
            memoryBytes: memory, ports: ports, cwd: cwd, command: command, outLog: texts["outLog"],
            errorLog: texts["errorLog"], nextStartAt: numbers["nextStartAt"], lastExit: exit,
            statusText: texts["statusText"])
    }

    private mutating func port() throws(Unexpected) -> PortView {
        var texts: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        try object { (reader, key) throws(Unexpected) in try reader.scalar(key, &texts, &numbers) }
        guard let name = texts["protocol"], let address = texts["address"], let port = numbers["port"],
            let pid = try pid(numbers["pid"]), let command = texts["command"]
        else { throw Unexpected() }
        return PortView(protocol: name, address: address, port: Int(port), pid: pid, command: command)
    }

    private mutating func exit() throws(Unexpected) -> ExitView {
        var texts: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        var isDumped = false
        try object { (reader, key) throws(Unexpected) in
            if key == "coreDumped" { isDumped = try reader.flag() } else { try reader.scalar(key, &texts, &numbers) }
        }
        guard let cause = texts["cause"].flatMap(ExitCause.init(rawValue:)), let at = numbers["at"],
            let uptime = numbers["uptimeMs"], let pid = try pid(numbers["pid"])
        else { throw Unexpected() }
        return ExitView(
            code: numbers["code"].map { Int($0) }, signal: texts["signal"], coreDumped: isDumped, cause: cause, at: at,
            uptimeMs: uptime, pid: pid, detail: texts["detail"])
    }

    private func pid(_ number: Int64?) throws(Unexpected) -> Int32? {
        guard let number else { return nil }
        guard let pid = Int32(exactly: number) else { throw Unexpected() }
        return pid
    }

    // MARK: JSON

    /// A text, a whole number, or null, which leaves no trace.
    mutating func scalar(
        _ key: String, _ texts: inout [String: String], _ numbers: inout [String: Int64]
    ) throws(Unexpected) {
        if peek() == UInt8(ascii: "\"") {
            texts[key] = try string()
        } else if try !isNull() {
            numbers[key] = try integer()
        }
    }

    mutating func object(
        _ body: (inout ReplyReader, String) throws(Unexpected) -> Void
    ) throws(Unexpected) {
        try take(UInt8(ascii: "{"))
        if peek() == UInt8(ascii: "}") { return position += 1 }
        while true {
            let key = try string()
            try take(UInt8(ascii: ":"))
            try body(&self, key)
            if peek() == UInt8(ascii: "}") { return position += 1 }
            try take(UInt8(ascii: ","))
        }
    }

    mutating func array(_ body: (inout ReplyReader) throws(Unexpected) -> Void) throws(Unexpected) {
        try take(UInt8(ascii: "["))
        if peek() == UInt8(ascii: "]") { return position += 1 }
        while true {
            try body(&self)
            if peek() == UInt8(ascii: "]") { return position += 1 }
            try take(UInt8(ascii: ","))
        }
    }

    mutating func string() throws(Unexpected) -> String {
        try take(UInt8(ascii: "\""))
        let start = position
        while let byte = peek(), byte != UInt8(ascii: "\"") {
            // Texts with escapes are rare: they are JSONDecoder's.
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        try take(UInt8(ascii: "\""))
        return text
    }

    private mutating func escapedString(from start: Int) throws(Unexpected) -> String {
        while let byte = peek(), byte != UInt8(ascii: "\"") { position += byte == UInt8(ascii: "\\") ? 2 : 1 }
        try take(UInt8(ascii: "\""))
        let literal = Data(bytes[(start - 1)..<position])
        guard let text = try? JSONDecoder().decode(String.self, from: literal) else { throw Unexpected() }
        return text
    }

    mutating func integer() throws(Unexpected) -> Int64 {
        let text = numberText()
        guard let value = Int64(text) else { throw Unexpected() }
        return value
    }

    private mutating func double() throws(Unexpected) -> Double {
        guard let value = Double(numberText()) else { throw Unexpected() }
        return value
    }

    private mutating func numberText() -> String {
        let start = position
        while let byte = peek(), "+-.eE0123456789".utf8.contains(byte) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func isNull() throws(Unexpected) -> Bool {
        guard peek() == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    mutating func flag() throws(Unexpected) -> Bool {
        let value = peek() == UInt8(ascii: "t")
        try word(value ? "true" : "false")
        return value
    }

    private mutating func word(_ word: StaticString) throws(Unexpected) {
        for index in 0..<word.utf8CodeUnitCount { try take(word.utf8Start[index]) }
    }

    /// A value that is rare enough to be left to JSONDecoder.
    mutating func decoded<Value: Decodable>(_ type: Value.Type) throws(Unexpected) -> Value {
        let start = position
        try skip()
        guard let value = try? JSONDecoder().decode(type, from: Data(bytes[start..<position])) else {
            throw Unexpected()
        }
        return value
    }

    private mutating func skip() throws(Unexpected) {
        switch peek() {
        case UInt8(ascii: "{"): try object { (reader, _) throws(Unexpected) in try reader.skip() }
        case UInt8(ascii: "["): try array { (reader) throws(Unexpected) in try reader.skip() }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try flag()
        case UInt8(ascii: "n"): _ = try isNull()
        default: _ = try double()
        }
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) throws(Unexpected) {
        guard peek() == byte else { throw Unexpected() }
        position += 1
    }
}
