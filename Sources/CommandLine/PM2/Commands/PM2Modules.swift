/// `install` and `uninstall`: modules are Node programs that run inside PM2, which Hearth does not have.
struct PM2Modules {
    let face: PM2Session

    func install(_ words: [String]) throws {
        guard let name = words.first else {
            face.console.error("Please specify a module name")
            throw PM2Exit.failed
        }
        let advice =
            name == "pm2-logrotate"
            ? "Hearth rotates no logs yet; `pm2 logrotate` writes a configuration for the system's logrotate"
            : "Hearth runs no PM2 modules; start it as an app of its own"
        face.console.line("[PM2][Module][ERROR] '\(name)': \(advice)", to: 2)
        throw PM2Exit.failed
    }

    func uninstall(_ name: String) throws {
        guard name == "all" else {
            face.console.line("[PM2][Module][ERROR] Unknown module", to: 2)
            throw PM2Exit.failed
        }
        face.console.line("[PM2][Module] there is nothing to remove")
    }
}
