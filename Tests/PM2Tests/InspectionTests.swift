import Foundation
import PM2Format
import TestSupport
import Testing

@Suite("prettylist is Node's util.inspect")
struct InspectionTests {
    @Test("without Node: the rules by example")
    func examples() throws {
        func text(_ json: String) throws -> String { try Inspection.text(OrderedJSON.parse(Array(json.utf8))) }
        #expect(try text("[]") == "[]" && text("-0") == "-0")
        #expect(try text(#"{"memory":3051520,"cpu":0}"#) == "{ memory: 3051520, cpu: 0 }")
        #expect(try text(#"["a","it's","b\"'c"]"#) == #"[ 'a', "it's", `b"'c` ]"#)
        #expect(try text(#"{"a-b":{"x":{}},"c":null}"#) == "{ 'a-b': { x: {} }, c: null }")
        #expect(
            try text(#"{"a":{"b":{"c":{"d":1}}}}"#)
                == "{\n  a: { b: { c: { d: 1 } } }\n}")
        #expect(
            try text("[1,2,3,4,5,6,7,100]")
                == "[\n  1, 2, 3,   4,\n  5, 6, 7, 100\n]")
    }

    private static let node: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/node" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test("hundreds of values look as Node prints them", .enabled(if: node != nil, "node is not in PATH"))
    func differential() throws {
        let node = try #require(Self.node)
        var values = try Self.table.map { try OrderedJSON.parse(Array($0.utf8)) }
        values.append(
            Samples.listing([Samples.entry(0, Samples.spec("api")), Samples.entry(1, Samples.spec("b"))]).json)
        var random = RandomValues(seed: 20_26)
        for _ in 0..<600 { values.append(random.value(depth: 0)) }

        let script = """
            const u = require('util'); const v = JSON.parse(require('fs').readFileSync(0, 'utf8'));
            process.stdout.write(JSON.stringify(v.map(x => u.inspect(x, { depth: null }))));
            """
        let stem = FileManager.default.temporaryDirectory.appending(path: "inspect-\(UUID().uuidString)").path
        defer { for name in [".json", ".out"] { try? FileManager.default.removeItem(atPath: stem + name) } }
        var bytes: [UInt8] = []
        OrderedJSON.array(values).write(to: &bytes)
        try Data(bytes).write(to: URL(filePath: stem + ".json"))
        let pid = try Processes.start(
            node, ["-e", script], environment: ["PATH": "/usr/bin:/bin"], input: stem + ".json",
            output: stem + ".out")
        #expect(Processes.wait(pid) == 0)
        let data = try Data(contentsOf: URL(filePath: stem + ".out"))
        guard case .array(let expected) = try OrderedJSON.parse(Array(data)) else {
            Issue.record("node printed something else")
            return
        }
        #expect(expected.count == values.count)
        var shown = 0
        for (value, text) in zip(values, expected) where shown < 3 {
            let ours = Inspection.text(value)
            if .string(ours) != text {
                shown += 1
                Issue.record("\(value.compactText.prefix(2000))\nours:\n\(ours)\nnode:\n\(text.text ?? "")")
            }
        }
    }

    /// What the rules turn on.
    private static let table: [String] = {
        var table = [
            "null", "true", "1e21", "1.5", "\"\"", "{}", "[]", "[[]]", "[{}]", #"{"a":[]}"#, "[null,[null]]",
            #"{"2":1,"1":2,"b":3,"01":4,"":5,"__proto__":6,"é":7,"a b":8,"$x":9}"#,
            #""it's""#, #""\"it's\"""#, #""`\"it's\"""#, #""${\"it's\"}""#, #""a\\b\n\t\u0001\u007f\u0085é😀""#,
            #"{"s":"line one\nline two that is longer than what fits into the line, surely so\nthree\n"}"#,
            #"[[[[1]]]]"#, #"{"a":{"b":{"c":{}}}}"#, #"{"a":{"b":{"c":{"d":{}}}}}"#, #"{"a":[[[[]]]],"b":1}"#,
            #"{"a":{"b":{"c":{"d":1}}},"e":{"f":1}}"#, #"[{"a":1,"b":[1,2,3]},{"a":2}]"#,
        ]
        for length in 60...84 {
            let text = String(repeating: "x", count: length)
            table += ["\"\(text)\"", "[\"\(text)\"]", "{\"k\":\"\(text)\"}", #"{"k":{"l":"\#(text)","m":1}}"#]
        }
        for count in [5, 6, 7, 8, 15, 16, 17, 26, 40, 99, 100, 101, 102, 150] {
            table.append("[" + (0..<count).map { String($0 * $0) }.joined(separator: ",") + "]")
            table.append("[" + (0..<count).map { "\"v\($0 % 13 * 7)\"" }.joined(separator: ",") + "]")
            table.append("[" + (0..<count).map { $0 % 9 == 0 ? "{\"a\":1}" : "null" }.joined(separator: ",") + "]")
            table.append("[" + (0..<count).map { "[\($0)]" }.joined(separator: ",") + "]")
        }
        for length in [9999, 10_000, 10_001, 10_020] {
            table.append("\"" + String(repeating: "y", count: length) + "\"")
            table.append("[\"" + String(repeating: "y", count: length - 1) + "😀\"]")
        }
        return table
    }()
}

/// JSON values that a seed determines.
private struct RandomValues {
    private var generator: SplitMix

    init(seed: UInt64) { generator = SplitMix(state: seed) }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &generator) }

    mutating func value(depth: Int) -> OrderedJSON {
        switch number(0...(depth > 3 ? 5 : 9)) {
        case 0: return .null
        case 1: return .bool(number(0...1) == 0)
        case 2: return .integer(Int64(number(-100_000...100_000)))
        case 3: return .number(Double(number(-9999...9999)) / 8)
        case 4, 5: return .string(text())
        case 6, 7:
            let same = number(0...2) == 0 ? value(depth: 9) : nil
            let count = number(0...number(1...(depth == 0 ? 120 : 12)))
            return .array(
                (0..<count).map { _ in
                    guard let same else { return value(depth: depth + 1) }
                    if case .integer = same { return .integer(Int64(number(0...9999))) }
                    return .string(text())
                })
        default:
            var object = OrderedObject()
            for _ in 0..<number(0...9) { object[key()] = value(depth: depth + 1) }
            return .object(object)
        }
    }

    private mutating func key() -> String {
        number(0...3) == 0 ? text() : "key_\(number(0...99))"
    }

    private mutating func text() -> String {
        let alphabet = Array("aaabcdefgXYZ0129  _-./'\"`$\\\n\t{é✔世")
        let length = number(0...number(1...90))
        return String((0..<length).map { _ in alphabet[number(0...(number(0...2) == 0 ? alphabet.count - 1 : 20))] })
    }
}
