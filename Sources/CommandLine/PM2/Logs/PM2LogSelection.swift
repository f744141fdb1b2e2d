import Control
import Model
import Records

/// Whose logs PM2's `logs` shows.
enum PM2LogSelection: Hashable {
    case all
    /// `PM2`: the daemon's own log.
    case daemon
    /// `/regular expression/` over names.
    case pattern(String)
    /// A name, namespace or id; unlike the selectors of other commands it means all three.
    case word(String)

    init(_ target: String) {
        if target == "all" {
            self = .all
        } else if target == "PM2" {
            self = .daemon
        } else if target.count > 2, target.hasPrefix("/"), target.hasSuffix("/") {
            self = .pattern(String(target.dropFirst().dropLast()))
        } else {
            self = .word(target)
        }
    }

    /// The log files of the selected instances, each once: that of a shared file is the first who writes into it.
    func sources(_ instances: [InstanceView], streams: Set<LogSource.Stream>) throws -> [LogSource] {
        var sources: [LogSource] = []
        var known: [String: Int] = [:]
        for instance in try selected(instances).sorted(by: { $0.id < $1.id }) {
            for (path, stream) in [(instance.outLog, LogSource.Stream.out), (instance.errorLog, .error)] {
                guard let path, path != "/dev/null", streams.contains(stream) else { continue }
                if let index = known[path] {
                    if sources[index].ids.last != instance.id { sources[index].ids.append(instance.id) }
                } else {
                    known[path] = sources.count
                    sources.append(LogSource(path: path, stream: stream, name: instance.name, ids: [instance.id]))
                }
            }
        }
        return sources
    }

    private func selected(_ instances: [InstanceView]) throws -> [InstanceView] {
        switch self {
        case .all: return instances
        case .daemon: return []
        case .word(let word):
            return instances.filter { $0.name == word || $0.namespace == word || $0.id.description == word }
        case .pattern(let text):
            do throws(ControlError) {
                let pattern = try NamePattern(text)
                return instances.filter { pattern.matches($0.name) }
            } catch {
                throw Failure(.failed, error.description)
            }
        }
    }
}
