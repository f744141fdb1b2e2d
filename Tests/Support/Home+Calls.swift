package import Control
package import Model
import Records

// Calls to the daemon of a home. Each makes a connection of its own, so a daemon that was replaced does not matter.
// A call that a dying daemon leaves unanswered throws `ClientError.connectionLost`; `persistently` repeats it.

extension Home {
    /// What a test waits for an answer, in milliseconds: far more than any answer takes on a busy machine.
    package static let patience = 60_000

    package func connect(timeout: Int = Home.patience) throws -> Client {
        try Client.connect(socketPath: paths.controlSocket, timeout: timeout)
    }

    /// Any method of the interface.
    package func call<Parameters: Encodable, Reply: Decodable>(
        _ method: Interface.Method, _ parameters: Parameters, as reply: Reply.Type, timeout: Int = Home.patience
    ) throws -> Reply {
        try connect(timeout: timeout).call(method, parameters, as: reply, kind: .changing, deadline: timeout)
    }

    package func hello(timeout: Int = Home.patience) throws -> HelloReply {
        try connect(timeout: timeout).greet()
    }

    package func list(_ selectors: String...) throws -> [InstanceView] {
        try call(.list, SelectorParameters(selectors: selectors), as: ListReply.self).instances
    }

    /// The sentences that come with every list.
    package func notes() throws -> [String] {
        try call(.list, SelectorParameters(selectors: []), as: ListReply.self).notes
    }

    /// The one instance that has this name.
    package func instance(_ name: String) throws -> InstanceView {
        let found = try list(name)
        guard found.count == 1, let only = found.first else {
            throw Unexpected("there are \(found.count) instances of '\(name)'", in: self)
        }
        return only
    }

    /// The pid of the one instance that has this name.
    package func pid(_ name: String) throws -> Int32 {
        guard let pid = try instance(name).pid else { throw Unexpected("'\(name)' has no pid", in: self) }
        return pid
    }

    @discardableResult
    package func start(_ apps: AppSpec..., token: String? = nil) throws -> InstancesReply {
        try start(apps, token: token)
    }

    @discardableResult
    package func start(_ apps: [AppSpec], token: String? = nil) throws -> InstancesReply {
        let parameters = StartParameters(apps: apps, environment: environment, token: token, origin: "test")
        return try call(.start, parameters, as: InstancesReply.self)
    }

    @discardableResult
    package func act(_ action: Action, _ selectors: String..., token: String? = nil) throws -> ActReply {
        let parameters = ActParameters(action: action, selectors: selectors, token: token, origin: "test")
        return try call(.act, parameters, as: ActReply.self)
    }

    @discardableResult
    package func save(_ name: String? = nil, force: Bool = false) throws -> SnapshotView {
        try call(.save, SaveParameters(name: name, force: force, origin: "test"), as: SaveReply.self).snapshot
    }

    @discardableResult
    package func resurrect() throws -> ResurrectReply {
        try call(.resurrect, SnapshotParameters(name: nil, origin: "test"), as: ResurrectReply.self)
    }

    package func upgrade(to program: String? = nil) throws -> UpgradeReply {
        try call(.upgrade, UpgradeParameters(path: program, origin: "test"), as: UpgradeReply.self)
    }

    /// Stops every app and the daemon. Returns when the daemon has closed the connection.
    @discardableResult
    package func stopEverything() throws -> KillReply {
        try last(.kill, as: KillReply.self)
    }

    /// Ends keeper and daemon, leaves the apps running.
    @discardableResult
    package func detach() throws -> DetachReply {
        try last(.detach, as: DetachReply.self)
    }

    private func last<Reply: Decodable>(_ method: Interface.Method, as reply: Reply.Type) throws -> Reply {
        let client = try connect()
        let answer = try client.call(
            method, OriginParameters(origin: "test"), as: reply, kind: .changing, deadline: Home.patience)
        guard client.waitForEnd(milliseconds: Home.patience) else {
            throw Unexpected("the daemon answered and did not end", in: self)
        }
        return answer
    }

    /// Repeats a call that a dying daemon left unanswered, until one answers.
    package func persistently<Reply>(_ what: String, _ call: () throws -> Reply) throws -> Reply {
        var reply: Reply?
        try eventually(what, within: 60) {
            do { reply = try call() } catch ClientError.connectionLost, ClientError.noDaemon { return false }
            return true
        }
        guard let reply else { throw Unexpected("no answer: \(what)", in: self) }
        return reply
    }
}
