/// Turns CPU time that only grows into percent of one core, with a memory of one sample per key.
///
/// Include in the key what makes a new process tree (the generation), or `forget` a key when it is restarted:
/// otherwise the first value after a restart is 0.
package struct CPUSampler<Key: Hashable & Sendable>: Sendable {
    /// Less would measure the clock ticks (10 ms) rather than the process.
    private static var interval: Int64 { 1_000_000_000 }

    private struct Sample: Sendable {
        var ticks: UInt64
        var boottimeNs: Int64
        var percent: Double?
    }

    private var samples: [Key: Sample] = [:]
    private let ticksPerSecond: Double

    package init(ticksPerSecond: UInt64 = ResourceUsage.ticksPerSecond) {
        self.ticksPerSecond = Double(max(1, ticksPerSecond))
    }

    /// Percent of one core since the sample before. nil for the first one; within a second of the last one, the
    /// value as it was then.
    package mutating func sample(_ key: Key, ticks: UInt64, at boottimeNs: Int64) -> Double? {
        guard let last = samples[key], boottimeNs >= last.boottimeNs else {
            samples[key] = Sample(ticks: ticks, boottimeNs: boottimeNs, percent: nil)
            return nil
        }
        let (elapsed, overflow) = boottimeNs.subtractingReportingOverflow(last.boottimeNs)
        guard overflow || elapsed >= Self.interval else { return last.percent }
        // A process that ended takes its time out of the sum: less than before means nothing that can be said.
        let used = ticks >= last.ticks ? ticks &- last.ticks : 0
        let percent = Double(used) / ticksPerSecond / (Double(overflow ? Int64.max : elapsed) / 1e9) * 100
        samples[key] = Sample(ticks: ticks, boottimeNs: boottimeNs, percent: percent)
        return percent
    }

    package mutating func forget(_ key: Key) { samples[key] = nil }

    /// Forgets all but these.
    package mutating func keep(only keys: Set<Key>) { samples = samples.filter { keys.contains($0.key) } }
}
