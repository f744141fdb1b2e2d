/// Names of the control interface. Its text is what `org.varlink.service.GetInterfaceDescription` answers.
package enum Interface {
    package static let name = "dev.hearth.Manager"
    /// Raised when a client of the former number could misunderstand an answer.
    package static let protocolVersion = 1
    package static let productVersion = "0.1.0"
    package static let url = "https://hearth.dev"

    package enum Method: String, CaseIterable, Sendable {
        case hello = "Hello"
        case list = "List"
        case show = "Show"
        case why = "Why"
        case start = "Start"
        case act = "Act"
        case configure = "Configure"
        case inventory = "Inventory"
        case signal = "Signal"
        case trigger = "Trigger"
        case send = "Send"
        case scale = "Scale"
        case environment = "Environment"
        case save = "Save"
        case snapshots = "Snapshots"
        case compare = "Compare"
        case undo = "Undo"
        case resurrect = "Resurrect"
        case events = "Events"
        case kill = "Kill"
        case detach = "Detach"
        case upgrade = "Upgrade"

        package var qualifiedName: String { "\(Interface.name).\(rawValue)" }
    }

    /// The interface in Varlink's definition language.
    package static let description = """
        # Hearth, a process manager: the control interface of hearthd.
        interface dev.hearth.Manager

        # How a process ended. One of code and signal is set, or neither when nobody could know.
        # cause: ours, exit, signal, oom, outside or unknown. at: milliseconds since 1970.
        type Exit (
          code: ?int, signal: ?string, coreDumped: bool, cause: string, at: int, uptimeMs: int, pid: int,
          detail: ?string
        )

        # A listening socket of an instance's process tree.
        type Port (protocol: string, address: string, port: int, pid: int, command: string)

        # One instance. status: launching, online, stopping, stopped, errored, waiting (for what it depends on), "waiting
        # restart" or scheduled (a job between two runs; nextStartAt is the next).
        # statusText: what the app says of itself (STATUS= of sd_notify).
        type Instance (
          id: int, name: string, namespace: string, number: int, generation: int, pid: ?int, status: string,
          wanted: string, reason: string, reasonKind: string, restarts: int, unstableRestarts: int, uptimeMs: int,
          startedAt: ?int, createdAt: int, cpuPercent: ?float, memoryBytes: int, ports: []Port, cwd: string,
          command: string, outLog: ?string, errorLog: ?string, nextStartAt: ?int, lastExit: ?Exit,
          statusText: ?string
        )

        # What `show` adds. Sizes in bytes; null where /proc is not readable.
        type Detail (
          instance: Instance, script: string, interpreter: ?string, interpreterArguments: []string,
          arguments: []string, user: ?string, memoryPeakBytes: ?int, cpuSeconds: ?float, tasks: ?int, fds: ?int,
          processes: []int, restart: RestartPolicy, stop: StopPolicy, autostart: bool, report: ?Report, job: ?Job
        )

        type RestartPolicy (
          mode: string, maxRestarts: int, minUptime: int, restartDelay: ?int, exponentialBackoff: ?int,
          stopExitCodes: []int, slowRetry: bool
        )
        type StopPolicy (signal: string, killTimeout: int, wholeTree: bool, withMessage: ?bool)
        # timeout: after how long it counts as online anyway; null: 3000. notify: it says READY=1 (sd_notify).
        type ReadinessPolicy (waitReady: bool, timeout: ?int, notify: ?bool)
        # A socket that Hearth holds for the app. address: "8080", "127.0.0.1:8080", "[::1]:8080" or "unix:/run/x.sock";
        # backlog: null for 511; mode: permissions of a unix socket's file, null for 0660.
        type ListenSpec (name: string, address: string, backlog: ?int, reusePort: ?bool, mode: ?int)
        type OutputPolicy (outFile: ?string, errorFile: ?string, merge: bool)

        # Everything that is needed to run an app. Paths are absolute, times in milliseconds.
        type AppSpec (
          name: string, namespace: string, script: string, arguments: []string, interpreter: ?string,
          interpreterArguments: []string, cwd: string, environment: [string]string, instances: int, autostart: bool,
          restart: RestartPolicy, stop: StopPolicy, output: OutputPolicy, stdin: string, uid: ?string, gid: ?string,
          expectedPort: ?int, memoryLimit: ?int, schedule: ?RestartSchedule, watch: ?WatchPolicy,
          environmentFiles: ?[]string, environmentFilter: ?EnvironmentFilter, instanceVariable: ?string,
          incrementVariable: ?string, pidFile: ?string, mode: ?string,
          readiness: ?ReadinessPolicy, listen: ?[]ListenSpec, watchdog: ?int, drain: ?DrainPolicy,
          reload: ?ReloadPolicy, memoryMax: ?int, job: ?JobPolicy, dependsOn: ?[]string,
          source: ?string, kept: ?[string]string
        )
        # When a job runs: pattern (cron, as in RestartSchedule, or @reboot), every (ms from start to start), or neither:
        # once. overlap: skip (null) or replace. catchUp: one run is made up when some were missed. history: runs to remember.
        type JobPolicy (
          pattern: ?string, every: ?int, overlap: ?string, catchUp: ?bool, timeout: ?int, jitter: ?int, history: ?int
        )
        # One run of a job. endedAt: null while it goes on. exit: null also when nobody could see its end; note says more.
        type Run (startedAt: int, endedAt: ?int, pid: ?int, exit: ?Exit, note: ?string, by: string)
        # nextAt: null when it is paused or runs at no time of day. skipped: times at which the run before went on.
        # schedule: "0 3 * * *", "every 15m" or "once".
        type Job (
          schedule: string, overlap: string, catchUp: bool, timeout: ?int, nextAt: ?int, isPaused: bool, skipped: int,
          runs: []Run
        )
        # How a worker of Node's cluster gives up its connections; grace: milliseconds.
        type DrainPolicy (isOn: bool, grace: ?int)
        type ReloadPolicy (overlaps: bool, parallel: ?int)
        # pattern: five cron fields, or six with seconds in front; local time.
        type RestartSchedule (pattern: string, startsStopped: bool)
        # Absolute paths; ignore: glob patterns, null for dot files and node_modules.
        type WatchPolicy (paths: []string, ignore: ?[]string, delay: int, extensions: ?[]string)
        # What of the caller's environment the app does not get.
        type EnvironmentFilter (everything: bool, names: []string, fragments: []string)

        # An entry of the list with all that is known of it. environment: key of the reply's environments.
        type Entry (instance: Instance, spec: AppSpec, environment: ?string, uniqueId: ?string, user: string,
          report: ?Report
        )
        # A new specification for an entry; environment: a new caller's environment, null to keep the stored one.
        type Change (id: int, spec: AppSpec, environment: ?[string]string)

        # A process that holds a port which an app wants.
        type PortHolder (
          port: int, address: string, pid: ?int, user: string, command: string, ageSeconds: ?int, ours: ?string
        )

        # The answer to "why is it in this state". next: what happens without anybody doing anything.
        type Explanation (
          instance: Instance, cause: string, summary: string, advice: []string, lastErrorLines: []string,
          nextStartAt: ?int, portHolders: []PortHolder
        )

        # What an app tells of itself on its channel. value: number, text or true and false.
        type Metric (name: string, value: object, unit: ?string, type: ?string, historic: ?bool)
        # options: JSON text.
        type AppAction (name: string, type: ?string, arity: ?int, options: ?string)
        # options: a JSON object as text.
        type Report (metrics: []Metric, actions: []AppAction, options: ?string, nodeVersion: ?string)
        # value: what the action returned, as JSON text.
        type Answer (id: int, name: string, namespace: string, value: string)

        type Variable (name: string, value: string, origin: string)
        type Result (id: ?int, name: string, ok: bool, message: string)
        type Snapshot (name: string, at: int, apps: int, instances: int, kind: string)
        type Difference (name: string, change: string, details: []string)
        # kind: online, exit, start, stop, restart, reload, delete, errored, waiting, adopted, daemon, port-conflict,
        # saved, cron, job, memory, watch, channel, notify. With a colon: what an app said, for listeners only (process:msg, axm:reply,
        # process:exception, human:event, …; message: JSON, cut when it is long).
        type Event (at: int, kind: string, id: ?int, name: ?string, pid: ?int, message: string)

        method Hello() -> (
          version: string, protocol: int, pid: int, keeperPid: ?int, home: string, ready: bool, uptimeMs: int,
          unit: ?string
        )
        # selectors: ids, names, namespaces, "all", /regular expressions/ or "id:3" (an id, never a name); none means all.
        method List(selectors: []string) -> (instances: []Instance, notes: []string)
        method Show(selectors: []string) -> (details: []Detail)
        method Why(selectors: []string) -> (explanations: []Explanation)

        # Registers and starts apps, all or none. environment: the caller's, beneath each app's own.
        # token: any unique text; a call repeated with it is done once. origin: the command line, for reasons.
        # restores: they ran before and come back; what is missing (a user, a disk) is their state, and they are tried again.
        method Start(
          apps: []AppSpec, environment: [string]string, token: ?string, origin: ?string, restores: ?bool
        ) -> (instances: []Instance, durable: bool, notDurableReason: ?string)

        # action: start, stop, restart, reload, delete, reset or flush. environment: merged over the stored one (restart,
        # reload, start). parallel: how many instances of an app reload replaces at the same time.
        # start and restart run a job when it is named by its name or id and sparesJobs is not true; otherwise start lets a
        # paused schedule go on, and nothing else happens to jobs.
        method Act(
          action: string, selectors: []string, environment: ?[string]string, token: ?string, origin: ?string,
          parallel: ?int, sparesJobs: ?bool
        ) -> (results: []Result, instances: []Instance, durable: bool, notDurableReason: ?string)
        # Gives entries new specifications, all or none. then: what follows for each, "restart" (start what is stopped),
        # "reload" (the new process takes over when it can serve; else the specification is taken back unless keep),
        # "nothing" (the specification counts from the next start on).
        method Configure(
          changes: []Change, then: string, token: ?string, origin: ?string, parallel: ?int, keep: ?bool
        ) -> (
          results: []Result, instances: []Instance, durable: bool, notDurableReason: ?string
        )
        # The list with specifications and environments: secrets are in it.
        method Inventory(selectors: []string) -> (
          entries: []Entry, environments: [string][string]string, notes: []string
        )
        method Signal(signal: string, selectors: []string, origin: ?string) -> (results: []Result)
        # With `more`: a stream. First who has received the action; then what each answers, or that it does not.
        # parameters: a text for the action; timeout: how long answers are waited for, null for ever.
        method Trigger(selectors: []string, action: string, parameters: ?string, timeout: ?int, origin: ?string) -> (
          results: []Result, answer: ?Answer
        )
        # Exactly one of line (for standard input, without its newline) and message (for the channel, JSON text).
        method Send(selectors: []string, line: ?string, message: ?string, origin: ?string) -> (results: []Result)
        # count: absolute number of instances of the app; change: relative. Exactly one of them.
        method Scale(name: string, count: ?int, change: ?int, origin: ?string) -> (
          instances: []Instance, durable: bool, notDurableReason: ?string
        )
        method Environment(selectors: []string) -> (id: int, name: string, variables: []Variable)

        method Save(name: ?string, force: bool, origin: ?string) -> (snapshot: Snapshot)
        method Snapshots() -> (snapshots: []Snapshot)
        # Differences from snapshot `from` to snapshot `to`; without `to`: to the present list.
        method Compare(from: string, to: ?string) -> (differences: []Difference)
        # Goes back to the list as it was before the last change (or to a named snapshot).
        method Undo(name: ?string, origin: ?string) -> (
          differences: []Difference, instances: []Instance, durable: bool, notDurableReason: ?string
        )
        # Starts what `kill` ended and what snapshot `name` (default: the last) has and the list has not.
        # killedOnly: only the former.
        method Resurrect(name: ?string, origin: ?string, killedOnly: ?bool) -> (
          instances: []Instance, notes: []string, durable: bool, notDurableReason: ?string
        )

        # With `more`: a stream. replay: so many of the last events first.
        method Events(replay: ?int, selectors: []string) -> (event: Event)

        # Stops every app and the daemon.
        method Kill(origin: ?string) -> (stopped: int)
        # Ends daemon and keeper, leaves the apps running.
        method Detach(origin: ?string) -> (running: int)
        # Re-executes hearthd (of `path`, default: its own file) in place.
        method Upgrade(path: ?string, origin: ?string) -> (version: string, pid: int)

        # what: the value; hint: what to do.
        error NotFound (message: string, hint: ?string)
        error BadRequest (message: string, hint: ?string)
        error NotPermitted (message: string, hint: ?string)
        error Failed (message: string, hint: ?string)
        error TimedOut (message: string, hint: ?string)
        error Refused (message: string, hint: ?string)
        """
}
