import Control
import Glibc
import Model
import Platform
import Records

/// What has to do with the daemon itself.
struct PM2Daemon {
    let face: PM2Session
    private var console: PM2Console { face.console }

    func ping() throws {
        try face.connect()
        console.show("{ msg: 'pong' }\n")
    }

    /// Ends every app and the daemon. The list is forgotten, the dump is not touched.
    func kill() throws {
        let instances = try face.inventory().entries.map(\.instance)
        if !instances.isEmpty {
            let ids = PM2Lists.inspected(instances.map(\.id))
            console.say("Applying action deleteProcessId on app [all](ids: \(ids))")
        }
        let client = try face.session.connect()
        try stopEverything(client)
        for instance in instances { console.say("[\(instance.name)](\(instance.id)) ✓") }
        console.say("[v] All Applications Stopped")
        guard client.waitForEnd(milliseconds: 5000) else {
            console.error("The daemon (pid \(client.peer.pid)) is still there after 5 s")
            throw PM2Exit.failed
        }
        console.say("[v] PM2 Daemon Stopped")
    }

    private func stopEverything(_ client: Client) throws {
        let parameters = OriginParameters(origin: face.origin)
        do {
            _ = try client.call(
                .kill, parameters, as: KillReply.self, kind: .changing, deadline: Session.Deadline.stopping)
        } catch ClientError.connectionLost {
            // It died before it was done: the next one goes on with it when it is told again.
            let _: KillReply = try face.session.change(
                .kill, parameters, repeats: true, deadline: Session.Deadline.stopping)
        }
    }

    /// PM2 saves, kills, starts anew and resurrects. Here the new program takes over what runs.
    func update() throws {
        try face.connect()
        try PM2Keep(face: face).save(quietly: true)
        let client = try face.session.connect()
        _ = try client.call(
            .upgrade, UpgradeParameters(path: nil, origin: face.origin), as: UpgradeReply.self, kind: .changing,
            deadline: Session.Deadline.ordinary)
        console.line(">>>>>>>>>> PM2 updated")
        face.session.disconnect()
        try PM2Lists(face: face).table()
    }

    /// The diagnostic text that people paste into questions.
    func report() throws {
        try face.connect()
        let hello = try face.session.connect().greet(again: true)
        let list = try PM2Lists(face: face).tableText()
        let log = ((try? LogTail.lastLines(face.paths.daemonLog, count: 20)) ?? [])
            .map { String(decoding: $0.bytes, as: UTF8.self) }
        var host = utsname()
        uname(&host)
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        let lines =
            ["--- PM2 report " + String(repeating: "-", count: 40), "```"]
            + ["--- Daemon " + String(repeating: "-", count: 44)]
            + [
                "pm2d version         : \(PM2Version.text) (Hearth \(hello.version))",
                "pm2 home             : \(hello.home)",
                "daemon pid           : \(hello.pid)",
                "keeper pid           : \(hello.keeperPid.map(String.init) ?? "none")",
                "uptime               : \(hello.uptimeMs / 1000)s",
            ]
            + ["--- CLI " + String(repeating: "-", count: 47)]
            + [
                "local pm2            : \(PM2Version.text) (Hearth \(Interface.productVersion))",
                "user                 : \(UserNames.name(of: geteuid()))",
            ]
            + ["--- System info " + String(repeating: "-", count: 39)]
            + [
                "arch                 : \(text(host.machine))",
                "platform             : \(text(host.sysname)) \(text(host.release))",
            ]
            + ["--- PM2 list " + String(repeating: "-", count: 42), list]
            + ["--- Daemon logs " + String(repeating: "-", count: 39)] + log + ["```"]
        console.show(lines.joined(separator: "\n") + "\n")
    }
}
