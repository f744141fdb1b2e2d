import Testing

@testable import Configuration

@Suite("Environment files")
struct EnvironmentFileTests {
    @Test(
        "a line becomes a variable",
        arguments: [
            ("A=1", "1"), ("export A=1", "1"), ("  A = 1  ", "1"), ("A=", ""), ("A=\"\"", ""), ("A='a b'", "a b"),
            ("A=\"a\\nb\"", "a\nb"), ("A='a\\nb'", "a\\nb"), ("A=a b # comment", "a b"), ("A=a#b", "a#b"),
            ("A=\"a # b\" # comment", "a # b"), ("A=\"two\nlines\"", "two\nlines"), ("A=$B-$C", "base-"),
            ("A=${B}x", "basex"), ("A=${C:-fallback}", "fallback"), ("A=\"${B}\"", "base"), ("A='${B}'", "${B}"),
            ("A=\"\\$B\"", "$B"), ("A=1\nA=2", "2"), ("A=first\nX=1\nA=${A}${X}", "first1"), ("\u{feff}A=1", "1"),
            ("A=1\r\n", "1"), ("A=a=b", "a=b"), ("A=`raw ${B}`", "raw ${B}"), ("A=$5", "$5"), ("# x\n\nA=1", "1"),
        ])
    func parses(text: String, value: String) throws {
        #expect(try EnvironmentFile.parse(text, base: ["B": "base"])["A"] == value)
    }

    @Test(
        "an error names the line",
        arguments: [
            ("A=1\nnonsense", ":2: 'nonsense' has no value"), ("A=1\n\nB=\"x\ny", ":3: a quote \" is never closed"),
            ("1A=2", ":1: '1A' is not the name of a variable"),
            ("A='x' y", ":1: unexpected text after a closing quote"),
            ("=x", ":1: '' is not the name of a variable"),
        ])
    func refuses(text: String, beginning: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try EnvironmentFile.parse(text) }
        #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "")")
    }

    @Test("a missing file and one that is not UTF-8 are named")
    func unreadable() throws {
        let missing = #expect(throws: ConfigurationError.self) {
            try EnvironmentFile.load(path: "/nonexistent/.env", base: [:])
        }
        #expect(missing?.message == "cannot read '/nonexistent/.env': no such file or directory")
    }
}
