import Glibc
import Platform

/// What starts services on this machine.
enum InitSystem: String, CaseIterable {
    case systemd
    case openrc
    case runit
    /// No init system that Hearth knows: a line `@reboot` in the user's crontab.
    case cron

    /// The one that runs here. nil: not even cron.
    static func detect() -> InitSystem? {
        if Systemctl.isAvailable { return .systemd }
        if FileSystem.isDirectory("/run/openrc") { return .openrc }
        if FileSystem.isDirectory("/run/runit") || FileSystem.isDirectory("/etc/runit/runsvdir") { return .runit }
        return SimpleStartup.program("crontab") == nil ? nil : .cron
    }

    /// PM2's names for it: distributions, too.
    init?(word: String) {
        switch word.lowercased() {
        case "systemd", "ubuntu", "centos", "arch", "oracle", "debian": self = .systemd
        case let name: self.init(rawValue: name)
        }
    }
}
