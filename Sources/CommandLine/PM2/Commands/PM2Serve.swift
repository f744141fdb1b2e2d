import Configuration
import Control
import Glibc
import Model

/// `serve [PATH] [PORT]`: an app that answers HTTP with the files of a directory.
struct PM2Serve {
    let face: PM2Session
    private var options: PM2Options { face.options }

    func run(_ operands: [String]) throws {
        var site = StaticSite()
        site.path = Self.variable("PM2_SERVE_PATH") ?? operands.first ?? "."
        let port = Self.variable("PM2_SERVE_PORT") ?? options["port"] ?? (operands.count > 1 ? operands[1] : nil)
        if let port {
            guard let number = Int(port), (1...65_535).contains(number) else {
                face.console.error("'\(port)' is not a port from 1 to 65535")
                throw PM2Exit.failed
            }
            site.port = number
        }
        if let host = Self.variable("PM2_SERVE_HOST") { site.host = host }
        if let page = Self.variable("PM2_SERVE_HOMEPAGE") { site.homepage = page }
        site.spa = options.has("spa")
        site.listsDirectories = options.has("ftp")
        if let user = options["basic-auth-username"], let password = options["basic-auth-password"] {
            site.basicAuth = StaticSite.Credentials(user: user, password: password)
        }
        let reader = PM2AppReader(face: face)
        var draft = try reader.draft(script: nil)
        draft.staticSite = site
        let spec = try reader.resolve(draft, named: site.path)
        let present = try face.inventory().entries.filter { $0.instance.name == spec.name }
        if present.isEmpty || options.has("force") {
            let reply = try face.start([spec], environment: PM2Environment.caller())
            Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        } else {
            let changes = present.map { SpecChange(id: $0.instance.id, spec: spec) }
            try PM2Actions(face: face, verb: .restart).report(try face.configure(changes, then: .restart))
        }
        face.console.say("Serving \(spec.cwd) on port \(site.port)")
        try PM2Lists(face: face).table()
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).flatMap { String(validatingCString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
