extension PM2Options {
    private static func value(
        _ long: String, _ short: Character? = nil, _ placeholder: String, _ help: String, only: Set<String>? = nil
    ) -> Option {
        Option(long: long, short: short, value: .required, placeholder: placeholder, help: help, commands: only)
    }

    private static func flag(
        _ long: String, _ short: Character? = nil, _ help: String, only: Set<String>? = nil
    ) -> Option {
        Option(long: long, short: short, value: .none, help: help, commands: only)
    }

    private static func either(
        _ long: String, _ short: Character? = nil, _ placeholder: String, _ help: String, only: Set<String>? = nil
    ) -> Option {
        Option(long: long, short: short, value: .optional, placeholder: placeholder, help: help, commands: only)
    }

    private static let logs: Set<String> = ["logs", "log"]
    private static let serve: Set<String> = ["serve", "expose"]
    private static let lists: Set<String> = ["list", "ls"]
    private static let runtime: Set<String> = [PM2Runtime.name]
    private static let hosts: Set<String> = ["slist", "sysinfos"]

    /// In the order of the help.
    static let table: [Option] = [
        flag("version", "v", "print pm2 version"),
        flag("help", "h", "print this help"),
        flag("silent", "s", "hide all messages"),
        value("name", "n", "<name>", "set a name for the process"),
        flag("mini-list", "m", "display a compacted list without formatting"),
        value("interpreter", nil, "<interpreter>", "set a specific interpreter to use for executing app"),
        value("interpreter-args", nil, "<arguments>", "set arguments to pass to the interpreter"),
        value("node-args", nil, "<node_args>", "space delimited arguments to pass to node"),
        value("output", "o", "<path>", "specify log file for stdout"),
        value("error", "e", "<path>", "specify log file for stderr"),
        either("log", "l", "[path]", "specify log file which gathers both stdout and stderr"),
        value("log-type", nil, "<type>", "specify log output style (raw by default, json optional)"),
        value("log-date-format", nil, "<date format>", "add custom prefix timestamp to logs"),
        flag("time", nil, "enable time logging"),
        flag("disable-logs", nil, "disable all logs storage"),
        value("env", nil, "<environment_name>", "specify which set of environment variables to inject"),
        flag("update-env", "a", "force an update of the environment with restart/reload"),
        flag("force", "f", "force actions"),
        value("instances", "i", "<number>", "launch [number] instances"),
        value("parallel", nil, "<number>", "number of parallel actions (for restart/reload)"),
        flag("shutdown-with-message", nil, "shutdown an application with process.send('shutdown')"),
        value("pid", "p", "<pid>", "specify pid file"),
        value("kill-timeout", "k", "<delay>", "delay before sending final SIGKILL signal to process"),
        value("listen-timeout", nil, "<delay>", "listen timeout on application reload"),
        value("max-memory-restart", nil, "<memory>", "restart the app if an amount of memory is exceeded"),
        value("restart-delay", nil, "<delay>", "specify a delay between restarts (in ms)"),
        value("exp-backoff-restart-delay", nil, "<delay>", "specify a delay between restarts (in ms), growing"),
        flag("execute-command", "x", "execute a program using fork system"),
        value("max-restarts", nil, "<count>", "only restart the script COUNT times"),
        value("user", "u", "<username>", "define user when generating startup script"),
        value("uid", nil, "<uid>", "run target script with <uid> rights"),
        value("gid", nil, "<gid>", "run target script with <gid> rights"),
        value("namespace", nil, "<ns>", "start application within specified namespace"),
        value("cwd", nil, "<path>", "run target script from path <cwd>"),
        value("hp", nil, "<home path>", "define home path when generating startup script"),
        flag("wait-ip", nil, "override systemd script to wait for full internet connectivity"),
        value("service-name", nil, "<name>", "define service name when generating startup script"),
        value("cron", "c", "<cron_pattern>", "restart a running process based on a cron pattern"),
        value("cron-restart", nil, "<cron_pattern>", "(alias) restart a running process based on a cron pattern"),
        flag("write", "w", "write configuration in local folder"),
        flag("no-daemon", nil, "run pm2 daemon in the foreground if it doesn't exist already"),
        flag("source-map-support", nil, "force source map support"),
        flag("disable-source-map-support", nil, "force source map support"),
        value("only", nil, "<application-name>", "with json declaration, allow to only act on one application"),
        flag("wait-ready", nil, "ask pm2 to wait for ready event from your app"),
        flag("no-autostart", nil, "add an app without automatic start"),
        flag("no-autorestart", nil, "start an app without automatic restart"),
        value(
            "stop-exit-codes", nil, "<exit_codes>", "specify a list of exit codes that should skip automatic restart"),
        either("watch", nil, "[paths]", "watch application folder for changes"),
        value("ignore-watch", nil, "<folders|files>", "list of paths to ignore (name or regex)"),
        value("watch-delay", nil, "<delay>", "specify a restart delay after changing files"),
        value("ext", nil, "<extensions>", "watch only this file extensions"),
        flag("no-color", nil, "skip colors"),
        flag("no-vizion", nil, "start an app without vizion feature (versioning control)"),
        flag("no-treekill", nil, "Only kill the main process, not detached children"),
        flag("no-pmx", nil, "start an app without pmx"),
        flag("no-automation", nil, "start an app without pmx"),
        flag("trace", nil, "enable transaction tracing with km"),
        flag("disable-trace", nil, "disable transaction tracing with km"),
        flag("v8", nil, "enable v8 data collecting"),
        flag("event-loop-inspector", nil, "enable event-loop-inspector dump in pmx"),
        flag("deep-monitoring", nil, "enable all monitoring tools"),
        value("sort", nil, "<field_name:sort>", "sort process according to field's name"),
        flag("attach", nil, "attach logging after your start/restart/stop/reload"),
        flag("merge-logs", nil, "merge logs from different instances but keep error and out separated"),
        either("filter-env", nil, "[envs]", "filter out outgoing global values that contain provided strings"),
        // Of single commands.
        value("lines", nil, "<n>", "output the last N lines, instead of the last 15 by default", only: logs),
        flag("err", nil, "only shows error output", only: logs),
        flag("out", nil, "only shows standard output", only: logs),
        flag("raw", nil, "raw output", only: logs),
        either("timestamp", nil, "[format]", "add timestamps (default format YYYY-MM-DD-HH:mm:ss)", only: logs),
        either("highlight", nil, "[value]", "enable highlighting", only: logs),
        flag("nostream", nil, "print logs without launching the log stream", only: logs),
        flag("json", nil, "json log output", only: logs),
        flag("format", nil, "formatted log output", only: logs),
        value("port", nil, "<port>", "specify port to listen to", only: serve),
        flag("spa", nil, "always serving index.html on inexistant sub path", only: serve),
        flag("ftp", nil, "list the content of folders", only: serve),
        value("basic-auth-username", nil, "<username>", "set basic auth username", only: serve),
        value("basic-auth-password", nil, "<password>", "set basic auth password", only: serve),
        value("monitor", nil, "<frontend-app>", "frontend app monitoring", only: serve),
        flag("watch", nil, "refresh the list", only: lists),
        value("delay", nil, "<seconds>", "delay start of configuration file", only: runtime),
        either("web", nil, "[port]", "launch process web api on [port]", only: runtime),
        flag("formatted", nil, "formatted log output |id|app|log", only: runtime),
        flag("no-auto-exit", nil, "do not exit if all processes are errored/stopped or 0 apps launched", only: runtime),
        value("secret", nil, "<key>", "PM2 Plus secret key", only: runtime),
        value("public", nil, "<key>", "PM2 Plus public key", only: runtime),
        value("machine-name", nil, "<name>", "PM2 Plus machine name", only: runtime),
        flag("tree", "t", "show as tree", only: hosts),
    ]
}
