import PM2Format
import Testing

@Suite("JSON of PM2's files")
struct JSONTests {
    @Test(
        "what JSON.parse refuses is refused, with the place",
        arguments: [
            "", " ", "[", "[1,]", "{\"a\":1,}", "{a:1}", "['x']", "[1] 2", "nul", "01", "1.", "-", "+1", "\"\\x\"",
            "\"a\nb\"", "\"\\u12\"", "\"open", "{\"a\"}", "{\"a\":}", "[1 2]", "// x\n1", "NaN", "\"12345678\u{1}\"",
            "tru", "]",
        ])
    func refused(text: String) {
        #expect(throws: JSONFailure.self) { try OrderedJSON.parse(Array(text.utf8)) }
    }

    @Test("bytes that are no text are refused")
    func notText() {
        #expect(throws: JSONFailure.self) { try OrderedJSON.parse([0x22, 0xff, 0xfe, 0x22]) }
        #expect(throws: JSONFailure.self) { try OrderedJSON.parse([0x22, 0x5c, 0x6e, 0xc3, 0x22]) }
    }

    @Test("deep nesting is refused, not a crash")
    func deep() {
        #expect(throws: JSONFailure.self) { try OrderedJSON.parse([UInt8](repeating: 0x5b, count: 1_000_000)) }
    }

    @Test("keys keep their order, and escapes come back")
    func order() throws {
        let text = #"{"z":1,"a":[true,null,{}],"t":"\"\\\n\u001f é😀"}"#
        #expect(try OrderedJSON.parse(Array(text.utf8)).compactText == text)
        let escaped = #""\u00e9\ud83d\ude00\ud83d\/\b""#
        #expect(try OrderedJSON.parse(Array(escaped.utf8)) == .string("é😀\u{fffd}/\u{8}"))
    }

    @Test("indented as JSON.stringify indents")
    func indented() throws {
        var bytes: [UInt8] = []
        try OrderedJSON.parse(Array(#"{"a":[],"b":{},"c":[1,{"d":"x"}]}"#.utf8)).write(to: &bytes, indent: 2)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": \"x\"\n    }\n  ]\n}")
    }

    @Test("the last of equal keys counts")
    func twice() throws {
        let object = try OrderedJSON.parse(Array(#"{"a":1,"a":2}"#.utf8)).object
        #expect(object?["a"] == .integer(2))
    }
}
