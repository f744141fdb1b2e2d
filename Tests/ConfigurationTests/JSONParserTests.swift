import Testing

@testable import Configuration

@Suite("JSON with PM2's leniency")
struct JSONParserTests {
    @Test(
        "what is accepted",
        arguments: [
            ("{\"a\": 1}", .object(["a": .integer(1)])),
            ("{a: 1, 'b': 'x',}", .object(["a": .integer(1), "b": .string("x")])),
            ("[1, 2,]", .array([.integer(1), .integer(2)])), ("// c\n[/* d */true]", .array([.bool(true)])),
            ("\"\\u00e9\\ud83d\\ude00\\n\"", .string("é😀\n")), ("1.5", .number(1.5)), ("0x10", .integer(16)),
            ("-3", .integer(-3)), ("null", .null), ("\u{feff}[]", .array([])), ("'a\\\nb'", .string("ab")),
        ] as [(String, JSONValue)])
    func accepts(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(
        "an error names line and column",
        arguments: [
            ("", "a value is missing at line 1, column 1"), ("{\"a\": ", "a value is missing at line 1, column 7"),
            ("[1 2]", "expected ',' or ']', found '2' at line 1, column 4"),
            ("{\n \"a\" 1}", "expected ':' after 'a', found '1' at line 2, column 6"),
            ("[\"abc]", "a string is never closed at line 1, column 2"),
            ("[] x", "unexpected 'x' after the value at line 1, column 4"),
            ("{a: 1, a: 2}", "the key 'a' stands twice in one object at line 1, column 8"),
            ("[tru]", "unexpected 't' at line 1, column 2"), ("/* x", "a comment is never closed at line 1, column 1"),
            ("[1-]", "'1-' is not a number at line 1, column 2"),
            ("{\"a\":1", "expected ',' or '}', found the end of the file at line 1, column 7"),
            ("'\\ud800'", "half a surrogate pair at line 1, column 4"),
        ])
    func refuses(text: String, complaint: String) {
        let error = #expect(throws: ConfigurationError.self) { try JSONParser.parse(Array(text.utf8)) }
        #expect(error?.message == "is not valid JSON: " + complaint)
    }

    @Test("a thousand brackets are an error, not a crash")
    func deep() {
        #expect(throws: ConfigurationError.self) {
            try JSONParser.parse([UInt8](repeating: UInt8(ascii: "["), count: 100_000))
        }
    }

    @Test("bytes that are no UTF-8 are refused")
    func binary() {
        #expect(throws: ConfigurationError("is not valid UTF-8")) { try JSONParser.parse([0x22, 0xff, 0x22]) }
    }
}
