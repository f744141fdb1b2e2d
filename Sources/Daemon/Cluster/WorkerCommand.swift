import Model
import NodeBridge
import Platform

/// What makes a process a worker: its arguments and its environment.
struct WorkerCommand: Sendable {
    let desired: DesiredInstance
    let generation: Generation
    /// Where the preload is written to.
    let home: String

    /// Looks at files: for a spawner's thread.
    func apply(to request: inout SpawnRequest, _ environment: inout AppEnvironment) {
        let spec = desired.spec
        let number = WorkerNumber.make(instance: desired.number, generation: generation.rawValue)
        environment.channel.append("NODE_UNIQUE_ID=\(number)")
        let own = spec.interpreter == nil ? 0 : spec.interpreterArguments.count
        let options = request.command.arguments.prefix(own)
        request.command.arguments.replaceSubrange(
            0..<options.count, with: InspectorPorts.moved(Array(options), by: desired.number))

        let drain = spec.drain ?? DrainPolicy()
        guard drain.isOn, let preload = WorkerPreload(directory: home).locate(uid: spec.uid) else { return }
        request.command.arguments.insert(contentsOf: ["-r", preload], at: 0)
        if let grace = drain.grace { environment.channel.append("\(DrainPreload.variable)=\(grace.rawValue)") }
    }
}
