import Platform

#if canImport(Glibc)
    import Glibc
#endif

extension MachineIdentity {
    /// The machine, boot and pid namespace of this process.
    package static func current() -> MachineIdentity {
        func line(_ path: String) -> String? {
            guard let bytes = try? FileSystem.read(path, limit: 4096) else { return nil }
            let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            return text.isEmpty ? nil : text
        }
        var status = stat()
        let namespace = stat("/proc/self/ns/pid", &status) == 0 ? UInt64(status.st_ino) : 0
        return MachineIdentity(
            // A machine without an id (some containers) is told apart by its host name.
            machine: line("/etc/machine-id") ?? line("/proc/sys/kernel/hostname") ?? "unknown",
            boot: line("/proc/sys/kernel/random/boot_id") ?? "unknown", pidNamespace: namespace)
    }
}
