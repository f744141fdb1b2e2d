/// Which app waits for which, by name. Entries with the same name count as one app; what an app names and is not among
/// the apps is left out of account.
package struct DependencyOrder: Sendable {
    /// An app to those that it waits for, of those that are there.
    private let dependencies: [String: Set<String>]
    private let depths: [String: Int]

    package init(_ apps: [(name: String, dependsOn: [String])]) {
        let names = Set(apps.lazy.map(\.name))
        var dependencies: [String: Set<String>] = [:]
        for app in apps {
            dependencies[app.name, default: []].formUnion(app.dependsOn.lazy.filter(names.contains))
        }
        self.dependencies = dependencies
        depths = Self.depths(dependencies)
    }

    package init(_ specs: [AppSpec]) {
        self.init(specs.map { ($0.name, $0.dependsOn ?? []) })
    }

    /// How many apps, one after another, are started before this one. Apps in a cycle come last.
    private func depth(of name: String) -> Int { depths[name] ?? .max }

    /// Apps that wait for each other, the first once more at the end; nil: there are none.
    package var cycle: [String]? {
        let open = Set(dependencies.keys.filter { depths[$0] == nil })
        // From any of them a way leads back: follow it until an app comes a second time.
        guard var name = open.min() else { return nil }
        var path: [String] = []
        while !path.contains(name) {
            path.append(name)
            guard let next = dependencies[name]?.filter(open.contains).min() else { return nil }
            name = next
        }
        guard let start = path.firstIndex(of: name) else { return nil }
        return Array(path[start...]) + [name]
    }

    /// Those that nothing holds first, then layer by layer. An app in a cycle gets no depth.
    private static func depths(_ dependencies: [String: Set<String>]) -> [String: Int] {
        var dependents: [String: [String]] = [:]
        for (name, others) in dependencies {
            for other in others { dependents[other, default: []].append(name) }
        }
        var missing = dependencies.mapValues(\.count)
        var layer = missing.filter { $0.value == 0 }.map(\.key)
        var depths: [String: Int] = [:]
        var depth = 0
        while !layer.isEmpty {
            var next: [String] = []
            for name in layer {
                depths[name] = depth
                for dependent in dependents[name] ?? [] {
                    let left = (missing[dependent] ?? 0) - 1
                    missing[dependent] = left
                    if left == 0 { next.append(dependent) }
                }
            }
            layer = next
            depth += 1
        }
        return depths
    }

    /// Groups of which each may go when those before it are gone: what others depend on comes last.
    package func stopStages<Item>(_ items: [Item], name: (Item) -> String) -> [[Item]] {
        let groups = Dictionary(grouping: items) { depth(of: name($0)) }
        return groups.keys.sorted(by: >).compactMap { groups[$0] }
    }

    /// The same order for starting; items of one depth keep theirs.
    package func startOrder<Item>(_ items: [Item], name: (Item) -> String) -> [Item] {
        items.enumerated().map { (index: $0.offset, depth: depth(of: name($0.element)), item: $0.element) }
            .sorted { ($0.depth, $0.index) < ($1.depth, $1.index) }.map(\.item)
    }
}
