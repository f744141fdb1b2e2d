import Control
import Foundation
import Model
import TestSupport
import Testing

@Suite("Bad app files are refused with file, key path and value, and nothing of them is started", .waiting)
struct BadFileTests {
    private static let table: [(name: String, text: String, words: [String])] = [
        (
            "a name twice", #"{"apps":[{"name":"a","script":"ok.sh"},{"name":"a","script":"ok.sh"}]}"#,
            ["apps[1]", "'a' is used twice"]
        ),
        (
            "a name that is a number", #"{"apps":[{"name":"a","script":"ok.sh"},{"name":5,"script":"ok.sh"}]}"#,
            ["apps[1].name", "a string", "'5'"]
        ),
        (
            "instances as a word", #"{"apps":[{"name":"a","script":"ok.sh","instances":"many"}]}"#,
            ["apps[0].instances", "'many'"]
        ),
        (
            "instances beyond reason", #"[{"name":"a","script":"ok.sh","instances":1000000000000}]"#,
            ["instances", "1000000000000"]
        ),
        ("instances as a fraction", #"[{"name":"a","script":"ok.sh","instances":1.5}]"#, ["instances", "1.5"]),
        ("args as an object", #"[{"name":"a","script":"ok.sh","args":{"a":1}}]"#, ["[0].args", "an object"]),
        ("env as an array", #"[{"name":"a","script":"ok.sh","env":["x"]}]"#, ["[0].env", "an array"]),
        ("a variable with '=' in its name", #"[{"name":"a","script":"ok.sh","env":{"A=B":"x"}}]"#, ["'A=B'"]),
        ("a variable without a name", #"[{"name":"a","script":"ok.sh","env":{"":"x"}}]"#, ["''"]),
        ("a negative time", #"[{"name":"a","script":"ok.sh","kill_timeout":-5}]"#, ["kill_timeout", "'-5'"]),
        ("an absurd number", #"[{"name":"a","script":"ok.sh","max_restarts":1e99}]"#, ["max_restarts", "'1e+99'"]),
        ("a number beyond a double", #"[{"name":"a","script":"ok.sh","max_restarts":1e999}]"#, ["bad.json"]),
        (
            "a flag as a word", #"[{"name":"a","script":"ok.sh","autorestart":"perhaps"}]"#,
            ["autorestart", "'perhaps'"]
        ),
        ("script missing", #"{"apps":[{"name":"a"}]}"#, ["apps[0]", "'script' is missing"]),
        (
            "one good, one bad: none is started",
            #"{"apps":[{"name":"b","script":"ok.sh"},{"name":"a","script":"nope.sh"}]}"#, ["apps[1]", "nope.sh"]
        ),
        ("a missing cwd", #"[{"name":"a","script":"ok.sh","cwd":"/nonexistent"}]"#, ["[0]", "/nonexistent"]),
        ("a NUL in a name", #"[{"name":"a\u0000b","script":"ok.sh"}]"#, ["[0]", "NUL"]),
        ("a NUL in a variable", #"[{"name":"a","script":"ok.sh","env":{"A":"\u0000"}}]"#, ["'A'", "NUL"]),
        ("half a surrogate", #"[{"name":"a\ud800","script":"ok.sh"}]"#, ["bad.json"]),
        ("text", #""text""#, ["found a string"]),
        ("no apps", #"{"apps":[]}"#, ["no apps"]),
        ("cut off", #"{"apps":[{"name":"#, ["not valid JSON", "line 1"]),
        ("empty", "", ["not valid JSON"]),
        ("one comma too many, many lines down", "[\n\n{\"name\":\"a\",\n\"script\":,}]", ["line 4"]),
        ("deeper than any parser should go", String(repeating: "[", count: 200_000), ["too deeply nested"]),
        (
            "an argument of 200 KiB",
            "[{\"name\":\"a\",\"script\":\"ok.sh\",\"args\":[\"\(String(repeating: "x", count: 204_800))\"]}]",
            ["204800 bytes", "131071"]
        ),
        (
            "a megabyte of blanks and a mistake", "[" + String(repeating: " ", count: 1_000_000) + "}",
            ["column 1000002"]
        ),
    ]

    @Test("a table of them")
    func table() throws {
        try withHome { home in
            try home.prepareForBadInput()
            let before = try Unchanged(home)
            for (name, text, words) in Self.table {
                try home.write(text, to: "bad.json")
                let result = try home.shellRun("hearth start bad.json")
                #expect(result.code == 1, "\(name): \(result.errors.prefix(300))")
                for word in words + ["bad.json"] {
                    #expect(result.errors.contains(word), "\(name): '\(word)' is not in: \(result.errors.prefix(300))")
                }
                #expect(result.errors.utf8.count < 2000, "\(name)")
                #expect(try Unchanged(home) == before, "\(name) changed something")
            }
        }
    }

    @Test("bytes that are no text, a directory, a missing file, and a file of a kind that is not read yet")
    func otherFiles() throws {
        try withHome { home in
            try home.prepareForBadInput()
            let before = try Unchanged(home)
            try Data([0xff, 0xfe, 0x7b]).write(to: URL(fileURLWithPath: home.file("bytes.json")))
            try home.write("apps: []", to: "apps.yaml")
            for command in [
                BadCommand("no text", "hearth start bytes.json", 1, "bytes.json", "UTF-8"),
                BadCommand("missing", "hearth start nowhere.json", 1, "nowhere.json", "no such file"),
                BadCommand("a directory", "mkdir d.json; hearth start d.json", 1, "d.json"),
                BadCommand("YAML", "hearth start apps.yaml", 1, "apps.yaml"),
                BadCommand(
                    "--only for none of them",
                    "echo '[{\"script\":\"ok.sh\"}]' > e.json; hearth start e.json --only api", 1, "api"),
            ] { try command.check(in: home, before) }
        }
    }

    @Test("a good file of 10 MB is taken within its limits, and one over them is refused")
    func large() throws {
        try withHome { home in
            try home.prepareForBadInput()
            let before = try Unchanged(home)
            let variables = (0..<10_000).map { "\"K\($0)\":\"\(String(repeating: "v", count: 1000))\"" }
            try home.write(
                "[{\"name\":\"big\",\"script\":\"ok.sh\",\"env\":{\(variables.joined(separator: ","))}}]",
                to: "big.json")
            try BadCommand("10 MB of environment", "hearth start big.json", 1, "bytes in all", "2097152").check(
                in: home, before)
            // What is allowed: as much as the kernel takes.
            let allowed = variables.prefix(1500).joined(separator: ",")
            try home.write("[{\"name\":\"big\",\"script\":\"ok.sh\",\"env\":{\(allowed)}}]", to: "big.json")
            let result = try home.shellRun("hearth start big.json --json")
            #expect(result.code == 0, "\(result.errors.prefix(300))")
            #expect(try home.instance("big").status == .online)
        }
    }
}
