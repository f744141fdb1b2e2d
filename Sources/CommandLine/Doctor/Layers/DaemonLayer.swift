import Control
import Model
import Platform
import Records

/// Is there a daemon, does it answer, and is it the one that it should be?
enum DaemonLayer {
    static func judge(_ scene: Scene, version: String = Interface.productVersion) -> [Finding] {
        files(scene)
            + (switchOnAnswer(scene, version))
            + replaced(scene)
    }

    private static func switchOnAnswer(_ scene: Scene, _ version: String) -> [Finding] {
        switch scene.daemon.answer {
        case .hello(let running, let pid, _, let ready, let uptimeMs):
            var findings: [Finding] = []
            if running != version {
                findings.append(
                    Finding(
                        .daemonOtherVersion, "the daemon is hearthd \(running), this is hearth \(version)",
                        ["pid \(pid)"], fix: scene.fix("upgrade"), severity: .warning))
            }
            // Adoption takes some hundred milliseconds, with a thousand apps a few seconds.
            if !ready, uptimeMs > 15_000 {
                findings.append(
                    Finding(
                        .daemonNotReady,
                        "the daemon has been taking over what runs for \(Quantities.duration(milliseconds: uptimeMs))",
                        ["pid \(pid)"], fix: scene.fix("logs hearthd --nostream")))
            }
            return findings + killed(scene)
        case .incompatible(let why):
            return [Finding(.daemonOtherVersion, why, describe(scene.daemon.process), fix: scene.fix("upgrade"))]
        case .notPermitted(let why):
            return [
                Finding(.socketForeign, "the control socket is not ours to use: \(why)", describe(scene.daemon.process))
            ]
        case .silence:
            // The keeper has the socket: who connects waits in its backlog for the next daemon.
            let waits = scene.daemon.process == nil && !scene.daemon.keepers.isEmpty
            return waits ? missing(scene) : [silent(scene)]
        case .nobody: return missing(scene)
        }
    }

    // MARK: - It does not answer

    private static func silent(_ scene: Scene) -> Finding {
        guard let daemon = scene.daemon.process else {
            return Finding(
                .daemonSilent, "somebody listens on '\(scene.paths.controlSocket)' and does not answer",
                ["no hearthd of this home is to be seen"])
        }
        var evidence = ["pid \(daemon.pid), state \(daemon.state), for \(daemon.age)"]
        if let cpu = daemon.cpuPercent { evidence[0] += ", \(Int(min(cpu, 1e6).rounded())) % of a core" }
        if let place = daemon.waitsIn { evidence.append("it waits in the kernel, in \(place)") }
        let keeper = scene.daemon.keepers.first { !$0.isStopped }
        evidence.append(
            keeper.map { "keeper \($0.pid) replaces a daemon that says nothing for some 15 s; apps go on" }
                ?? "no keeper is there to replace it")
        let fix = "kill -KILL \(daemon.pid)" + (keeper == nil ? " && " + scene.fix("up") : "")
        let repair = Repair.replaceDaemon(daemon.identity)
        if daemon.isStopped {
            return Finding(
                .daemonStopped, "the daemon is stopped (SIGSTOP): it answers nobody and restarts nothing", evidence,
                fix: fix, repair: repair)
        }
        if daemon.state == "D" {
            return Finding(
                .daemonStuck,
                "the daemon is stuck in the kernel: almost always a disk that does not answer, SIGKILL does not help",
                evidence + ["home '\(scene.paths.home)'"])
        }
        if daemon.state == "R" || daemon.cpuPercent ?? 0 > 50 {
            return Finding(
                .daemonSpinning, "the daemon runs in circles: it uses the processor and answers nobody", evidence,
                fix: fix, repair: repair)
        }
        return Finding(.daemonSilent, "the daemon does not answer", evidence, fix: fix, repair: repair)
    }

    private static func missing(_ scene: Scene) -> [Finding] {
        if let daemon = scene.daemon.process {
            if daemon.isStopped {
                return [silent(scene)]
            }
            return [
                Finding(
                    .socketMissing, "the daemon runs, and nobody reaches it: its socket is gone",
                    ["pid \(daemon.pid), for \(daemon.age)", "'\(scene.paths.controlSocket)'"],
                    fix: "kill -KILL \(daemon.pid)", repair: .replaceDaemon(daemon.identity))
            ]
        }
        guard scene.owner != nil else { return [] }
        let running = scene.apps.filter(\.isRunning)
        let wanted = scene.apps.filter(\.isWanted)
        if !killed(scene).isEmpty { return killed(scene) }
        var evidence = ["nobody answers on '\(scene.paths.controlSocket)'"]
        if !running.isEmpty {
            evidence.append(
                "\(Reporting.count(running.count, "app")) unwatched: "
                    + running.prefix(5).map { "\($0.spec.name) (pid \($0.view.pid ?? $0.members.min() ?? 0))" }
                    .joined(separator: ", ") + (running.count > 5 ? ", …" : ""))
        }
        if !scene.apps.isEmpty { evidence.append("\(wanted.count) of \(scene.apps.count) in the list should run") }
        return [
            Finding(
                .daemonMissing,
                running.isEmpty
                    ? "no daemon is running" : "no daemon is running: what runs goes on, and nobody restarts it",
                evidence, fix: scene.fix("up"), repair: scene.daemon.keepers.isEmpty ? .startKeeper : nil,
                severity: scene.apps.isEmpty ? .note : .error)
        ]
    }

    private static func killed(_ scene: Scene) -> [Finding] {
        guard let killed = scene.list.state?.killed, scene.list.state?.boot == scene.machine.boot,
            scene.apps.contains(where: \.isWanted)
        else { return [] }
        return [
            Finding(
                .daemonKilled, "everything was stopped on purpose, and waits for 'resurrect' or the next boot",
                ["by \(killed.by), \(Quantities.timestamp(milliseconds: killed.at))"], fix: scene.fix("resurrect"))
        ]
    }

    // MARK: - Files and programs

    private static func replaced(_ scene: Scene) -> [Finding] {
        guard let daemon = scene.daemon.process, daemon.isReplaced else { return [] }
        return [
            Finding(
                .daemonReplaced, "the daemon's program was replaced since it started: the new one does not run yet",
                ["pid \(daemon.pid), for \(daemon.age)"], fix: scene.fix("upgrade"))
        ]
    }

    private static func files(_ scene: Scene) -> [Finding] {
        let daemon = scene.daemon
        var findings: [Finding] = []
        if let holder = daemon.foreignHolder {
            findings.append(
                Finding(
                    .lockForeign, "something that is no hearthd holds the lock of the home: no daemon can start",
                    [holder.sentence, "lock on '\(scene.paths.base)'"], fix: "kill \(holder.pid)"))
        }
        if daemon.process == nil, daemon.answer == .nobody, daemon.hasSocketFile {
            findings.append(
                Finding(
                    .socketStale, "the socket was left behind by a daemon that is gone; the next one replaces it",
                    ["'\(scene.paths.controlSocket)'"], fix: scene.fix("up")))
        }
        if let recorded = daemon.pidFile, recorded != daemon.process?.pid {
            let holder = daemon.pidFileHolder.map { "that number has \($0.sentence)" } ?? "nobody has that number"
            findings.append(
                Finding(
                    .pidFileStale, "the pid file names \(recorded), which is not the daemon; Hearth never believes it",
                    ["'\(scene.paths.pidFile)'", holder], fix: scene.fix("up")))
        }
        return findings
    }

    private static func describe(_ process: ObservedProcess?) -> [String] { process.map { [$0.sentence] } ?? [] }
}
