import Control
import Model
import Platform
import Records
import Supervision

/// Hands each call to its handler.
final class Dispatcher {
    let services: Services
    let fleet: Fleet
    let inspector: Inspector
    let explainer: Explainer
    let waiting: Waiting
    let reloads: Reloads
    /// Ends or replaces the process: set by the daemon's main part.
    var lifecycle: (any Lifecycle)?
    let specTexts = SpecTexts()
    private var streams: [Int32: Int] = [:]
    /// Who waits for the answers of apps.
    private var triggers: [Int32: Int] = [:]
    /// False while a new daemon is still adopting.
    var isReady = false
    let startedAt = SystemClock.now()
    /// What a person should be told with every list until it is dealt with.
    var notes: [String] = []
    /// The same about rules that cannot be followed at present.
    var notesOfRules: () -> [String] = { [] }
    /// Set by the daemon's main part.
    var jobs: Jobs?

    init(_ services: Services, _ fleet: Fleet, _ inspector: Inspector, _ explainer: Explainer) {
        self.services = services
        self.fleet = fleet
        self.inspector = inspector
        self.explainer = explainer
        waiting = Waiting(services, fleet)
        reloads = Reloads(services, fleet, inspector)
    }

    func dispatch(_ call: Call) {
        let name = call.header.method
        guard let dot = name.lastIndex(of: ".") else { return invalidMethod(call, name) }
        let interface = name[..<dot]
        let method = String(name[name.index(after: dot)...])
        switch interface {
        case "org.varlink.service": serviceMethod(call, method)
        case Interface.name[...]:
            guard let known = Interface.Method(rawValue: method) else { return invalidMethod(call, name) }
            perform(known, call)
        default:
            call.connection.answer(
                Varlink.error("org.varlink.service.InterfaceNotFound", ["interface": String(interface)]))
        }
    }

    private func invalidMethod(_ call: Call, _ name: String) {
        call.connection.answer(Varlink.error("org.varlink.service.MethodNotFound", ["method": name]))
    }

    private func perform(_ method: Interface.Method, _ call: Call) {
        switch method {
        case .hello: hello(call)
        case .list: call.withParameters(SelectorParameters.self) { self.list(call, $0) }
        case .show: call.withParameters(SelectorParameters.self) { self.show(call, $0) }
        case .why: call.withParameters(SelectorParameters.self) { self.why(call, $0) }
        case .environment: call.withParameters(SelectorParameters.self) { self.environment(call, $0) }
        case .start: call.withParameters(StartParameters.self) { self.start(call, $0) }
        case .act: call.withParameters(ActParameters.self) { self.act(call, $0) }
        case .configure: call.withParameters(ConfigureParameters.self) { self.configure(call, $0) }
        case .inventory: call.withParameters(SelectorParameters.self) { self.inventory(call, $0) }
        case .trigger: call.withParameters(TriggerParameters.self) { self.trigger(call, $0) }
        case .send: call.withParameters(SendParameters.self) { self.send(call, $0) }
        case .signal: call.withParameters(SignalParameters.self) { self.signal(call, $0) }
        case .scale: call.withParameters(ScaleParameters.self) { self.scale(call, $0) }
        case .save: call.withParameters(SaveParameters.self) { self.save(call, $0) }
        case .snapshots: snapshots(call)
        case .compare: call.withParameters(CompareParameters.self) { self.compare(call, $0) }
        case .undo: call.withParameters(SnapshotParameters.self) { self.undo(call, $0) }
        case .resurrect: call.withParameters(SnapshotParameters.self) { self.resurrect(call, $0) }
        case .events: call.withParameters(EventsParameters.self) { self.events(call, $0) }
        case .kill: call.withParameters(OriginParameters.self) { self.kill(call, $0) }
        case .detach: call.withParameters(OriginParameters.self) { self.detach(call, $0) }
        case .upgrade: call.withParameters(UpgradeParameters.self) { self.upgrade(call, $0) }
        }
    }

    // MARK: org.varlink.service

    private struct ServiceInfo: Codable, Sendable {
        var vendor = "Hearth"
        var product = "hearthd"
        var version = Interface.productVersion
        var url = Interface.url
        var interfaces = ["org.varlink.service", Interface.name]
    }

    private struct DescriptionParameters: Codable, Sendable { var interface: String }
    private struct DescriptionReply: Codable, Sendable { var description: String }

    private func serviceMethod(_ call: Call, _ method: String) {
        switch method {
        case "GetInfo": call.reply(ServiceInfo())
        case "GetInterfaceDescription":
            call.withParameters(DescriptionParameters.self) { parameters in
                switch parameters.interface {
                case Interface.name: call.reply(DescriptionReply(description: Interface.description))
                case "org.varlink.service": call.reply(DescriptionReply(description: Self.serviceDescription))
                default:
                    call.connection.answer(
                        Varlink.error(
                            "org.varlink.service.InterfaceNotFound", ["interface": parameters.interface]))
                }
            }
        default: invalidMethod(call, call.header.method)
        }
    }

    private static let serviceDescription = """
        interface org.varlink.service

        method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)
        method GetInterfaceDescription(interface: string) -> (description: string)

        error InterfaceNotFound (interface: string)
        error MethodNotFound (method: string)
        error MethodNotImplemented (method: string)
        error InvalidParameter (parameter: string)
        """

    // MARK: What handlers share

    var entries: [SelectorCandidate] {
        fleet.ids.compactMap { id in
            fleet[id].map {
                SelectorCandidate(id: id, name: $0.desired.spec.name, namespace: $0.desired.spec.namespace)
            }
        }
    }

    /// The ids that `selectors` name. Nil when the call was answered with an error: nothing matched, or nonsense.
    func resolve(_ selectors: [String], _ call: Call, emptyMeansAll: Bool = false) -> Selectors.Resolution? {
        do throws(ControlError) {
            let resolution = try Selectors.resolve(selectors, among: entries, emptyMeansAll: emptyMeansAll)
            if resolution.ids.isEmpty, !resolution.failures.isEmpty {
                throw ControlError(
                    .notFound, resolution.failures.map(\.message).joined(separator: "; "),
                    hint: "`hearth list` shows what there is")
            }
            return resolution
        } catch {
            call.fail(error)
            return nil
        }
    }

    func view(_ id: InstanceID, now: Instant, offset: Int64) -> InstanceView? {
        guard let member = fleet[id] else { return nil }
        var view = InstanceView(
            member.desired, member.machine.record, now: now, wallClockOffset: offset,
            logs: services.paths.logFiles(of: member.desired.spec, id: id), usage: inspector.usage(of: id),
            statusText: fleet.notifications.statusText(id, member.machine.generation))
        jobs?.complete(&view)
        return view
    }

    func views(_ ids: [InstanceID]) -> [InstanceView] {
        let (now, offset) = (SystemClock.now(), SystemClock.wallClockOffset())
        return ids.compactMap { view($0, now: now, offset: offset) }
    }

    /// A stream ended because its client went away.
    func closed(_ connection: Connection) {
        if let token = streams.removeValue(forKey: connection.descriptor) { services.journal.stopListening(token) }
        if let token = triggers.removeValue(forKey: connection.descriptor) { _ = fleet.reports.stopWaiting(token) }
    }

    func isStreaming(to connection: Connection) -> Bool { streams[connection.descriptor] != nil }

    func keepTrigger(_ connection: Connection, _ token: Int) { triggers[connection.descriptor] = token }

    func endTrigger(_ connection: Connection) { triggers[connection.descriptor] = nil }

    func keepStream(_ connection: Connection, _ token: Int) { streams[connection.descriptor] = token }
}

/// What a command can do to the daemon itself.
protocol Lifecycle: AnyObject {
    /// Ends keeper and daemon on purpose; `goodbye` is called when the client can be told.
    func end(because reason: String, _ goodbye: @escaping () -> Void)
    func upgrade(to path: String?, for connection: Connection, _ failed: @escaping (ControlError) -> Void)
}
