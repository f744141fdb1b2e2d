import Control
import Foundation
import Model
import PM2Format
import Records
import Testing

@Suite("dump.pm2 on disk")
final class DumpStoreTests {
    let paths: HomePaths

    init() throws {
        let home = FileManager.default.temporaryDirectory.appending(path: "pm2-dump-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        paths = HomePaths(home: home, isPM2: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: paths.home) }

    private func records(_ names: String...) -> [PM2Record] {
        ProcessListing(
            Samples.reply(names.enumerated().map { Samples.entry(UInt32($0.offset), Samples.spec($0.element)) }),
            paths: paths
        ).records
    }

    private func put(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: paths.home).sorted() }
    private func apps(_ reading: DumpStore.Reading) -> [String] { reading.content.entries.map(\.spec.name) }

    @Test("the dump before becomes the backup; both are readable to their owner only")
    func backup() throws {
        try DumpStore.write(records("a"), paths)
        #expect(try names() == ["dump.pm2"])
        try DumpStore.write(records("a", "b"), paths)
        #expect(try names() == ["dump.pm2", "dump.pm2.bak"])
        #expect(apps(DumpStore.read(paths)) == ["a", "b"])
        for path in [paths.pm2Dump, paths.pm2DumpBackup] {
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
        try FileManager.default.removeItem(atPath: paths.pm2Dump)
        let reading = DumpStore.read(paths)
        #expect(apps(reading) == ["a"] && reading.source == paths.pm2DumpBackup)
        #expect(
            reading.messages == [
                .init("[PM2] Restoring processes located in \(paths.pm2Dump)"),
                .init("[PM2][ERROR] Failed to read dump file in \(paths.pm2Dump)", isError: true),
                .init("[PM2] Restoring processes located in \(paths.pm2DumpBackup)"),
            ])
    }

    @Test("a corrupt dump is set aside and the backup is used")
    func corrupt() throws {
        try DumpStore.write(records("a"), paths)
        try DumpStore.write(records("a", "b"), paths)
        let half = String(try text(paths.pm2Dump).dropLast(300))
        try put(half, paths.pm2Dump)
        let reading = DumpStore.read(paths)
        #expect(apps(reading) == ["a"])
        let aside = try #require(try names().first { $0.hasPrefix("dump.pm2.corrupt-") })
        #expect(try text("\(paths.home)/\(aside)") == half)
        #expect(reading.messages.contains { $0.text.contains(aside) && $0.isError })
        #expect(!FileManager.default.fileExists(atPath: paths.pm2Dump))
    }

    @Test("a corrupt dump never takes the place of a good backup")
    func corruptNotBackup() throws {
        try DumpStore.write(records("a"), paths)
        try DumpStore.write(records("b"), paths)
        try put("[{", paths.pm2Dump)
        let messages = try DumpStore.write(records("c"), paths)
        #expect(messages.count == 1)
        #expect(apps(DumpStore.read(paths)) == ["c"])
        #expect(try text(paths.pm2DumpBackup).contains("\"a\""))
        #expect(try names().contains { $0.hasPrefix("dump.pm2.corrupt-") })
    }

    @Test("without a dump and a backup that can be used, that is said")
    func nothing() throws {
        let expected = DumpStore.Message("[PM2][ERROR] No processes saved; DUMP file doesn't exist", isError: true)
        #expect(DumpStore.read(paths).messages.last == expected)
        #expect(DumpStore.read(paths).source == nil)
        try put("{}", paths.pm2Dump)
        try put("", paths.pm2DumpBackup)
        let reading = DumpStore.read(paths)
        #expect(reading.source == nil && reading.messages.last == expected)
        #expect(try names().count == 2 && names().allSatisfy { $0.contains(".corrupt-") })
    }

    @Test("an empty list is a dump")
    func empty() throws {
        try DumpStore.write([], paths)
        #expect(try text(paths.pm2Dump) == "[]")
        #expect(DumpStore.read(paths).source == paths.pm2Dump)
    }

    @Test("a link of one's own to a file of one's own is followed and stays")
    func link() throws {
        let real = "\(paths.home)/elsewhere.json"
        try put("[]", real)
        try FileManager.default.createSymbolicLink(atPath: paths.pm2Dump, withDestinationPath: real)
        try DumpStore.write(records("a"), paths)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: paths.pm2Dump) == real)
        #expect(try text(real).contains("\"a\""))
        #expect(try text(paths.pm2DumpBackup) == "[]")
    }

    @Test("a link to somebody else's file is replaced, not followed", .enabled(if: geteuid() == 0))
    func foreignLink() throws {
        let real = "\(paths.home)/theirs"
        try put("[]", real)
        #expect(chown(real, 65534, 65534) == 0)
        try FileManager.default.createSymbolicLink(atPath: paths.pm2Dump, withDestinationPath: real)
        try DumpStore.write(records("a"), paths)
        #expect(try text(real) == "[]")
        #expect(try text(paths.pm2Dump).contains("\"a\""))
    }

    @Test("root leaves a file to its owner", .enabled(if: geteuid() == 0))
    func owner() throws {
        #expect(chown(paths.home, 65534, 65534) == 0)
        try DumpStore.write(records("a"), paths)
        let owner = try FileManager.default.attributesOfItem(atPath: paths.pm2Dump)[.ownerAccountID] as? Int
        #expect(owner == 65534)
    }

    @Test("a directory in the place of the dump is an error that names it")
    func directory() throws {
        try FileManager.default.createDirectory(atPath: paths.pm2Dump, withIntermediateDirectories: true)
        #expect(throws: (any Error).self) { try DumpStore.write(self.records("a"), self.paths) }
        #expect(DumpStore.read(paths).messages.contains { $0.text.contains("Is a directory") })
        #expect(try names() == ["dump.pm2"])
    }
}
