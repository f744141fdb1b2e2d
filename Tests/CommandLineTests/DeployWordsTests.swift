import Testing

@testable import CommandLine

@Suite("Words of deploy")
struct DeployWordsTests {
    @Test(
        "a command is told apart from a ref, and `exec` takes everything behind it",
        arguments: [
            ("production", DeployWords.Task.update(ref: nil)), ("production update", .update(ref: nil)),
            ("production update v1", .update(ref: "v1")), ("production v1", .update(ref: "v1")),
            ("production ref setup", .update(ref: "setup")), ("production setup", .setup),
            ("production revert", .revert(1)), ("production revert 3", .revert(3)), ("production current", .current),
            ("production prev", .previous), ("production list", .list),
            ("production exec ls -la --force", .execute("ls -la --force")), ("exec run a", .execute("a")),
        ])
    func tasks(line: String, task: DeployWords.Task) throws {
        let words = line.split(separator: " ").map(String.init)
        #expect(try DeployWords(words).task == task)
        let named = try DeployWords(["-F", "x.config.js"] + words)
        #expect(named.task == task && named.isForced && named.file == "x.config.js")
        #expect(named.environment == words[0])
    }

    @Test("what is no deployment says so", arguments: ["", "help", "ecosystem.json", "a -h", "a.json help", "a -V"])
    func other(line: String) {
        let error = #expect(throws: DeployWords.Other.self) {
            try DeployWords(line.split(separator: " ").map(String.init))
        }
        #expect(error == (line.hasSuffix("-V") ? .version : .help))
    }

    @Test(
        "words too many, unknown or missing", arguments: ["a setup b", "a -x", "a revert 0", "a exec", "a ref", "a -C"])
    func invalid(line: String) throws {
        let error = #expect(throws: DeployWords.Other.self) {
            try DeployWords(line.split(separator: " ").map(String.init))
        }
        guard case .invalid? = error else {
            Issue.record("\(line): \(String(describing: error))")
            return
        }
    }

    @Test(
        "a path is one word; only a home directory in front of it is the host's",
        arguments: [
            ("/srv/a b", "'/srv/a b'"), ("it's", #"'it'\''s'"#), ("~", "\"$HOME\""), ("~/a$b", "\"$HOME\"'/a$b'"),
            ("$HOME/a", "\"$HOME\"'/a'"), ("$HOMEWARD", "'$HOMEWARD'"), ("~web/a", "~web'/a'"),
            ("~$(x)/a", "'~$(x)/a'"),
        ])
    func paths(path: String, word: String) {
        #expect(DeployScript.path(path) == word)
    }

    @Test("pm2's own options end at `deploy`")
    func options() throws {
        let options = try PM2Options.parse(["--silent", "deploy", "production", "-C", "x", "--force", "--", "a"])
        #expect(options.has("silent") && !options.has("force"))
        #expect(options.operands == ["deploy", "production", "-C", "x", "--force", "--", "a"])
    }
}
