import Configuration
import Control
import Model

/// `restart` and `reload` of what is in the list: options that are given change the app first.
struct PM2Restart {
    let face: PM2Session

    func perform(_ entries: [InventoryEntry], named operand: String, reloads: Bool) throws -> ActReply {
        let options = face.options
        let parallel = options.all("parallel").last.flatMap { Int($0) }.map { min(1024, max(1, $0)) }
        let reader = PM2AppReader(face: face)
        var members = PM2AppOptions.members(options)
        // `--watch` turns watching on or off, whichever it was not.
        members["watch"] = nil
        let cleared = members.filter { $0.value == .string("null") }.map(\.key)
        for key in cleared { members[key] = nil }
        let reading = AppDraft.read(members, dialect: .pm2, needsScript: false)
        try reader.refuse(reading.problems)
        let settings = try PM2Settings(face: face).variables(of: operand)
        let environment = options.has("update-env") ? PM2Environment.caller() : nil
        guard !members.isEmpty || !cleared.isEmpty || options.has("watch") || !settings.isEmpty else {
            return try face.act(
                reloads ? .reload : .restart, entries.map(\.instance.id), environment: environment, parallel: parallel)
        }
        let inventory = try face.inventory()
        let changes = try entries.map { entry in
            var spec = entry.spec
            try reading.draft.change(&spec, with: try reader.resolver())
            AppDraft.clear(cleared, in: &spec)
            if options.has("watch") { spec.watch = spec.watch == nil ? WatchPolicy(paths: [spec.cwd]) : nil }
            spec.environment.merge(settings) { _, new in new }
            let stored = entry.environment.flatMap { inventory.environments[$0] } ?? [:]
            return SpecChange(
                id: entry.instance.id, spec: spec, environment: environment.map { stored.merging($0) { _, new in new } }
            )
        }
        return try face.configure(changes, then: reloads ? .reload : .restart, parallel: parallel)
    }
}
