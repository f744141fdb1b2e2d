import Foundation
import TestSupport
import Testing

/// A developer with a repository that is deployed: `origin.git`, a clone of it in `work/`, and a host's directory `srv/`.
struct DeploySite {
    let pm2: PM2Home
    /// Where the app is deployed to.
    let root: String

    /// - Parameter root: below the user's directory.
    init(_ pm2: PM2Home, root: String = "srv") throws {
        self.pm2 = pm2
        self.root = pm2.file(root)
        try pm2.write(
            "[user]\n\tname = Tester\n\temail = tester@example.org\n[init]\n\tdefaultBranch = main\n"
                + "[advice]\n\tdetachedHead = false\n",
            to: ".gitconfig")
        try run("git init -q --bare origin.git && git clone -q origin.git work 2>/dev/null")
    }

    /// Runs a line in the user's directory that must succeed; its standard output.
    @discardableResult
    func run(_ line: String, location: SourceLocation = #_sourceLocation) throws -> String {
        let result = try pm2.sh(line)
        #expect(result.code == 0, "\(line): \(result.output)\(result.errors)", sourceLocation: location)
        return result.output
    }

    /// Runs `pm2 deploy WORDS` in the working tree.
    func deploy(_ words: String, environment: [String: String] = [:]) throws -> CommandResult {
        try pm2.sh("cd work && pm2 deploy \(words)", environment: environment)
    }

    /// The same of one that must succeed; its standard output.
    @discardableResult
    func deployed(_ words: String, location: SourceLocation = #_sourceLocation) throws -> String {
        let result = try deploy(words)
        #expect(result.code == 0, "\(words): \(result.output)\(result.errors)", sourceLocation: location)
        return result.output
    }

    /// Writes `deploy.production`, with what every environment must have unless it is given.
    func configure(_ section: [String: Any], apps: [[String: Any]] = []) throws {
        var all: [String: Any] = [
            "host": "localhost", "repo": pm2.file("origin.git"), "path": root, "ref": "origin/main",
        ]
        all.merge(section) { _, own in own }
        let data = try JSONSerialization.data(
            withJSONObject: ["apps": apps, "deploy": ["production": all]], options: [.sortedKeys, .prettyPrinted])
        try pm2.write(String(decoding: data, as: UTF8.self), to: "work/ecosystem.json")
    }

    /// Writes a file, commits everything and pushes it; the short name of the commit.
    @discardableResult
    func release(_ version: String) throws -> String {
        try pm2.write(version + "\n", to: "work/version")
        try run("cd work && git add -A && git commit -qm 'Release \(version)'")
        try run("cd work && git push -q -u origin HEAD 2>/dev/null")
        return try run("cd work && git rev-parse --short HEAD").trimmingCharacters(in: .newlines)
    }

    /// The file `version` of what is deployed.
    var version: String { pm2.read(root + "/current/version").trimmingCharacters(in: .newlines) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + name) }
}
