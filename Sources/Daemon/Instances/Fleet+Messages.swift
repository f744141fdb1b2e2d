import Model
import PM2Format
import Supervision

extension Fleet {
    /// What apps tell of themselves on their channels.
    func hearMessages() {
        channels.onLine = { [unowned self] key, line in
            guard line.count < 1 << 20, let value = try? OrderedJSON.parse(Array(line)) else { return }
            let (id, generation) = (key.id, key.generation)
            let object = value.object
            if object?["cmd"]?.text?.hasPrefix("NODE_") == true { return }
            if let type = object?["type"]?.text, let data = object?["data"] {
                self.reports.received(id, generation, type: type, data: data.compactText)
            } else if let version = object?["node_version"]?.text {
                self.reports.received(id, generation, nodeVersion: version)
            } else {
                self.reports.received(id, generation, other: value.compactText)
            }
        }
        reports.onEvent = { [unowned self] id, kind, text in
            let member = self[id]
            self.services.journal.pass(
                kind, id: id, name: member?.desired.spec.name, pid: member?.machine.process?.pid, text)
        }
    }
}
