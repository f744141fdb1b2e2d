import Model

extension AppResolver {
    /// Less than this holds no process.
    package static let smallestMemory: Int64 = 1 << 20

    /// What a job is besides an app: it ends, nobody speaks to it, and what restarts apps does not concern it.
    func makeJob(of draft: AppDraft, _ spec: inout AppSpec) throws(ConfigurationError) {
        guard let job = draft.job else { return }
        spec.job = job
        if draft.restartMode == nil, draft.autorestart == nil { spec.restart.mode = .never }
        spec.stdin = draft.stdin ?? .null
        // Counted instances would make a cluster of a Node script; of a job there is one.
        if draft.mode == nil { spec.mode = nil }
        guard let fault = spec.jobFault else { return }
        throw ConfigurationError("'\(spec.name)' cannot be a job: \(fault)", subject: .setting)
    }
}
