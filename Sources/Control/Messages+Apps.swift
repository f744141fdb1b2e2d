package import Model

// Parameters and replies of the methods that speak with an app.

package struct TriggerParameters: Codable, Sendable {
    package var selectors: [String]
    package var action: String
    /// For the action; nil: none.
    package var parameters: String?
    /// Milliseconds to wait for answers; nil: until each has answered or ended.
    package var timeout: Int?
    package var origin: String?

    package init(selectors: [String], action: String, parameters: String?, timeout: Int?, origin: String?) {
        self.selectors = selectors
        self.action = action
        self.parameters = parameters
        self.timeout = timeout
        self.origin = origin
    }
}

/// What an app answered to an action.
package struct ActionAnswer: Codable, Sendable, Equatable {
    package var id: InstanceID
    package var name: String
    package var namespace: String
    /// What it returned, as JSON text.
    package var value: String

    package init(id: InstanceID, name: String, namespace: String, value: String) {
        self.id = id
        self.name = name
        self.namespace = namespace
        self.value = value
    }
}

/// One of a stream: first who got the action and who did not; then answers as they come, and who gives none.
package struct TriggerReply: Codable, Sendable, Equatable {
    package var results: [ActionResult]
    package var answer: ActionAnswer?

    package init(results: [ActionResult], answer: ActionAnswer? = nil) {
        self.results = results
        self.answer = answer
    }
}

/// Exactly one of `line` and `message`.
package struct SendParameters: Codable, Sendable {
    package var selectors: [String]
    /// For standard input, without its newline.
    package var line: String?
    /// For the channel, as JSON text.
    package var message: String?
    package var origin: String?

    package init(selectors: [String], line: String?, message: String?, origin: String?) {
        self.selectors = selectors
        self.line = line
        self.message = message
        self.origin = origin
    }
}

package struct SendReply: Codable, Sendable {
    package var results: [ActionResult]
    package init(results: [ActionResult]) { self.results = results }
}
