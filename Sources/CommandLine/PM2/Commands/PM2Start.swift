import Configuration
import Control
import Glibc
import Model

/// `start`: a new app, one that is in the list, or the apps of a file.
struct PM2Start {
    let face: PM2Session
    private var console: PM2Console { face.console }
    private var options: PM2Options { face.options }

    func run(_ given: [String]) throws {
        let operands = given.isEmpty ? ["ecosystem.config.js"] : given
        if options.has("no-daemon"), face.showsTables { return try PM2Runtime.stay(options, operands) }
        for operand in operands {
            if operand == "-", operands.count == 1 {
                try PM2Files(face: face).startOrRestart("-", reload: false)
            } else if PM2Files.isFile(operand) {
                try PM2Files(face: face).startOrRestart(operand, reload: false)
            } else {
                try start(operand)
            }
        }
        try PM2Lists(face: face).table()
        if options.has("attach") { try PM2LogFiles(face: face).attach(operands) }
    }

    private func start(_ operand: String) throws {
        if options.has("env") {
            console.warn("--env selects an environment of an ecosystem file; it is ignored for '\(operand)'")
        }
        let reader = PM2AppReader(face: face)
        let draft = try reader.draft(script: operand)
        let inventory = try face.inventory()
        if try again(operand, draft, inventory) { return }

        let spec = try reader.resolve(draft, named: operand)
        if !options.has("force"),
            let same = inventory.entries.first(where: {
                $0.spec.script == spec.script && $0.instance.name == spec.name
            })
        {
            switch same.instance.status {
            case .stopped, .stopping, .errored, .scheduled:
                return try restart(inventory.entries.filter { $0.instance.name == spec.name }, spec.name)
            case .launching, .online, .waitingRestart, .waiting:
                console.error("Script already launched, add -f option to force re-execution")
                throw PM2Exit.failed
            }
        }
        try launch(spec)
    }

    /// A name, a namespace or an id of the list: started again. False: the operand means none.
    private func again(_ operand: String, _ draft: AppDraft, _ inventory: InventoryReply) throws -> Bool {
        let isNumber = !operand.isEmpty && operand.allSatisfy { $0.isASCII && $0.isNumber }
        if isNumber {
            try PM2Actions(face: face, verb: .restart).run(one: operand, in: inventory.entries)
            return true
        }
        guard !operand.contains("/"), Paths.fileExtension(operand).isEmpty else { return false }
        let named = inventory.entries.filter { $0.instance.name == operand }
        let chosen = named.isEmpty ? inventory.entries.filter { $0.instance.namespace == operand } : named
        if !chosen.isEmpty {
            try restart(chosen, operand)
            return true
        }
        guard operand == "all" else { return false }
        try PM2Actions(face: face, verb: .restart).run(one: operand, in: inventory.entries)
        return true
    }

    private func restart(_ entries: [InventoryEntry], _ operand: String) throws {
        try PM2Actions(face: face, verb: .restart).act(on: entries, named: operand)
        console.say("Process successfully started")
    }

    private func launch(_ spec: AppSpec) throws {
        let mode = (spec.mode ?? .fork).rawValue
        let count = spec.instances == 1 ? "1 instance" : "\(spec.instances) instances"
        console.say("Starting \(spec.script) in \(mode)_mode (\(count))")
        let settings = try PM2Settings(face: face).variables(of: spec.name)
        var spec = spec
        spec.environment.merge(settings) { own, _ in own }
        PM2Folders(face: face).make(for: [spec])
        let reply = try face.start([spec], environment: PM2Environment.caller())
        Reporting.warnUnlessDurable(reply.durable, reply.notDurableReason)
        let failed = reply.instances.filter { $0.reasonKind == Reason.Kind.spawnFailed.rawValue }
        for instance in failed { console.error("Process failed to launch \(instance.reason)") }
        guard failed.isEmpty else { throw PM2Exit.failed }
        console.say("Done.")
        if options.has("write") { try PM2Files(face: face).write(spec) }
    }
}
