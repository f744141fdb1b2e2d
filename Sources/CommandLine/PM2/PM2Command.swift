/// One command of PM2's: its names, its operands, and what it does.
struct PM2Command: Sendable {
    var name: String
    var aliases: [String] = []
    /// As in the help: `<id|name>` is required, `[name]` is not.
    var operands = ""
    var help: String
    var run: @Sendable (PM2Session, [String]) throws -> Void

    /// The name of a required operand that is not there.
    func missingOperand(_ given: [String]) -> String? {
        let required = operands.split(separator: " ").filter { $0.hasPrefix("<") }
        guard given.count < required.count else { return nil }
        return String(required[given.count].dropFirst().dropLast())
    }

    static func named(_ word: String) -> PM2Command? {
        table.first { $0.name == word || $0.aliases.contains(word) }
    }

    /// In the order of the help.
    static let table: [PM2Command] = own + absent

    private static let own: [PM2Command] = [
        PM2Command(name: "start", operands: "[name|namespace|file|ecosystem|id...]", help: "start and daemonize an app")
        {
            try PM2Start(face: $0).run($1)
        },
        PM2Command(
            name: "trigger", operands: "<id|proc_name|namespace|all> <action_name> [params]",
            help: "trigger process action"
        ) { try PM2Trigger(face: $0).run($1) },
        PM2Command(name: "deploy", operands: "<file|environment>", help: "deploy your json") {
            try Deploy(program: "pm2 deploy", console: $0.console).run($1)
        },
        PM2Command(
            name: "startOrRestart", operands: "<json>", help: "start or restart JSON file"
        ) { try PM2Files(face: $0).startOrRestart($1[0], reload: false, table: true) },
        PM2Command(
            name: "startOrReload", operands: "<json>", help: "start or gracefully reload JSON file"
        ) { try PM2Files(face: $0).startOrRestart($1[0], reload: true, table: true) },
        PM2Command(name: "pid", operands: "[app_name]", help: "return pid of [app_name] or all") {
            try PM2Lists(face: $0).pids($1.first)
        },
        PM2Command(name: "create", help: "return pid of [app_name] or all") { face, _ in
            try PM2Absent.say("create", face)
        },
        PM2Command(
            name: "startOrGracefulReload", operands: "<json>", help: "start or gracefully reload JSON file"
        ) { try PM2Files(face: $0).startOrRestart($1[0], reload: true, table: true) },
        PM2Command(name: "stop", operands: "<id|name|namespace|all|json|stdin...>", help: "stop a process") {
            try PM2Actions(face: $0, verb: .stop).run($1)
        },
        PM2Command(name: "restart", operands: "<id|name|namespace|all|json|stdin...>", help: "restart a process") {
            try PM2Actions(face: $0, verb: .restart).run($1)
        },
        PM2Command(
            name: "scale", operands: "<app_name> <number>",
            help: "scale up/down a process in cluster mode depending on total_number param"
        ) { try PM2Scale(face: $0).run($1[0], $1[1]) },
        PM2Command(name: "reload", operands: "<id|name|namespace|all>", help: "reload processes") {
            try PM2Actions(face: $0, verb: .reload).run($1)
        },
        PM2Command(name: "id", operands: "<name>", help: "get process id by name") {
            try PM2Lists(face: $0).ids($1[0])
        },
        PM2Command(name: "inspect", operands: "<name>", help: "inspect a process") {
            try PM2Trigger(face: $0).run([$1[0], "internal:inspect"])
        },
        PM2Command(
            name: "delete", aliases: ["del"], operands: "<name|id|namespace|script|all|json|stdin...>",
            help: "stop and delete a process from pm2 process list"
        ) { try PM2Actions(face: $0, verb: .delete).run($1) },
        PM2Command(
            name: "sendSignal", operands: "<signal> <pm2_id|name>", help: "send a system signal to the target process"
        ) { try PM2Signals(face: $0).send($1[0], to: $1[1]) },
        PM2Command(name: "ping", help: "ping pm2 daemon - if not up it will launch it") { face, _ in
            try PM2Daemon(face: face).ping()
        },
        PM2Command(name: "updatePM2", help: "update in-memory PM2 with local PM2") { face, _ in
            try PM2Daemon(face: face).update()
        },
        PM2Command(name: "update", help: "(alias) update in-memory PM2 with local PM2") { face, _ in
            try PM2Daemon(face: face).update()
        },
        PM2Command(
            name: "install", aliases: ["module:install"], operands: "[module|git:/]",
            help: "install or update a module and run it forever"
        ) { try PM2Modules(face: $0).install($1) },
        PM2Command(
            name: "uninstall", aliases: ["module:uninstall"], operands: "<module>", help: "stop and uninstall a module"
        ) {
            try PM2Modules(face: $0).uninstall($1[0])
        },
        PM2Command(name: "set", operands: "[key] [value]", help: "sets the specified config <key> <value>") {
            try PM2Settings(face: $0).set($1)
        },
        PM2Command(
            name: "multiset", operands: "<value>", help: "multiset eg \"key1 val1 key2 val2\""
        ) { try PM2Settings(face: $0).setMany($1[0]) },
        PM2Command(name: "get", operands: "[key]", help: "get value for <key>") {
            try PM2Settings(face: $0).get($1.first)
        },
        PM2Command(name: "conf", operands: "[key] [value]", help: "get / set module config values") { face, _ in
            try PM2Settings(face: face).get(nil)
        },
        PM2Command(name: "config", operands: "<key> [value]", help: "get / set module config values") { face, words in
            if words.count > 1 {
                try PM2Settings(face: face).set(words)
            } else {
                try PM2Settings(face: face).get(words[0])
            }
        },
        PM2Command(name: "unset", operands: "<key>", help: "clears the specified config <key>") {
            try PM2Settings(face: $0).unset($1[0])
        },
        PM2Command(name: "report", help: "give a full pm2 report for https://github.com/Unitech/pm2/issues") {
            face, _ in
            try PM2Daemon(face: face).report()
        },
        PM2Command(name: "env", operands: "<id>", help: "list all environment variables of a process id") {
            try PM2Lists(face: $0).environment($1[0])
        },
        PM2Command(name: "monit", aliases: ["dashboard", "dash", "imonit"], help: "launch termcaps monitoring") {
            face, _ in
            try PM2Lists(face: face).refreshing()
        },
        PM2Command(
            name: "describe", aliases: ["desc", "info", "show"], operands: "<name|id>",
            help: "describe all parameters of a process"
        ) { try PM2Lists(face: $0).describe($1[0]) },
        PM2Command(name: "list", aliases: ["ls", "l", "ps", "status"], help: "list all processes") { face, _ in
            if face.options.has("watch") {
                try PM2Lists(face: face).refreshing()
            } else {
                try PM2Lists(face: face).table()
            }
        },
        PM2Command(name: "jlist", help: "list all processes in JSON format") { face, words in
            try PM2Lists(face: face).json()
        },
        PM2Command(name: "prettylist", help: "print json in a prettified JSON") { face, words in
            try face.refuseOperands(words)
            try PM2Lists(face: face).pretty()
        },
        PM2Command(
            name: "sendLine", aliases: ["send"], operands: "<pm_id> <line>", help: "send stdin to <pm_id>"
        ) { try PM2Signals(face: $0).line($1[0], $1[1]) },
        PM2Command(name: "flush", operands: "[api]", help: "flush logs") { try PM2LogFiles(face: $0).flush($1.first) },
        PM2Command(name: "reloadLogs", help: "reload all logs") { face, _ in try PM2LogFiles(face: face).reload() },
        PM2Command(
            name: "logs", aliases: ["log"], operands: "[id|name|namespace]",
            help: "stream logs file. Default stream all logs"
        ) {
            try PM2LogFiles(face: $0).stream($1.first)
        },
        PM2Command(name: "kill", help: "kill daemon") { face, words in
            try face.refuseOperands(words)
            try PM2Daemon(face: face).kill()
        },
        PM2Command(name: "save", aliases: ["dump"], help: "dump all processes for resurrecting them later") {
            face, words in
            try face.refuseOperands(words)
            try PM2Keep(face: face).save()
        },
        PM2Command(name: "cleardump", help: "Create empty dump file") { face, words in
            try face.refuseOperands(words)
            try PM2Keep(face: face).clear()
        },
        PM2Command(name: "resurrect", help: "resurrect previously dumped processes") { face, words in
            try face.refuseOperands(words)
            try PM2Keep(face: face).resurrect()
        },
        PM2Command(name: "reset", operands: "<name|id|all>", help: "reset counters for process") {
            try PM2Signals(face: $0).reset($1[0])
        },
        PM2Command(name: "startup", operands: "[platform]", help: "enable the pm2 startup hook") { face, words in
            try PM2Startup(face: face).enable(words.first)
        },
        PM2Command(name: "unstartup", operands: "[platform]", help: "disable the pm2 startup hook") { face, words in
            try PM2Startup(face: face).disable(words.first)
        },
        PM2Command(
            name: "ecosystem", aliases: ["init"], operands: "[mode]",
            help: "generate a process conf file. (mode = null or simple)"
        ) { try PM2Template(face: $0).write(isSimple: $1.first == "simple") },
        PM2Command(
            name: "serve", aliases: ["expose"], operands: "[path] [port]", help: "serve a directory over http via port"
        ) { try PM2Serve(face: $0).run($1) },
        PM2Command(name: "logrotate", help: "copy default logrotate configuration") { face, _ in
            try PM2LogFiles(face: face).writeRotation()
        },
        PM2Command(name: "examples", help: "display pm2 usage examples") { face, _ in PM2Help.examples(face.console) },
    ]

    /// Known words that do nothing here but say so.
    private static let absent: [PM2Command] = PM2Absent.rare.map { name in
        PM2Command(name: name, help: "not in this version of Hearth") { face, _ in try PM2Absent.say(name, face) }
    }
}

extension PM2Session {
    /// Commands that take none say so and show the help.
    func refuseOperands(_ words: [String]) throws {
        guard let word = words.first else { return }
        console.say("\nUnknown command argument: \(word)")
        PM2Help.write(console)
        throw PM2Exit.failed
    }
}
