import Model
import Supervision

extension Fleet {
    /// What apps say on their notification sockets becomes events of their machines.
    func hearNotifications() {
        notifications.isReadyAwaited = { [unowned self] id, generation in self.isReadyAwaited(id, generation) }
        notifications.onReady = { [unowned self] id, generation in self.send(.ready(generation, .notified), to: id) }
        notifications.onWatchdogMissed = { [unowned self] id, generation, story in
            self.send(.watchdogMissed(generation, detail: story), to: id)
        }
        notifications.onMisuse = { [unowned self] id, message in self.tell("notify", id, message) }
        notifications.onWord = { [unowned self] id, message in self.tell("notify", id, message) }
        notifications.onStore = { [unowned self] id, descriptors, name in
            let refused = self.stored.store(id, descriptors, name: name)
            guard refused > 0 else { return }
            self.tell("notify", id, "\(refused) descriptors were not stored: \(StoredDescriptors.most) is the most")
        }
        notifications.onRemove = { [unowned self] id, name in self.stored.remove(id, name: name) }
    }

    /// Whether it is still waited for the app to say that it is ready.
    func isReadyAwaited(_ id: InstanceID, _ generation: Generation) -> Bool {
        guard let machine = self[id]?.machine else { return false }
        return machine.awaits(generation)
    }

    /// An event about what an app says or sends.
    func tell(_ kind: String, _ id: InstanceID, _ message: String) {
        let member = self[id]
        services.journal.add(
            kind, id: id, name: member?.desired.spec.name, pid: member?.machine.process?.pid, message)
    }
}
