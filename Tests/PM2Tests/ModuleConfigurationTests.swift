import Foundation
import PM2Format
import Records
import Testing

@Suite("module_conf.json")
final class ModuleConfigurationTests {
    let paths: HomePaths

    init() throws {
        let home = FileManager.default.temporaryDirectory.appending(path: "pm2-conf-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        paths = HomePaths(home: home, isPM2: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: paths.home) }

    private func text() throws -> String { try String(contentsOfFile: paths.pm2ModuleConfiguration, encoding: .utf8) }

    @Test(
        "keys",
        arguments: [
            ("a:b", ["a", "b"]), ("a.b.c", ["a", "b", "c"]), ("a:b.c", ["a:b", "c"]), ("k", ["k"]),
            ("\"a.b\".c", ["a.b", "c"]), ("\"a:b\":c", ["a:b", "c"]), ("a::b", ["a", "b"]), (":a:", ["a"]),
            ("é:ß", ["é", "ß"]),
        ] as [(String, [String])])
    func keys(text: String, segments: [String]) throws { #expect(try ConfigurationKey(text).segments == segments) }

    @Test(
        "keys that are refused", arguments: ["", ":", "...", "__proto__:x", "a.constructor", "a:prototype:b", "a:\"b"])
    func refused(text: String) {
        #expect(throws: ModuleConfiguration.Failure.self) { try ConfigurationKey(text) }
    }

    @Test("set makes sections, and values are strings")
    func set() throws {
        _ = try ModuleConfigurationStore.change(paths) { conf throws(ModuleConfiguration.Failure) in
            try conf.set(try ConfigurationKey("pm2-logrotate:max_size"), to: "10M")
            try conf.set(try ConfigurationKey("app.deep.key"), to: "1")
            try conf.setMany(#"app:a 1 "app:b c" "two words""#)
            try conf.set(try ConfigurationKey("scalar"), to: "x")
        }
        #expect(
            try text() == """
                {
                    "pm2-logrotate": {
                        "max_size": "10M"
                    },
                    "app": {
                        "deep": {
                            "key": "1"
                        },
                        "a": "1",
                        "b c": "two words"
                    },
                    "scalar": "x"
                }
                """)
        let mode = try FileManager.default.attributesOfItem(atPath: paths.pm2ModuleConfiguration)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        var conf = try ModuleConfigurationStore.read(paths)
        #expect(
            conf.lines(Screen()) == [
                "Module: pm2-logrotate", "$ pm2 set pm2-logrotate:max_size 10M", "Module: app",
                #"$ pm2 set app:deep {"key":"1"}"#, "$ pm2 set app:a 1", "$ pm2 set app:b c two words",
            ])
        #expect(
            conf.answer(to: try ConfigurationKey("pm2-logrotate"), Screen()) == [
                "Module: pm2-logrotate", "$ pm2 set pm2-logrotate:max_size 10M",
                "Modules configuration. Copy/Paste line to edit values.",
            ])
        #expect(
            conf.answer(to: try ConfigurationKey("app.deep.key"), Screen()) == [
                "Value for module app key deep.key: 1"
            ])
        #expect(conf.answer(to: try ConfigurationKey("app:none"), Screen()) == nil)
        #expect(conf.section("app")?["a"] == .string("1") && conf.section("scalar") == nil)
        try conf.unset("app.deep.key")
        try conf.unset("none:at:all")
        #expect(conf.section("app")?["deep"] == .emptyObject)
        try conf.unset("all")
        #expect(conf.root.isEmpty)
    }

    @Test("a value below a value is refused, and many changes are made all or not at all")
    func refusedChange() throws {
        var conf = ModuleConfiguration()
        try conf.set(try ConfigurationKey("a"), to: "1")
        #expect(throws: ModuleConfiguration.Failure.self) { try conf.set(try ConfigurationKey("a:b"), to: "2") }
        let before = conf
        #expect(throws: ModuleConfiguration.Failure.self) { try conf.setMany("x 1 a:b 2") }
        #expect(throws: ModuleConfiguration.Failure.self) { try conf.setMany("x 1 y") }
        #expect(throws: ModuleConfiguration.Failure.self) { try conf.setMany("x \"1") }
        #expect(conf == before)
    }

    @Test(
        "a file that cannot be understood is an error that names it, and stays", arguments: ["{", "[]", "{\"a\":1,}"])
    func corrupt(content: String) throws {
        try Data(content.utf8).write(to: URL(filePath: paths.pm2ModuleConfiguration))
        let failure = #expect(throws: ModuleConfiguration.Failure.self) {
            try ModuleConfigurationStore.change(self.paths) { conf throws(ModuleConfiguration.Failure) in
                try conf.unset("all")
            }
        }
        #expect(failure?.description.contains(paths.pm2ModuleConfiguration) == true)
        #expect(try text() == content)
    }

    @Test("no file and an empty file are an empty configuration")
    func missing() throws {
        #expect(try ModuleConfigurationStore.read(paths) == ModuleConfiguration())
        try Data("\n".utf8).write(to: URL(filePath: paths.pm2ModuleConfiguration))
        #expect(try ModuleConfigurationStore.read(paths) == ModuleConfiguration())
    }
}
