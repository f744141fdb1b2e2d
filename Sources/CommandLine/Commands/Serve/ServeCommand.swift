import ArgumentParser
import Configuration
import Control
import Model

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Put a directory on the web, as an app.",
        discussion: "The app is called static-page-server-PORT. docs/serve.md tells what it answers.",
        aliases: ["expose"])

    @Argument(help: "Directory (default: the present one).", completion: .directory)
    var path = "."

    @Argument(help: "Port (default: 8080).")
    var portOperand: String?

    @Option(help: "Port.")
    var port: String?

    @Option(help: ArgumentHelp("Address to listen on (default: 0.0.0.0).", valueName: "address"))
    var host: String?

    @Option(name: [.customShort("n"), .long], help: "Name of the app.")
    var name: String?

    @Flag(help: "A single-page application: what is missing is answered with the homepage.")
    var spa = false

    @Flag(name: [.long, .customLong("directory")], help: "List directories.")
    var ftp = false

    @Option(help: ArgumentHelp("What '/' is answered with (default: /index.html).", valueName: "path"))
    var homepage: String?

    @Option(help: ArgumentHelp("Ask for a name and a password.", valueName: "user"))
    var basicAuthUsername: String?

    @Option(help: ArgumentHelp("The password for --basic-auth-username.", valueName: "password"))
    var basicAuthPassword: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        guard (basicAuthUsername == nil) == (basicAuthPassword == nil) else {
            throw Failure.usage("--basic-auth-username and --basic-auth-password belong together")
        }
        var site = StaticSite()
        site.path = path
        site.host = host ?? StaticSite.defaultHost
        site.spa = spa
        site.listsDirectories = ftp
        site.homepage = homepage
        if let user = basicAuthUsername, let password = basicAuthPassword {
            site.basicAuth = StaticSite.Credentials(user: user, password: password)
        }
        if let given = port ?? portOperand {
            guard let number = UInt16(given), number > 0 else {
                throw Failure.usage("expected a port from 1 to 65535, found '\(given)'")
            }
            site.port = Int(number)
        }
        let own = CallerEnvironment.current()
        var draft = AppDraft()
        draft.name = name
        draft.staticSite = site
        let spec = try Caller.resolver(environment: own.variables).resolve(draft)

        let session = try Session(common)
        let client = try session.connectStarting()
        var plan = StartPlan()
        plan.add(spec, existing: try ExistingApps.read(session), force: false)
        guard plan.failures.isEmpty else { throw Failure(.failed, lines: plan.failures) }
        // One of that name that was stopped may have other settings.
        guard plan.again.isEmpty else {
            throw Failure(
                .failed,
                "'\(spec.name)' is in the list and stopped; 'hearth start \(spec.name)' starts it as it was, "
                    + "'hearth delete \(spec.name)' makes room for another")
        }
        let reply: InstancesReply = try session.change(
            .start,
            StartParameters(
                apps: plan.newApps, environment: client.isForeign ? [:] : own.variables, token: Session.makeToken(),
                origin: Session.origin("serve", [path])),
            repeats: true)
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        if format.json { return try JSONOutput.write(reply.instances) }
        try Output.line("serving \(Terminal.detect().escape(spec.cwd)) on port \(site.port)")
        try Reporting.table(reply.instances)
    }
}
