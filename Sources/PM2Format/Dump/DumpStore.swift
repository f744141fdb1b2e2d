import Glibc
package import Platform
package import Records

/// `dump.pm2` and `dump.pm2.bak` in a home.
package enum DumpStore {
    /// A line that a command prints.
    package struct Message: Hashable, Sendable {
        package var text: String
        /// For standard error.
        package var isError: Bool

        package init(_ text: String, isError: Bool = false) {
            self.text = text
            self.isError = isError
        }
    }

    package struct Reading: Sendable {
        /// The file whose content this is; nil: there is none that can be used.
        package var source: String?
        package var content = DumpContent(entries: [], problems: [])
        /// In their order: what was tried, what is wrong with it, where it lies now.
        package var messages: [Message] = []
    }

    /// 64 MiB: a thousand apps with large environments take a quarter of it.
    private static let largest = 64 << 20

    /// Reads the dump, or its backup when there is none or it cannot be understood. A file that cannot be understood is
    /// set aside, never deleted.
    package static func read(_ paths: HomePaths) -> Reading {
        var reading = Reading()
        for path in [paths.pm2Dump, paths.pm2DumpBackup] {
            reading.messages.append(Message("[PM2] Restoring processes located in \(path)"))
            let bytes: [UInt8]
            do throws(SystemError) { bytes = try FileSystem.read(path, limit: largest) } catch {
                reading.messages.append(Message("[PM2][ERROR] Failed to read dump file in \(path)", isError: true))
                if error.errno != ENOENT { reading.messages.append(Message("[PM2][ERROR] \(error)", isError: true)) }
                continue
            }
            do throws(JSONFailure) { reading.content = try DumpReader.read(bytes, paths: paths) } catch {
                reading.messages.append(Message("[PM2][ERROR] Failed to read dump file in \(path)", isError: true))
                reading.messages.append(Message(complaint(path, error), isError: true))
                continue
            }
            reading.source = path
            reading.messages += reading.content.problems.map { Message("[PM2][WARN] \(path): \($0)") }
            return reading
        }
        reading.messages.append(Message("[PM2][ERROR] No processes saved; DUMP file doesn't exist", isError: true))
        return reading
    }

    private static func complaint(_ path: String, _ failure: JSONFailure) -> String {
        let place = PrivateFile.setAside(path).map { "it was kept as \($0)" } ?? "it could not be moved out of the way"
        return "[PM2][WARN] \(path): \(failure); \(place)"
    }

    /// Writes the dump; the one that is there becomes the backup.
    ///
    /// Whatever fails, a whole dump stays: the old one under its name until the new one is on the disk.
    ///
    /// - Returns: What a person should know: a dump that could not be understood and was set aside instead of becoming
    ///   the backup, in the place of one that can be.
    @discardableResult
    package static func write(_ records: [PM2Record], _ paths: HomePaths) throws(SystemError) -> [Message] {
        var bytes: [UInt8] = []
        OrderedJSON.array(records.map(\.saved)).write(to: &bytes, indent: 2)
        var messages: [Message] = []
        do throws(SystemError) {
            let old = try FileSystem.read(paths.pm2Dump, limit: largest)
            if let failure = unusable(old) {
                messages.append(Message(complaint(paths.pm2Dump, failure), isError: true))
            } else {
                try PrivateFile.replace(paths.pm2DumpBackup, with: old)
            }
        } catch {
            // Without a dump there is nothing to keep.
            guard error.errno == ENOENT else { throw error }
        }
        try PrivateFile.replace(paths.pm2Dump, with: bytes)
        return messages
    }

    private static func unusable(_ bytes: [UInt8]) -> JSONFailure? {
        do throws(JSONFailure) {
            guard case .array = try OrderedJSON.parse(bytes) else {
                return JSONFailure(message: "a list of apps is expected", offset: 0, line: 1)
            }
            return nil
        } catch { return error }
    }
}
