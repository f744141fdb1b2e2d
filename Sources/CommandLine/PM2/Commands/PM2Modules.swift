/// `install` and `uninstall`: modules are Node programs that run inside PM2, which Hearth does not have. What the best
/// known one does is built in.
struct PM2Modules {
    let face: PM2Session
    private static let builtIn = ["pm2-logrotate"]

    func install(_ words: [String]) throws {
        guard let name = words.first else {
            face.console.error("Please specify a module name")
            throw PM2Exit.failed
        }
        if Self.builtIn.contains(name) {
            face.console.line("[PM2][Module] \(name) is part of Hearth: nothing is to be installed")
            return
        }
        face.console.line(
            "[PM2][Module][ERROR] '\(name)': Hearth runs no PM2 modules; start it as an app of its own", to: 2)
        throw PM2Exit.failed
    }

    func uninstall(_ name: String) throws {
        guard Self.builtIn.contains(name) || name == "all" else {
            face.console.line("[PM2][Module][ERROR] Unknown module", to: 2)
            throw PM2Exit.failed
        }
        face.console.line("[PM2][Module] there is nothing to remove")
    }
}
