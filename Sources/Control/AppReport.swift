// What an app tells of itself on its channel, in the words of PM2's libraries: metrics, actions, options.

/// The value of a metric. Objects and arrays come as their JSON text.
package enum MetricValue: Codable, Hashable, Sendable {
    case integer(Int64)
    case number(Double)
    case flag(Bool)
    case text(String)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // Before numbers: some decoders take true for 1.
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Int64.self) {
            self = .integer(number)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .integer(let number): try container.encode(number)
        case .number(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        case .text(let text): try container.encode(text)
        }
    }

    package var shown: String {
        switch self {
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .flag(let flag): String(flag)
        case .text(let text): text
        }
    }
}

package struct AppMetric: Codable, Hashable, Sendable {
    package var name: String
    package var value: MetricValue
    package var unit: String?
    package var type: String?
    package var historic: Bool?

    package init(
        name: String, value: MetricValue, unit: String? = nil, type: String? = nil, historic: Bool? = nil
    ) {
        self.name = name
        self.value = value
        self.unit = unit
        self.type = type
        self.historic = historic
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(value, forKey: .value)
        try container.encode(unit, forKey: .unit)
        try container.encode(type, forKey: .type)
        try container.encode(historic, forKey: .historic)
    }
}

/// Something that an app does when it is asked to by name (`trigger`).
package struct AppAction: Codable, Hashable, Sendable {
    package var name: String
    package var type: String?
    package var arity: Int?
    /// JSON text.
    package var options: String?

    package init(name: String, type: String? = nil, arity: Int? = nil, options: String? = nil) {
        self.name = name
        self.type = type
        self.arity = arity
        self.options = options
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(type, forKey: .type)
        try container.encode(arity, forKey: .arity)
        try container.encode(options, forKey: .options)
    }
}

/// All that one process told.
package struct AppReport: Codable, Hashable, Sendable {
    /// In the order in which they were first told.
    package var metrics: [AppMetric]
    package var actions: [AppAction]
    /// A JSON object as text.
    package var options: String?
    package var nodeVersion: String?

    package init(
        metrics: [AppMetric] = [], actions: [AppAction] = [], options: String? = nil, nodeVersion: String? = nil
    ) {
        self.metrics = metrics
        self.actions = actions
        self.options = options
        self.nodeVersion = nodeVersion
    }

    package var isEmpty: Bool { self == AppReport() }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(metrics, forKey: .metrics)
        try container.encode(actions, forKey: .actions)
        try container.encode(options, forKey: .options)
        try container.encode(nodeVersion, forKey: .nodeVersion)
    }
}
