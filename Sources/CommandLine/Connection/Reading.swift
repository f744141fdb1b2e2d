import Control
import Records

/// Commands that only look: they ask the daemon, and when there is none, or it hangs, the files.
enum Reading {
    /// - Returns: what `online` gives, or what `offline` gives and why it had to.
    static func run<Value>(
        _ session: Session, online: () throws -> Value, offline: (OfflineHome) throws -> Value
    ) throws -> (value: Value, absence: OfflineHome.Absence?) {
        let absence: OfflineHome.Absence
        do {
            return (try online(), nil)
        } catch ClientError.noDaemon {
            absence = .noDaemon
        } catch ClientError.connectionLost {
            absence = .noDaemon
        } catch ClientError.notAnswering {
            absence = .hung(pid: OfflineHome.recordedDaemon(session.paths))
        }
        let home = OfflineHome(paths: session.paths, absence: absence)
        home.announce()
        return (try offline(home), absence)
    }

    /// Ends a command that answered from the files with the code that says so.
    static func finish(_ absence: OfflineHome.Absence?) throws {
        if let absence { throw Failure(absence.exit, lines: []) }
    }
}
