import Control
import Glibc
import Model
import Platform
import Records

/// What the wall clock says, and what was written down with it.
struct ClockEvidence: Sendable {
    /// Milliseconds since 1970.
    var now: Int64
    /// Times that lie in the past, and what they are of.
    var stamps: [(what: String, at: Int64)]
    /// By how much the clock was moved since an app was started for the first time, forward: milliseconds.
    var jumps: [(what: String, by: Int64)]

    static func collect(_ scene: Scene) -> ClockEvidence {
        let paths = scene.paths
        var stamps: [(what: String, at: Int64)] = []
        for path in [paths.desiredState, paths.daemonLog, paths.pidFile, paths.pm2Dump] {
            var status = stat()
            if stat(path, &status) == 0 { stamps.append(("'\(path)'", Int64(status.st_mtim.tv_sec) * 1000)) }
        }
        var jumps: [(what: String, by: Int64)] = []
        for app in scene.apps {
            stamps.append(("\(app.label) in the list", app.desired.createdAt))
            // What was started as soon as it was entered has two clocks in its records.
            if app.view.generation == Generation(1), app.view.reasonKind == Reason.Kind.started.rawValue,
                let started = app.view.startedAt
            {
                jumps.append((app.label, started - app.desired.createdAt))
            }
        }
        return ClockEvidence(now: SystemClock.wallClock(), stamps: stamps, jumps: jumps)
    }
}

/// Can the time be believed?
enum ClockLayer {
    /// 2025-01-01: older than this program.
    private static let oldest: Int64 = 1_735_689_600_000
    /// Less is a slow disk, or a clock that is set a little.
    private static let tolerance: Int64 = 120_000

    static func judge(_ evidence: ClockEvidence) -> [Finding] {
        let sync = "timedatectl"
        if evidence.now < oldest {
            return [
                Finding(
                    .clockUnset, "the clock is not set: schedules run at wrong times, certificates are refused",
                    ["it is \(Quantities.timestamp(milliseconds: evidence.now))"], fix: sync)
            ]
        }
        var findings: [Finding] = []
        let future = evidence.stamps.filter { $0.at > evidence.now + tolerance }
        if let last = future.max(by: { $0.at < $1.at }) {
            findings.append(
                Finding(
                    .clockWentBack,
                    "the clock was set back by at least \(Quantities.duration(milliseconds: last.at - evidence.now))",
                    [
                        "it is \(Quantities.timestamp(milliseconds: evidence.now))",
                        "\(last.what) is of \(Quantities.timestamp(milliseconds: last.at))",
                    ], fix: sync))
        } else if let jump = evidence.jumps.max(by: { $0.by < $1.by }), jump.by > tolerance {
            findings.append(
                Finding(
                    .clockJumped,
                    "the clock was set forward by \(Quantities.duration(milliseconds: jump.by)); delays are not measured by it",
                    ["\(jump.what) was started that much after it was entered"]))
        }
        return findings
    }
}
