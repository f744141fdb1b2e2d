import Glibc
import Platform
package import Records

/// `module_conf.json` on disk.
package enum ModuleConfigurationStore {
    /// The configuration; an empty one where there is no file. A file that cannot be understood is an error that names
    /// it: nothing is written over it.
    package static func read(_ paths: HomePaths) throws(ModuleConfiguration.Failure) -> ModuleConfiguration {
        let path = paths.pm2ModuleConfiguration
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try FileSystem.read(path, limit: 16 << 20) } catch {
            if error.errno == ENOENT { return ModuleConfiguration() }
            throw ModuleConfiguration.Failure("\(error)")
        }
        // What is left of a file that was never written.
        if bytes.allSatisfy({ [0x20, 0x09, 0x0a, 0x0d].contains($0) }) { return ModuleConfiguration() }
        do throws(JSONFailure) {
            guard let object = try OrderedJSON.parse(bytes).object else {
                throw JSONFailure(message: "an object is expected", offset: 0, line: 1)
            }
            return ModuleConfiguration(object)
        } catch {
            throw ModuleConfiguration.Failure("'\(path)' cannot be used: \(error); correct it, or move it away")
        }
    }

    /// Replaces the file, indented as PM2 does.
    package static func write(
        _ configuration: ModuleConfiguration, _ paths: HomePaths
    ) throws(ModuleConfiguration.Failure) {
        var bytes: [UInt8] = []
        OrderedJSON.object(configuration.root).write(to: &bytes, indent: 4)
        do throws(SystemError) { try PrivateFile.replace(paths.pm2ModuleConfiguration, with: bytes) } catch {
            throw ModuleConfiguration.Failure("\(error)")
        }
    }

    /// Reads, changes, writes; nothing is written when the change fails or changes nothing.
    package static func change(
        _ paths: HomePaths,
        _ change: (inout ModuleConfiguration) throws(ModuleConfiguration.Failure) -> Void
    ) throws(ModuleConfiguration.Failure) -> ModuleConfiguration {
        let before = try read(paths)
        var after = before
        try change(&after)
        if after != before { try write(after, paths) }
        return after
    }
}
