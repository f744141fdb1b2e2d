import Configuration
import Control
import Glibc
import Model

/// Turns options, and apps of files, into specifications, with PM2's messages for what is wrong.
struct PM2AppReader {
    let face: PM2Session

    /// What the options say of an app.
    ///
    /// - Parameter script: nil where an app that exists is changed.
    func draft(script: String?) throws -> AppDraft {
        var members = PM2AppOptions.members(face.options)
        if let script { members["script"] = .string(script) }
        let reading = AppDraft.read(members, dialect: .pm2, needsScript: script != nil)
        try refuse(reading.problems)
        var draft = reading.draft
        if let extensions = PM2AppOptions.extensions(face.options) { draft.watch?.extensions = extensions }
        return draft
    }

    func resolve(_ draft: AppDraft, named operand: String) throws -> AppSpec {
        let resolver = try resolver()
        do throws(ConfigurationError) {
            return try resolver.resolve(draft) { console.warn($0) }
        } catch {
            console.error(error.message)
            throw PM2Exit.failed
        }
    }

    func resolver() throws -> AppResolver {
        try Caller.resolver(environment: PM2Environment.caller(), dialect: .pm2)
    }

    /// Every reason on standard output, as PM2 has it; then the command ends.
    func refuse(_ problems: [ConfigurationError]) throws {
        guard !problems.isEmpty else { return }
        for problem in problems { console.warn(problem.location == nil ? problem.message : problem.description) }
        throw PM2Exit.failed
    }

    private var console: PM2Console { face.console }
}
