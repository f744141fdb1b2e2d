import Model
import Testing

@testable import Configuration

@Suite("depends_on in app files")
struct DependencyFileTests {
    private func file(_ apps: String, _ dialect: Dialect = .hearth) throws -> AppFile {
        try AppFile.parse(Array("{apps: [\(apps)]}".utf8), name: "apps.json", dialect: dialect)
    }

    @Test("one name, or several; other apps of the file")
    func forms() throws {
        let file = try file(
            """
            {script: 'a.js'}, {script: 'b.js', depends_on: 'a'}, {script: 'c.js', dependsOn: ['a', 'b']},
            {script: 'd.js', depends_on: []}
            """)
        #expect(file.warnings == [])
        #expect(file.drafts.map(\.dependsOn) == [nil, ["a"], ["a", "b"], []])
        #expect(file.dependencyProblems() == [])
    }

    @Test("every name that is not in the file is told, with what it may have been")
    func unknown() throws {
        let problems = try file("{script: 'api.js', depends_on: ['redis', 'dbb']}, {script: 'db.js'}")
            .dependencyProblems().map(\.description)
        #expect(
            problems == [
                "apps.json: apps[0].depends_on: no app of this file is called 'redis'; it has api, db",
                "apps.json: apps[0].depends_on: no app of this file is called 'dbb'; did you mean 'db'?",
            ])
    }

    @Test("PM2 does not know the key: under its name it is dropped like any other")
    func pm2() throws {
        let file = try file("{script: 'api.js', depends_on: ['redis']}", .pm2)
        #expect(file.drafts.map(\.dependsOn) == [nil])
        #expect(file.dependencyProblems() == [])
    }
}
