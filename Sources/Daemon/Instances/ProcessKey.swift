import Model

/// Names the process: two of one instance run while one takes the other's place.
struct ProcessKey: Hashable, Sendable {
    var id: InstanceID
    var generation: Generation

    init(_ id: InstanceID, _ generation: Generation) {
        self.id = id
        self.generation = generation
    }
}
