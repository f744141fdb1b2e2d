import Control
import Model

/// The list as `start` needs it.
enum ExistingApps {
    /// From the daemon, or from the files when there is none yet.
    static func read(_ session: Session) throws -> [StartPlan.Existing] {
        do {
            let list = try session.read(.list, SelectorParameters(selectors: []), as: ListReply.self).instances
            return list.map {
                StartPlan.Existing(
                    id: $0.id, name: $0.name, namespace: $0.namespace, command: $0.command,
                    isRunning: isActive($0.status), isScheduled: $0.status == .scheduled)
            }
        } catch ClientError.noDaemon {
            let home = OfflineHome(paths: session.paths, absence: .noDaemon)
            return home.desired.map {
                StartPlan.Existing(
                    id: $0.id, name: $0.spec.name, namespace: $0.spec.namespace, command: $0.spec.command,
                    isRunning: home.process(of: $0.id) != nil)
            }
        }
    }

    /// An app that waits for its start is not to be started a second time.
    private static func isActive(_ status: Status) -> Bool {
        status.isRunning || [.waitingRestart, .waiting, .scheduled].contains(status)
    }
}
