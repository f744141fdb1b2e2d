import Records

/// Is somebody there who starts the daemon again?
enum KeeperLayer {
    static func judge(_ scene: Scene) -> [Finding] {
        let daemon = scene.daemon
        var findings: [Finding] = []
        for keeper in daemon.keepers where keeper.isStopped {
            findings.append(
                Finding(
                    .keeperStopped, "the keeper is stopped (SIGSTOP): it would not replace a daemon that dies",
                    ["pid \(keeper.pid), state \(keeper.state), for \(keeper.age)"], fix: "kill -CONT \(keeper.pid)",
                    repair: .resumeKeeper(keeper.identity)))
        }
        if case .hello(_, let pid, nil, _, let uptimeMs) = daemon.answer, uptimeMs > 1000 {
            findings.append(
                Finding(
                    .keeperMissing, "no keeper watches the daemon: if it dies, nobody starts another",
                    ["daemon \(pid)", "it starts a keeper itself, with growing delays: see its log"],
                    fix: scene.fix("daemon detach") + " && " + scene.fix("up"), repair: .startKeeper))
        } else if let process = daemon.process, !daemon.answers, daemon.keepers.isEmpty {
            findings.append(
                Finding(
                    .keeperMissing, "no keeper watches the daemon, which does not answer: nobody replaces it",
                    ["daemon \(process.pid)"], fix: "kill -KILL \(process.pid) && " + scene.fix("up")))
        }
        if let keeper = daemon.keepers.first, !keeper.isStopped, daemon.process == nil,
            [.nobody, .silence].contains(daemon.answer)
        {
            findings.append(
                Finding(
                    .keeperAlone, "a keeper runs without a daemon: the daemon ends as soon as it is started",
                    ["keeper \(keeper.pid), for \(keeper.age)", "log '\(scene.paths.daemonLog)'"],
                    fix: scene.fix("logs hearthd --nostream")))
        }
        return findings
    }
}
