import Control
import Glibc
import Model
import PM2Format
import Platform
import Records

/// `set`, `get`, `unset`, `multiset`: PM2's store of settings, `module_conf.json`.
struct PM2Settings {
    let face: PM2Session
    private var console: PM2Console { face.console }

    // MARK: - Commands

    func set(_ words: [String]) throws {
        guard let word = words.first else { return try edit() }
        guard words.count > 1 else {
            console.error("'set \(word)' has no value; `pm2 get \(word)` shows the present one")
            throw PM2Exit.failed
        }
        let key = try Self.key(word)
        try change { configuration throws(ModuleConfiguration.Failure) in
            try configuration.set(key, to: words[1])
        }
        if key.segments.count > 1 { try restart(key.section) }
        console.say("Setting changed")
        try show(section: key.segments.count > 1 ? key.section : nil)
    }

    func setMany(_ text: String) throws {
        try change { configuration throws(ModuleConfiguration.Failure) in try configuration.setMany(text) }
        try show(section: nil)
    }

    func get(_ word: String?) throws {
        guard let word else { return try show(section: nil) }
        guard let lines = try read().answer(to: try Self.key(word), console.screen) else { throw PM2Exit.failed }
        for line in lines { console.line(line) }
    }

    func unset(_ word: String) throws {
        try change { configuration throws(ModuleConfiguration.Failure) in try configuration.unset(word) }
        try show(section: nil)
    }

    /// What the store holds for an app, as variables for its environment: each setting, and all of them as JSON under the
    /// app's own name.
    func variables(of name: String) throws -> [String: String] {
        guard let section = try read().section(name), !section.isEmpty else { return [:] }
        var variables: [String: String] = [:]
        for member in section.members {
            if let text = member.value.scalarText { variables[member.key] = text }
        }
        variables[name] = OrderedJSON.object(section).compactText
        return variables.filter { !$0.key.isEmpty && !$0.key.contains("=") && !$0.value.contains("\0") }
    }

    // MARK: - The store

    private static func key(_ text: String) throws -> ConfigurationKey {
        do throws(ModuleConfiguration.Failure) { return try ConfigurationKey(text) } catch {
            throw Failure(.failed, error.description)
        }
    }

    private func read() throws -> ModuleConfiguration {
        do throws(ModuleConfiguration.Failure) { return try ModuleConfigurationStore.read(face.paths) } catch {
            throw Failure(.failed, error.description)
        }
    }

    private func change(
        _ body: (inout ModuleConfiguration) throws(ModuleConfiguration.Failure) -> Void
    ) throws {
        try HomeOwner(paths: face.paths).create()
        do throws(ModuleConfiguration.Failure) {
            _ = try ModuleConfigurationStore.change(face.paths, body)
        } catch {
            throw Failure(.failed, error.description)
        }
    }

    private func show(section: String?) throws {
        for line in try read().lines(section: section, console.screen) { console.line(line) }
    }

    /// An app that the setting is for takes it up at once.
    private func restart(_ name: String) throws {
        let entries = try face.inventory().entries.filter { $0.instance.name == name }
        guard !entries.isEmpty else { return }
        let settings = try variables(of: name)
        let changes = entries.map { entry in
            var spec = entry.spec
            spec.environment.merge(settings) { _, new in new }
            return SpecChange(id: entry.instance.id, spec: spec)
        }
        let reply = try face.configure(changes, then: .restart)
        if reply.results.allSatisfy(\.ok) { console.say("Module \(name) restarted") }
    }

    /// Without a key the file is edited, as with PM2.
    private func edit() throws {
        let editor = (["VISUAL", "EDITOR"] as [String]).compactMap { name in getenv(name).map { String(cString: $0) } }
            .first { !$0.isEmpty }
        guard isatty(0) == 1 else {
            console.error("'set' needs a key and a value")
            throw PM2Exit.failed
        }
        let words: [String] = ["/bin/sh", "-c", "\(editor ?? "vi") \"$0\"", face.paths.pm2ModuleConfiguration]
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        execv("/bin/sh", &pointers)
        console.error("no editor could be started")
        throw PM2Exit.failed
    }
}
