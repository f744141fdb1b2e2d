#if canImport(Glibc)
    package import Glibc
#endif

/// A user and group of this machine, as a process takes them on.
package struct Account: Hashable, Sendable {
    package let uid: uid_t
    package let gid: gid_t
    package let groups: [gid_t]
    package let name: String
    package let home: String

    package struct Unknown: Error, Sendable {
        package let errno: Int32
        package let message: String
    }

    /// The account for `uid` and `gid` as written in a configuration (names or numbers); nil when neither is given.
    package static func resolve(uid: String?, gid: String?) throws(Unknown) -> Account? {
        guard uid != nil || gid != nil else { return nil }
        guard geteuid() == 0 else {
            throw Unknown(errno: EPERM, message: "uid and gid need a daemon that runs as root")
        }
        let user = try uid.map { name throws(Unknown) in try Self.user(name) }
        var group = user?.gid ?? getegid()
        if let gid { group = try Self.group(gid) }
        guard let user else {
            return Account(uid: geteuid(), gid: group, groups: [group], name: "root", home: "/root")
        }
        var count: Int32 = 64
        var groups = [gid_t](repeating: 0, count: 64)
        if getgrouplist(user.name, group, &groups, &count) < 0 {
            groups = [gid_t](repeating: 0, count: Int(max(count, 1)))
            _ = getgrouplist(user.name, group, &groups, &count)
        }
        return Account(
            uid: user.uid, gid: group, groups: Array(groups.prefix(Int(max(count, 0)))), name: user.name,
            home: user.home)
    }

    package static func user(_ name: String) throws(Unknown) -> (uid: uid_t, gid: gid_t, name: String, home: String) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        // 16 KiB: more than any sane passwd entry.
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        if let number = uid_t(name) {
            _ = getpwuid_r(number, &entry, &buffer, buffer.count, &found)
        } else {
            _ = getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        }
        guard found != nil else { throw Unknown(errno: ENOENT, message: "there is no user '\(name)'") }
        return (entry.pw_uid, entry.pw_gid, String(cString: entry.pw_name), String(cString: entry.pw_dir))
    }

    private static func group(_ name: String) throws(Unknown) -> gid_t {
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        if let number = gid_t(name) { return number }
        _ = getgrnam_r(name, &entry, &buffer, buffer.count, &found)
        guard found != nil else { throw Unknown(errno: ENOENT, message: "there is no group '\(name)'") }
        return entry.gr_gid
    }
}
