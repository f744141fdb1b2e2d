import Configuration
import Glibc
import Platform
import Records

/// `startup` and `unstartup`, with PM2's words. What is set up is Hearth's: a unit under which a daemon that dies takes
/// no app along. Unlike PM2's it is started, too, and takes over what runs.
struct PM2Startup {
    let face: PM2Session
    private var console: PM2Console { face.console }

    func enable(_ platform: String?) throws {
        let system = try initSystem(platform)
        let target = try target()
        try requireRoot("startup", "setup", system, target)
        console.line("Platform \(system.rawValue)")
        guard system == .systemd else {
            return try enableSimple(SimpleStartup(system: system, target: target, name: name))
        }
        let startup = SystemdStartup(
            target: target,
            units: ManagerUnits(scope: .system, user: target.user.name, home: target.home, name: name),
            waitsForNetwork: face.options.has("wait-ip"), refreshesEnvironment: true)
        let text = startup.text()
        console.line("Template")
        console.line(text.manager)
        console.line("Target path")
        console.line(startup.units.managerFile)
        console.line("Command list")
        console.line("[ 'systemctl enable \(startup.units.name)' ]")
        console.say("Writing init configuration in \(startup.units.managerFile)")
        console.say("Making script booting at startup...")
        console.say("[-] Executing: systemctl enable \(startup.units.name)...")
        let report: SystemdStartup.Report
        do { report = try startup.install { _ in } } catch let failure as Failure {
            for line in failure.lines { console.error(line) }
            throw PM2Exit.failed
        }
        console.say("[v] Command successfully executed.")
        for sentence in report.leftOutside { console.warn(sentence) }
        hint(system)
    }

    func disable(_ platform: String?) throws {
        let system = try initSystem(platform)
        let target = try target()
        try requireRoot("unstartup", "unsetup", system, target)
        let done: [String]
        do {
            if system == .systemd {
                let units = ManagerUnits(scope: .system, user: target.user.name, home: target.home, name: name)
                done = try SystemdRemoval(units: units).remove()
            } else {
                done = try SimpleStartup(system: system, target: target, name: name).remove()
            }
        } catch let failure as Failure {
            for line in failure.lines { console.error(line) }
            throw PM2Exit.failed
        }
        for line in done { console.line(line) }
        console.say("Init file disabled.")
    }

    private func enableSimple(_ startup: SimpleStartup) throws {
        console.line("Template")
        console.line(startup.text)
        for line in try startup.install() { console.say(line) }
        hint(startup.system)
    }

    private func hint(_ system: InitSystem) {
        console.line("+---------------------------------------+")
        console.say("Freeze a process list on reboot via:")
        console.line("$ pm2 save\n")
        console.say("Remove init script via:")
        console.line("$ pm2 unstartup \(system.rawValue)")
    }

    private var name: String? { face.options["service-name"] }

    // MARK: - What and for whom

    private func initSystem(_ platform: String?) throws -> InitSystem {
        guard let found = InitSystem.detect() else {
            console.error("Init system not found")
            throw PM2Exit.failed
        }
        console.say("Init System found: \(found.rawValue)")
        guard let platform else { return found }
        guard let asked = InitSystem(word: platform) else {
            console.error(
                "Unknown platform / init system name: '\(platform)'; Hearth knows systemd, openrc, runit and cron")
            throw PM2Exit.failed
        }
        if asked != found {
            console.line("-----------------------------------------------------------")
            console.line(" PM2 detected \(found.rawValue) but you precised \(asked.rawValue)")
            console.line(" Please verify that your choice is indeed your init system")
            console.line(" If you arent sure, just run : pm2 startup")
            console.line("-----------------------------------------------------------")
        }
        return asked
    }

    private func target() throws -> StartupTarget {
        let asked = face.options["user"]
        if let name, name != ManagerUnits.escape(name) || name.isEmpty || name.hasPrefix(".") {
            console.error("'\(name)' cannot be the name of a service; use letters, digits, '-', '_' and '.'")
            throw PM2Exit.failed
        }
        let own = asked == nil && face.options["hp"] == nil ? face.paths : nil
        do {
            return try StartupTarget(user: asked, homeDirectory: face.options["hp"], home: own, isPM2: true)
        } catch let failure as Failure {
            for line in failure.lines { console.error(line) }
            throw PM2Exit.failed
        }
    }

    private func requireRoot(_ command: String, _ word: String, _ system: InitSystem, _ target: StartupTarget) throws {
        guard geteuid() != 0 else { return }
        let program = face.options.has("user") ? "pm2" : Self.ownPath
        console.say("To \(word) the Startup Script, copy/paste the following command:")
        console.line(
            "sudo env PATH=$PATH:\(FileSystem.parent(of: target.commandLine)) \(program) \(command) \(system.rawValue) "
                + "-u \(target.user.name) --hp \(face.options["hp"] ?? target.user.home)")
        throw PM2Exit.failed
    }

    /// The file under whose name `pm2` this program was called: under another name it is not PM2.
    private static var ownPath: String {
        let called = Swift.CommandLine.unsafeArgv[0].flatMap { String(validatingCString: $0) } ?? "pm2"
        if called.contains("/") {
            return Paths.absolute(called, base: CallerHome.workingDirectory() ?? "/", home: nil)
        }
        return SimpleStartup.program(called) ?? called
    }
}
