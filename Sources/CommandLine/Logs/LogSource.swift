import Model
import Records

/// A log file, and whose lines are in it.
struct LogSource: Hashable {
    enum Stream: String, Hashable {
        case out
        case error
    }

    var path: String
    var stream: Stream
    var name: String
    /// Instances that write to it: several when their logs are merged.
    var ids: [InstanceID]

    /// `0|api`; `0,1|api` for a shared file.
    var label: String {
        if ids.isEmpty { return name }
        let shown = ids.prefix(3).map(\.description).joined(separator: ",")
        return (ids.count > 3 ? shown + ",+" : shown) + "|" + name
    }

    /// The files of the selected instances, each once. `hearthd` means the daemon's own log when no app is called so.
    static func find(_ selectors: [String], in paths: HomePaths, streams: Set<Stream>) throws -> [LogSource] {
        let instances = OfflineHome.desired(in: paths)
        var selectors = selectors
        var sources: [LogSource] = []
        if let index = selectors.firstIndex(of: "hearthd"), !instances.contains(where: { $0.spec.name == "hearthd" }) {
            selectors.remove(at: index)
            sources.append(LogSource(path: paths.daemonLog, stream: .out, name: "hearthd", ids: []))
            if selectors.isEmpty { return sources }
        }
        let wanted = Set(try Selection.ids(selectors, among: instances.map(\.candidate)))
        var known: [String: Int] = [:]
        for instance in instances where wanted.contains(instance.id) {
            let files = paths.logFiles(of: instance.spec, id: instance.id)
            for (path, stream) in [(files.out, Stream.out), (files.error, Stream.error)] {
                guard let path, streams.contains(stream) else { continue }
                if let index = known[path] {
                    // Output and errors of one instance may share a file, too.
                    if sources[index].ids.last != instance.id { sources[index].ids.append(instance.id) }
                } else {
                    known[path] = sources.count
                    sources.append(LogSource(path: path, stream: stream, name: instance.spec.name, ids: [instance.id]))
                }
            }
        }
        return sources
    }
}
