import Model
import Testing

@Suite("Order of dependencies")
struct DependencyOrderTests {
    private func order(_ apps: (String, [String])...) -> DependencyOrder { DependencyOrder(apps.map { ($0.0, $0.1) }) }

    @Test("what others wait for is started first and stopped last; the rest keeps its order")
    func stages() {
        let order = order(("web", ["api", "cache"]), ("api", ["db"]), ("db", []), ("cache", []), ("alone", []))
        let names = ["web", "alone", "api", "cache", "db"]
        #expect(order.startOrder(names) { $0 } == ["alone", "cache", "db", "api", "web"])
        #expect(order.stopStages(names) { $0 } == [["web"], ["api"], ["alone", "cache", "db"]])
        #expect(order.cycle == nil)
    }

    @Test("entries with one name count as one app, and a name that is not there holds nobody")
    func names() {
        let order = order(("web", ["gone"]), ("web", ["db"]), ("db", []))
        #expect(order.stopStages(["web", "web", "db"]) { $0 } == [["web", "web"], ["db"]])
    }

    @Test("apps that wait for each other are named, however long the circle is")
    func cycles() {
        #expect(order(("a", ["a"])).cycle == ["a", "a"])
        #expect(order(("x", ["a"]), ("a", ["b"]), ("b", ["c"]), ("c", ["a"])).cycle == ["a", "b", "c", "a"])
        let many = (0..<5000).map { ("n\($0)", ["n\(($0 + 1) % 5000)"]) }
        #expect(DependencyOrder(many.map { (name: $0.0, dependsOn: $0.1) }).cycle?.count == 5001)
    }

    @Test("apps in a circle are neither lost nor waited for for ever: they come last")
    func cyclesAreOrdered() {
        let order = order(("a", ["b"]), ("b", ["a"]), ("c", []))
        #expect(order.startOrder(["a", "b", "c"]) { $0 } == ["c", "a", "b"])
        #expect(order.stopStages(["c", "a", "b"]) { $0 } == [["a", "b"], ["c"]])
    }
}
