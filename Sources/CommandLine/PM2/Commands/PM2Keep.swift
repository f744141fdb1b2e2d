import Control
import Glibc
import Model
import PM2Format
import Platform
import Records

/// `save`, `cleardump` and `resurrect`: the list on disk, in PM2's file.
struct PM2Keep {
    let face: PM2Session
    private var console: PM2Console { face.console }

    // MARK: - save

    func save(quietly: Bool = false) throws {
        let inventory = try face.inventory()
        if !quietly { console.say("Saving current process list...") }
        let isForced = face.options.has("force") || PM2Console.isSet("FORCE")
        guard !inventory.entries.isEmpty || isForced else {
            if quietly { return }
            console.warn("PM2 is not managing any process, skipping save...")
            console.warn("To force saving use: pm2 save --force")
            if !FileSystem.exists(face.paths.pm2Dump) { try write(empty: true) }
            return
        }
        keepSnapshot(isForced: isForced)
        try write(inventory)
        if !quietly { console.say("Successfully saved in \(face.paths.pm2Dump)") }
    }

    /// Hearth's own snapshot, so that no earlier list is lost by a save; and a warning when something is missing.
    private func keepSnapshot(isForced: Bool) {
        let parameters = SaveParameters(name: nil, force: isForced, origin: face.origin)
        do {
            let _: SaveReply = try face.session.change(.save, parameters, repeats: true)
        } catch ClientError.remote(let error) where error.code == .refused {
            console.say(
                "\(error.message); saved as asked, the former dump is \(face.paths.pm2DumpBackup)", .warning, to: 2)
            let forced = SaveParameters(name: nil, force: true, origin: face.origin)
            let _: SaveReply? = try? face.session.change(.save, forced, repeats: true)
        } catch {
            // The dump is what was asked for; a snapshot is more than that.
        }
    }

    private func write(_ inventory: InventoryReply) throws {
        let listing = ProcessListing(inventory, paths: face.paths) { PM2Lists.facts(of: $0, in: face.paths) }
        do throws(SystemError) {
            for message in try DumpStore.write(listing.records, face.paths) { print(message) }
        } catch {
            console.error("Failed to save in \(face.paths.pm2Dump): \(error)")
            throw PM2Exit.failed
        }
    }

    private func write(empty: Bool) throws {
        do throws(SystemError) { _ = try DumpStore.write([], face.paths) } catch {
            console.error("Failed to save in \(face.paths.pm2Dump): \(error)")
            throw PM2Exit.failed
        }
    }

    func clear() throws {
        try write(empty: true)
        console.say("Successfully created \(face.paths.pm2Dump)")
    }

    private func print(_ message: DumpStore.Message) { console.line(message.text, to: message.isError ? 2 : 1) }

    // MARK: - resurrect

    /// Starts what the dump has and the list has not, by name. Two at once (a unit and a crontab) do it once: the calls
    /// carry tokens made of what they start.
    func resurrect() throws {
        try face.connect()
        console.say("Resurrecting")
        let reading = DumpStore.read(face.paths)
        for message in reading.messages { print(message) }
        let present = Set(try face.inventory().entries.map(\.instance.name))
        var restored: [DumpEntry] = []
        var failed = false
        for group in groups(reading.content.entries.filter { !present.contains($0.spec.name) }) {
            let apps = group.map { entry in
                var spec = entry.spec
                spec.instances = 1
                spec.autostart = entry.isWantedRunning
                return spec
            }
            PM2Folders(face: face).make(for: apps)
            do {
                let reply = try face.start(
                    apps, environment: group[0].environment, token: Self.token(of: group), restores: true)
                Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
                restored += group
            } catch ClientError.remote(let error) {
                // One that cannot be entered must not keep the others down.
                failed = try !restoreOneByOne(group, apps, because: error, &restored) || failed
            }
        }
        for entry in restored { console.say("Process \(entry.spec.script) restored") }
        try PM2Lists(face: face).table()
        if failed { throw PM2Exit.failed }
    }

    private func restoreOneByOne(
        _ group: [DumpEntry], _ apps: [AppSpec], because first: ControlError, _ restored: inout [DumpEntry]
    ) throws -> Bool {
        var isWhole = true
        for (entry, app) in zip(group, apps) {
            do {
                _ = try face.start(
                    [app], environment: entry.environment, token: Self.token(of: [entry]), restores: true)
                restored.append(entry)
            } catch ClientError.remote(let error) {
                isWhole = false
                console.error("Process \(entry.spec.name) cannot be restored: \(error.message)")
            }
        }
        return isWhole
    }

    /// Entries in their order, those with equal environments together.
    private func groups(_ entries: [DumpEntry]) -> [[DumpEntry]] {
        var groups: [[DumpEntry]] = []
        for entry in entries {
            if let index = groups.indices.last, groups[index][0].environment == entry.environment {
                groups[index].append(entry)
            } else {
                groups.append([entry])
            }
        }
        return groups
    }

    /// The same for the same apps: FNV-1a over their names and places in the dump.
    private static func token(of entries: [DumpEntry]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for entry in entries {
            for byte in "\(entry.index) \(entry.spec.name) \(entry.spec.script)\n".utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
        return "resurrect-" + String(hash, radix: 16)
    }
}
