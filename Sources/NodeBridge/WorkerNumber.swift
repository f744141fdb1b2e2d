/// `NODE_UNIQUE_ID`, which an app sees as `cluster.worker.id`.
package enum WorkerNumber {
    /// Unique among the processes of an app, positive, and within the 32 bits that Node keeps of it. The first process of
    /// each instance has the instance's number, counted from 1.
    package static func make(instance: Int, generation: UInt32) -> Int {
        let number = max(0, instance) % 2047 + 1
        let former = Int(generation == 0 ? 0 : generation - 1) % (1 << 20)
        return former << 11 | number
    }
}
