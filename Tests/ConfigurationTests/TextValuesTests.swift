import Model
import Testing

@testable import Configuration

@Suite("Values as people write them")
struct TextValuesTests {
    @Test(
        "times",
        arguments: [
            ("0", 0), ("250", 250), ("250ms", 250), ("5s", 5000), ("1.5s", 1500), ("2m", 120_000), ("1h", 3_600_000),
            ("1d", 86_400_000),
        ] as [(String, Int64)])
    func durations(text: String, milliseconds: Int64) {
        #expect(TextValues.duration(text) == Milliseconds(milliseconds))
    }

    @Test(
        "what is no time", arguments: ["", "s", "-1", "5x", "1 s", "5S", "1e9s", "inf", "99999999999999999999", "ms"])
    func notDurations(text: String) {
        #expect(TextValues.duration(text) == nil)
    }

    @Test(
        "words keep quoted blanks together",
        arguments: [
            ("a b", ["a", "b"]), ("a \"b c\" 'd e'", ["a", "b c", "d e"]), ("key=\"a b\"", ["key=a b"]), ("", []),
            ("  a  ", ["a"]), ("''", [""]), ("a\\ b", ["a b"]), ("'a\\b'", ["a\\b"]),
        ])
    func words(text: String, expected: [String]) {
        #expect(TextValues.words(text) == expected)
    }

    @Test("exit codes in either spelling", arguments: ["3 4", "3,4", "3, 4", " 3  4 "])
    func exitCodes(text: String) {
        #expect(TextValues.exitCodes(text) == [3, 4])
    }

    @Test("exit codes beyond a byte are refused", arguments: ["256", "-1", "a", "1;2"])
    func badExitCodes(text: String) {
        #expect(TextValues.exitCodes(text) == nil)
    }

    @Test(
        "instances count processors as PM2 does",
        arguments: [("1", 1), ("3", 3), ("max", 4), ("0", 4), ("-1", 3), ("-100", 1)])
    func instances(text: String, expected: Int) {
        #expect(InstanceCount(text)?.resolved(processors: 4) == expected)
    }

    @Test("nonsense is no number of instances", arguments: ["", "two", "1.5", "100000"])
    func badInstances(text: String) {
        #expect(InstanceCount(text) == nil)
    }

    @Test(
        "the expected port is found where programs are told it",
        arguments: [
            (["--port", "80"], 80), (["--port=81"], 81), (["-p", "82"], 82), (["-p83"], 83),
            (["-S", "localhost:84"], 84), (["-b", "0.0.0.0:85", "app:app"], 85), (["--bind=[::]:86"], 86),
            (["--port", "x"], nil), (["-p", "70000"], nil), (["--port"], nil), ([], nil),
        ] as [([String], Int?)])
    func ports(arguments: [String], expected: Int?) {
        #expect(ExpectedPort.find(environment: [:], arguments: arguments) == expected)
    }

    @Test("PORT wins over arguments")
    func portVariable() {
        #expect(ExpectedPort.find(environment: ["PORT": "9"], arguments: ["-p", "10"]) == 9)
    }

    @Test(
        "a slip of the keyboard is recognised",
        arguments: [
            ("max_restart", "max_restarts"), ("instnces", "instances"), ("namespcae", "namespace"), ("zzzz", nil),
        ])
    func spelling(word: String, expected: String?) {
        #expect(Spelling.nearest(to: word, among: AppKeys.allSpellings) == expected)
    }
}
