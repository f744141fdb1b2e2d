import Control
import Model
import PM2Format
import Platform
import Supervision

// Words for an app: an action by its name, a line for its standard input, a message on its channel.

extension Dispatcher {
    /// What a line on a channel may have: Node takes it in one piece.
    private static let longestMessage = 31 << 10

    // MARK: trigger

    func trigger(_ call: Call, _ parameters: TriggerParameters) {
        guard let resolution = resolve(parameters.selectors, call) else { return }
        if let timeout = parameters.timeout, !(1...2_592_000_000).contains(timeout) {
            return call.fail(ControlError(.badRequest, "timeout \(timeout) is not 1 ms to 30 days in ms"))
        }
        var results: [ActionResult] = []
        var received: [(InstanceID, Generation)] = []
        for id in resolution.ids {
            guard let member = fleet[id] else { continue }
            let generation = member.machine.generation
            let problem =
                refusal(of: parameters.action, member)
                ?? deliver(Self.words(parameters, id), to: id, generation)
            if problem == nil { received.append((id, generation)) }
            results.append(
                ActionResult(
                    id: id, name: member.desired.spec.name, ok: problem == nil,
                    message: problem ?? "has received '\(parameters.action)'"))
        }
        guard !received.isEmpty else {
            let why = results.map { "\($0.name) (id \($0.id?.description ?? "-")) \($0.message)" }
            return call.fail(
                ControlError(
                    .notFound,
                    "no process has received the action '\(parameters.action)': "
                        + why.prefix(5).joined(separator: "; "),
                    hint: "`hearth show NAME` lists the actions of an app"))
        }
        guard call.header.more == true else { return call.reply(TriggerReply(results: results)) }
        answers(call, parameters, results, received)
    }

    private func answers(
        _ call: Call, _ parameters: TriggerParameters, _ results: [ActionResult], _ received: [(InstanceID, Generation)]
    ) {
        let connection = call.connection
        var timer: EventLoop.TimerToken?
        // No app can have answered yet: channels are read in a later turn of the loop.
        let token = fleet.reports.wait(for: parameters.action, of: received) { [self] id, value, isLast in
            if isLast {
                if let timer { self.services.loop.cancel(timer) }
                self.endTrigger(connection)
            }
            let reply = self.answer(of: id, value)
            if isLast { return call.reply(reply) }
            if let data = try? Varlink.reply(reply, continues: true) { connection.stream(data) }
        }
        keepTrigger(connection, token)
        guard let data = try? Varlink.reply(TriggerReply(results: results), continues: true), connection.stream(data)
        else { return }
        guard let timeout = parameters.timeout else { return }
        timer = services.loop.schedule(after: Milliseconds(Int64(timeout))) { [weak self] in
            guard let self else { return }
            let missing = self.fleet.reports.stopWaiting(token)
            guard !missing.isEmpty else { return }
            self.endTrigger(connection)
            let silent = "has not answered within \(Milliseconds(Int64(timeout)))"
            call.reply(TriggerReply(results: missing.map { self.result($0, silent) }))
        }
    }

    private func answer(of id: InstanceID, _ value: String?) -> TriggerReply {
        guard let value else { return TriggerReply(results: [result(id, "has ended before it answered")]) }
        let spec = fleet[id]?.desired.spec
        return TriggerReply(
            results: [],
            answer: ActionAnswer(id: id, name: spec?.name ?? "", namespace: spec?.namespace ?? "", value: value))
    }

    private func result(_ id: InstanceID, _ message: String) -> ActionResult {
        ActionResult(id: id, name: fleet[id]?.desired.spec.name ?? "", ok: false, message: message)
    }

    /// Why the app does not get the action; nil: it does.
    private func refusal(of action: String, _ member: Fleet.Member) -> String? {
        guard member.machine.process != nil, [.online, .launching].contains(member.machine.status) else {
            return "does not run"
        }
        let report = fleet.reports.report(member.desired.id, member.machine.generation)
        return report?.actions.contains { $0.name == action } == true ? nil : "has no action '\(action)'"
    }

    /// The bare name where there are no parameters, as PM2 has it.
    private static func words(_ parameters: TriggerParameters, _ id: InstanceID) -> OrderedJSON {
        guard let text = parameters.parameters else { return .string(parameters.action) }
        return .object([
            "id": .integer(Int64(id.rawValue)), "msg": .string(parameters.action), "opts": .string(text),
        ])
    }

    private func deliver(_ message: OrderedJSON, to id: InstanceID, _ generation: Generation) -> String? {
        let bytes = Array((message.compactText + "\n").utf8)
        guard bytes.count <= Self.longestMessage else { return "cannot be told more than 31 KiB at once" }
        return fleet.channels.send(bytes, to: ProcessKey(id, generation))
            ? nil : "takes no message: its channel is closed or full"
    }

    // MARK: send

    func send(_ call: Call, _ parameters: SendParameters) {
        guard let resolution = resolve(parameters.selectors, call) else { return }
        switch (parameters.line, parameters.message) {
        case (let line?, nil): sendLine(call, line, to: resolution.ids)
        case (nil, let text?): sendMessage(call, text, to: resolution.ids)
        default: call.fail(ControlError(.badRequest, "exactly one of 'line' and 'message' must be given"))
        }
    }

    private func sendMessage(_ call: Call, _ text: String, to ids: [InstanceID]) {
        let message: OrderedJSON
        do throws(JSONFailure) { message = try OrderedJSON.parse(Array(text.utf8)) } catch {
            return call.fail(
                ControlError(.badRequest, "message: \(error)", hint: #"a text is written with its quotes: "\"hello\"""#)
            )
        }
        // Node would take it for one of its own.
        if let command = message.object?["cmd"]?.text, command.hasPrefix("NODE_") {
            return call.fail(ControlError(.badRequest, "message: 'cmd' \(command) is one of Node's own"))
        }
        let results = ids.compactMap { id -> ActionResult? in
            guard let member = fleet[id] else { return nil }
            let problem =
                member.machine.process == nil ? "does not run" : deliver(message, to: id, member.machine.generation)
            return ActionResult(
                id: id, name: member.desired.spec.name, ok: problem == nil, message: problem ?? "has got the message")
        }
        call.reply(SendReply(results: results))
    }

    private func sendLine(_ call: Call, _ line: String, to ids: [InstanceID]) {
        guard !line.contains("\n"), !line.contains("\r\n"), line.utf8.count <= StandardInput.longest else {
            return call.fail(ControlError(.badRequest, "line: one line of at most 60 KiB is expected"))
        }
        let targets = ids.compactMap { id in
            fleet[id].map { (id, $0.desired.spec.name, $0.machine.process) }
        }
        services.loop.offload(to: services.files) {
            targets.map { id, name, process in
                let problem = process.map { StandardInput.write(line, to: $0) } ?? "does not run"
                return ActionResult(id: id, name: name, ok: problem == nil, message: problem ?? "has got the line")
            }
        } then: { results in
            call.reply(SendReply(results: results))
        }
    }
}
