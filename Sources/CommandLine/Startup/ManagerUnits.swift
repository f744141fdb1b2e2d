import Glibc
import Platform
import Records

/// The two units of a home.
///
/// The *manager* unit starts keeper and hearthd and may be restarted at any time. The *apps* unit never is: it has no
/// process of its own, only the cgroup in which hearthd and the apps live. systemd could not start a manager whose own
/// cgroup is divided for apps that still run in it.
struct ManagerUnits: Equatable {
    let scope: SystemdScope
    /// Without `.service`: `hearth-deploy`, `pm2-deploy`, or `hearth` of a user's own systemd.
    let name: String
    /// Where their files are.
    let directory: String

    var manager: String { name + ".service" }
    var apps: String { name + "-apps.service" }
    var managerFile: String { directory + "/" + manager }
    var appsFile: String { directory + "/" + apps }

    /// The line in the manager unit that names its home. systemd ignores keys that begin so.
    static let homeKey = "X-Hearth-Home="

    /// - Parameter name: as asked for; nil: `hearth-USER` (`pm2-USER` in a home of PM2's), `hearth` in the user scope.
    init(scope: SystemdScope, user: String, home: HomePaths, name: String? = nil, directory: String? = nil) {
        self.scope = scope
        let word = home.isPM2 ? "pm2" : "hearth"
        self.name = name ?? (scope == .user ? word : "\(word)-\(Self.escape(user))")
        self.directory = directory ?? Self.directory(of: scope)
    }

    private init(scope: SystemdScope, name: String, directory: String) {
        self.scope = scope
        self.name = name
        self.directory = directory
    }

    /// The units that were made for a home, whatever their name; the user's own come last.
    static func installed(for home: HomePaths) -> ManagerUnits? {
        for scope in [SystemdScope.system, .user] {
            let directory = directory(of: scope)
            for file in (try? FileSystem.names(in: directory)) ?? [] where file.hasSuffix(".service") {
                guard let bytes = try? FileSystem.read("\(directory)/\(file)", limit: 64 << 10) else { continue }
                let line = "\(homeKey)\(UnitQuoting.specifierFree(home.home))"
                guard String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains(Substring(line)) else {
                    continue
                }
                return ManagerUnits(scope: scope, name: String(file.dropLast(8)), directory: directory)
            }
        }
        return nil
    }

    static func directory(of scope: SystemdScope) -> String {
        if scope == .system {
            return getenv("HEARTH_TEST_UNITS").map { String(cString: $0) } ?? "/etc/systemd/system"
        }
        if let configuration = getenv("XDG_CONFIG_HOME").map({ String(cString: $0) }), configuration.hasPrefix("/") {
            return configuration + "/systemd/user"
        }
        return (CallerHome.directory() ?? "/nonexistent") + "/.config/systemd/user"
    }

    /// A user's name as it may stand in a unit's: what is not allowed there becomes `\xHH`.
    static func escape(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                escaped += "\\x" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return escaped
    }
}

/// Texts as they stand in a unit file.
enum UnitQuoting {
    /// `%` begins a specifier.
    static func specifierFree(_ text: String) -> String {
        text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    }

    /// One word of a command line.
    static func word(_ text: String) -> String {
        var quoted = ""
        var needsQuotes = text.isEmpty
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": quoted += "%%"
            case "$": quoted += "$$"
            case "\\": quoted += "\\\\"
            case "\"":
                quoted += "\\\""
                needsQuotes = true
            default:
                quoted.unicodeScalars.append(scalar)
                if scalar == " " || scalar == "\t" || scalar == "'" || scalar == ";" { needsQuotes = true }
            }
        }
        return needsQuotes ? "\"\(quoted)\"" : quoted
    }
}
