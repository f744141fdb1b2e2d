import Foundation
import Testing

@Suite("Simulation of daemon, operator and kernel")
struct SimulationTests {
    /// `HEARTH_SIM_SEED=n` repeats one world with its story; `HEARTH_SIM_RUNS=n` tries that many new ones.
    private static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["HEARTH_SIM_SEED"].flatMap(UInt64.init) { return [seed] }
        guard let runs = environment["HEARTH_SIM_RUNS"].flatMap(UInt64.init) else { return Array(1...300) }
        let first = UInt64.random(in: 1...1_000_000_000)
        print("simulation: seeds \(first) to \(first + runs)")
        return Array(first..<(first + runs))
    }()

    @Test("no world breaks a promise: one process each, no foreign signal, what is wanted is reached")
    func worlds() {
        var spawns = 0
        for seed in Self.seeds {
            var world = World(seed: seed)
            world.run()
            spawns += world.spawns
            guard !world.violations.isEmpty else { continue }
            var again = World(seed: seed, isTraced: true)
            again.run()
            let story = again.trace.suffix(80).joined(separator: "\n")
            Issue.record("HEARTH_SIM_SEED=\(seed): \(again.violations.joined(separator: "; "))\n\(story)")
            return
        }
        #expect(spawns > Self.seeds.count, "the worlds are alive")
    }
}
