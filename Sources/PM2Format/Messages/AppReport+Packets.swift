package import Control

// What PM2's libraries (`@pm2/io`, `pmx`) send: `{type: …, data: …}`.

extension AppReport {
    /// An app may send what it likes; what is kept of it is bounded, whatever it sends.
    private enum Limit {
        static let metrics = 64
        static let actions = 64
        /// Bytes. A longer name is none: it could not be told from others when it was cut.
        static let name = 64
        static let value = 256
        static let word = 64
        static let actionOptions = 1024
        static let options = 8192
    }

    /// What became of a packet.
    package enum Outcome: Hashable, Sendable {
        case metrics
        /// Actions or options: told once, at the start of a process.
        case description
        /// Not for the report: somebody else may be interested.
        case other
    }

    /// Takes note of a packet. What is not as it should be changes nothing.
    package mutating func note(type: String, _ data: OrderedJSON) -> Outcome {
        switch type {
        case "axm:monitor":
            for member in data.object?.members ?? [] { note(metric: member.key, member.value) }
            return .metrics
        case "axm:action":
            if let object = data.object { note(action: object) }
            return .description
        case "axm:option:configuration":
            if let object = data.object { note(options: object) }
            return .description
        case "axm:option:setPID": return .description
        default: return .other
        }
    }

    private mutating func note(metric name: String, _ value: OrderedJSON) {
        guard (1...Limit.name).contains(name.utf8.count) else { return }
        let object = value.object
        guard let value = MetricValue(object.map { $0["value"] ?? .null } ?? value, limit: Limit.value) else { return }
        var historic: Bool?
        if case .bool(let flag) = object?["historic"] { historic = flag }
        let metric = AppMetric(
            name: name, value: value, unit: Self.text(object?["unit"], Limit.word),
            type: Self.text(object?["type"], Limit.word), historic: historic)
        if let index = metrics.firstIndex(where: { $0.name == name }) {
            metrics[index] = metric
        } else if metrics.count < Limit.metrics {
            metrics.append(metric)
        }
    }

    private mutating func note(action: OrderedObject) {
        guard let name = action["action_name"]?.text, (1...Limit.name).contains(name.utf8.count),
            actions.count < Limit.actions, !actions.contains(where: { $0.name == name })
        else { return }
        var arity: Int?
        if case .integer(let number) = action["arity"] { arity = Int(exactly: number) }
        var options: String?
        if let value = action["opts"], value != .null {
            let text = value.compactText
            if text.utf8.count <= Limit.actionOptions { options = text }
        }
        actions.append(
            AppAction(name: name, type: Self.text(action["action_type"], Limit.word), arity: arity, options: options))
    }

    private mutating func note(options new: OrderedObject) {
        var merged = optionsObject
        for member in new.members { merged[member.key] = member.value }
        let text = OrderedJSON.object(merged).compactText
        if text.utf8.count <= Limit.options { options = text }
    }

    private var optionsObject: OrderedObject {
        options.flatMap { try? OrderedJSON.parse(Array($0.utf8)) }?.object ?? OrderedObject()
    }

    private static func text(_ value: OrderedJSON?, _ limit: Int) -> String? {
        value?.scalarText.map { $0.cut(to: limit) }
    }

    package mutating func note(nodeVersion: String) { self.nodeVersion = nodeVersion.cut(to: Limit.word) }

    // MARK: - In PM2's form

    var axmMonitor: OrderedJSON {
        .object(
            OrderedObject(
                metrics.map { metric in
                    var object = OrderedObject()
                    object["value"] = metric.value.json
                    object["type"] = metric.type.map { .string($0) }
                    object["unit"] = metric.unit.map { .string($0) }
                    object["historic"] = metric.historic.map { .bool($0) }
                    return OrderedObject.Member(metric.name, .object(object))
                }))
    }

    var axmActions: OrderedJSON {
        .array(
            actions.map { action in
                var object = OrderedObject()
                object["action_name"] = .string(action.name)
                object["action_type"] = action.type.map { .string($0) }
                object["opts"] = action.options.flatMap { try? OrderedJSON.parse(Array($0.utf8)) }
                object["arity"] = action.arity.map { .integer(Int64($0)) }
                return .object(object)
            })
    }

    var axmOptions: OrderedJSON { .object(optionsObject) }
}

extension MetricValue {
    /// Nil: there is no value.
    fileprivate init?(_ value: OrderedJSON, limit: Int) {
        switch value {
        case .null: return nil
        case .bool(let flag): self = .flag(flag)
        case .integer(let number): self = .integer(number)
        case .number(let number): self = .number(number)
        case .string(let text): self = .text(text.cut(to: limit))
        case .array, .object: self = .text(value.compactText.cut(to: limit))
        }
    }

    fileprivate var json: OrderedJSON {
        switch self {
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .flag(let flag): .bool(flag)
        case .text(let text): .string(text)
        }
    }
}

extension String {
    /// The longest beginning of whole characters that has at most so many bytes.
    package func cut(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
