import Configuration
import Glibc
import Platform

/// A user of this machine, from /etc/passwd, else from `getent` (a directory service).
struct PasswordEntry: Equatable {
    var name: String
    var uid: UInt32
    var gid: UInt32
    var home: String

    static func named(_ name: String) -> PasswordEntry? {
        if let entry = lines().lazy.compactMap(PasswordEntry.init).first(where: { $0.name == name }) { return entry }
        guard !name.isEmpty, !name.hasPrefix("-"),
            let answer = ProgramOutput.of("/usr/bin/getent", ["passwd", name], seconds: 5)
        else { return nil }
        return answer.text.split(separator: "\n").lazy.compactMap(PasswordEntry.init).first { $0.name == name }
    }

    static func caller() -> PasswordEntry? {
        let uid = geteuid()
        if let entry = lines().lazy.compactMap(PasswordEntry.init).first(where: { $0.uid == uid }) { return entry }
        guard let answer = ProgramOutput.of("/usr/bin/getent", ["passwd", String(uid)], seconds: 5) else { return nil }
        return answer.text.split(separator: "\n").lazy.compactMap(PasswordEntry.init).first { $0.uid == uid }
    }

    /// `name:password:uid:gid:comment:home:shell`.
    init?(_ line: Substring) {
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count >= 6, !fields[0].isEmpty, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else {
            return nil
        }
        name = String(fields[0])
        self.uid = uid
        self.gid = gid
        home = String(fields[5])
    }

    private static func lines() -> [Substring] {
        // A directory service that dumps everybody into the file is still below this.
        guard let bytes = try? FileSystem.read("/etc/passwd", limit: 4 << 20) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// Does something as this user, as far as files are concerned: what it makes is theirs, and what they may not, fails.
    func acting<Value>(_ work: () throws -> Value) rethrows -> Value {
        guard geteuid() == 0, uid != 0 else { return try work() }
        _ = setegid(gid)
        _ = seteuid(uid)
        defer {
            _ = seteuid(0)
            _ = setegid(0)
        }
        return try work()
    }
}
