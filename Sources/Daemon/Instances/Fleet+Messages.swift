import Model
import NodeBridge
import Supervision

extension Fleet {
    /// What apps say on their channels.
    func hearMessages() {
        channels.onMessage = { [unowned self] key, message in self.hear(message, from: key) }
        channels.onMisuse = { [unowned self] id, message in self.tell("channel", id, message) }
        reports.onEvent = { [unowned self] id, kind, text in
            let member = self[id]
            self.services.journal.pass(
                kind, id: id, name: member?.desired.spec.name, pid: member?.machine.process?.pid, text)
        }
    }

    private func hear(_ message: NodeMessage, from key: ProcessKey) {
        let (id, generation) = (key.id, key.generation)
        switch message {
        case .ready:
            send(.ready(generation, .message), to: id)
            reports.received(id, generation, other: "\"ready\"")
        case .nodeVersion(let version): reports.received(id, generation, nodeVersion: version)
        case .packet(let type, let data): reports.received(id, generation, type: type, data: data)
        case .other(let text): reports.received(id, generation, other: text)
        // Node's own, and between a worker and its primary.
        case .cluster, .handle, .handleAcknowledged, .handleRefused, .internal: break
        }
    }
}
