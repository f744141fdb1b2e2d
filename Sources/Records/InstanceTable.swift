internal import CLinux
package import Model
package import Platform

#if canImport(Glibc)
    import Glibc
#endif

// The instance table: what must outlive a daemon, in shared memory that the keeper holds.
//
// A memfd of fixed slots, mapped MAP_SHARED. A SIGKILL at any instruction leaves it readable: each slot holds two
// copies of its record, written in turn, each with a serial and a CRC, so one of them is always whole. The child of a
// spawn writes its own pid into the slot before it does anything else, so there is no moment at which a process runs
// that the table does not know. A copy of the memory is written to disk by the state thread for the case that daemon
// and keeper die together; it is never waited for.
//
// Slot layout (4096 bytes): [0] state 0 free, 1 used · [4] pid written by the child · [8] generation the pid belongs
// to · [64] copy 0 · [2080] copy 1; each copy: serial, length, CRC, record as JSON.
// The first slot is the header: magic, layout version, boot id, pid namespace.

package final class InstanceTable {
    package static let slotBytes = 4096
    /// Instances at most. The mapping is virtual: only slots that are used take memory.
    package static let capacity = 8192
    static let copyOffsets = [64, 2080]
    static let copyHeaderBytes = 12
    static let payloadBytes = 2016 - 12
    static let magic: UInt32 = 0x4854_4231  // HTB1

    /// The memfd, to be deposited with the keeper. Owned by the table.
    package let descriptor: Int32
    private let memory: UnsafeMutableRawPointer
    private var slots: [InstanceID: Int] = [:]
    private var free: [Int] = []
    private var highest = 0
    /// Slots that lie within the file; touching memory beyond its end would be fatal.
    private var backed: Int

    /// Maps the table behind `descriptor`; nil makes a new one.
    package init(descriptor existing: Int32?, machine: MachineIdentity) throws(SystemError) {
        let fd: Int32
        if let existing {
            fd = existing
        } else {
            fd = try checked(clinux_memfd("hearth-instances"), "create the instance table")
        }
        var failure: Int32 = 0
        let bytes = (Self.capacity + 1) * Self.slotBytes
        guard let memory = clinux_map_shared(fd, bytes, &failure) else {
            throw SystemError(failure, "map the instance table")
        }
        descriptor = fd
        self.memory = memory
        var status = stat()
        backed = fstat(fd, &status) == 0 ? Int(status.st_size) / Self.slotBytes - 1 : -1
        try grow(to: 0)
        if !image.belongs(to: machine) { TableImage.writeHeader(memory, machine) }
        scan()
    }

    /// Makes room for slot `index`, 16 slots at a time.
    private func grow(to index: Int) throws(SystemError) {
        guard index > backed else { return }
        let slots = min(Self.capacity, index == 0 ? 0 : max(index, backed + 16))
        if ftruncate(descriptor, off_t((slots + 1) * Self.slotBytes)) != 0 {
            throw SystemError(errno, "grow the instance table")
        }
        backed = slots
    }

    private func scan() {
        for index in 1..<max(backed + 1, 1) {
            guard let record = image.record(at: index) else { continue }
            // Two slots of one instance cannot be; should it happen, the later generation counts.
            if let other = slots[record.id], let former = image.record(at: other),
                former.generation >= record.generation
            {
                release(index)
                continue
            }
            slots[record.id] = index
            highest = max(highest, index)
        }
        let used = Set(slots.values)
        free = (1..<(highest + 1)).filter { !used.contains($0) }.reversed()
    }

    private var image: TableImage {
        TableImage(UnsafeRawBufferPointer(start: memory, count: (backed + 1) * Self.slotBytes))
    }

    /// Every record, with the pid that a spawn child left although no daemon took note of it.
    package func records() -> [InstanceRecord] {
        slots.values.sorted().compactMap { image.record(at: $0) }
    }

    /// Writes a record into its slot. False when the table is full or cannot grow.
    @discardableResult
    package func write(_ record: InstanceRecord) -> Bool {
        let index: Int
        if let known = slots[record.id] {
            index = known
        } else if let reused = free.popLast() {
            index = reused
        } else if highest < Self.capacity, (try? grow(to: highest + 1)) != nil {
            highest += 1
            index = highest
        } else {
            return false
        }
        slots[record.id] = index
        let slot = memory + index * Self.slotBytes
        let generation = Int32(bitPattern: record.spawning.rawValue)
        if clinux_load_word(word(slot, 8)) != generation {
            // The pid word belongs to the new generation from here on.
            clinux_store_word(word(slot, 4), 0)
            clinux_store_word(word(slot, 8), generation)
        }
        TableImage.writeCopy(slot, RecordCoding.encode(record))
        clinux_store_word(word(slot, 0), 1)
        return true
    }

    package func remove(_ id: InstanceID) {
        guard let index = slots.removeValue(forKey: id) else { return }
        release(index)
        free.append(index)
    }

    private func release(_ index: Int) {
        let slot = memory + index * Self.slotBytes
        clinux_store_word(word(slot, 0), 0)
        clinux_store_word(word(slot, 4), 0)
        clinux_store_word(word(slot, 8), 0)
        for offset in Self.copyOffsets { (slot + offset).initializeMemory(as: UInt8.self, repeating: 0, count: 12) }
    }

    /// Where the child of a spawn writes its pid.
    package func pidSlot(of id: InstanceID) -> PidSlot? {
        slots[id].map { PidSlot((memory + $0 * Self.slotBytes + 4).assumingMemoryBound(to: Int32.self)) }
    }

    private func word(_ slot: UnsafeMutableRawPointer, _ offset: Int) -> UnsafeMutablePointer<Int32> {
        (slot + offset).assumingMemoryBound(to: Int32.self)
    }

    /// A reader of the mapping for another thread: it copies what is there, and the CRCs make torn copies harmless.
    package var reader: TableReader { TableReader(memory: memory, slots: highest) }

    /// Takes over the records of a disk copy, when the memory was lost with both daemon and keeper.
    package func load(_ records: [InstanceRecord]) {
        for record in records { write(record) }
    }

    // MARK: The copy on disk

    /// Records of the disk copy; nil when there is none of this boot.
    package static func read(_ paths: HomePaths, _ machine: MachineIdentity) -> [InstanceRecord]? {
        guard let bytes = try? FileSystem.read(paths.instanceTable(of: machine), limit: (capacity + 1) * slotBytes)
        else { return nil }
        return bytes.withUnsafeBytes { raw in
            let image = TableImage(raw)
            guard image.belongs(to: machine) else { return nil }
            return image.allRecords()
        }
    }

    /// The machine and boot of a copy on disk; nil: it is none.
    package static func origin(ofCopy path: String) -> (machine: String, boot: String)? {
        guard let bytes = try? FileSystem.read(path, limit: (capacity + 1) * slotBytes) else { return nil }
        return bytes.withUnsafeBytes { raw in
            guard let words = TableImage(raw).header?.split(separator: " "), words.count == 4 else { return nil }
            return (String(words[1]), String(words[2]))
        }
    }
}

/// Lets the state thread copy the table's memory.
package struct TableReader: @unchecked Sendable {
    // Sendable: the mapping is never unmapped; a copy that is torn by a concurrent write is recognised by its CRC.
    let memory: UnsafeMutableRawPointer
    let slots: Int

    /// Writes the disk copy.
    package func save(to path: String) throws(SystemError) {
        let raw = UnsafeRawBufferPointer(start: memory, count: (slots + 1) * InstanceTable.slotBytes)
        // Not synced: after a power cut the boot id differs and nobody believes it.
        try FileSystem.replace(path, with: raw, sync: false)
    }
}

/// The bytes of a table, wherever they lie.
struct TableImage {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private var slotCount: Int { bytes.count / InstanceTable.slotBytes }

    func belongs(to machine: MachineIdentity) -> Bool { header == Self.headerText(machine) }

    var header: String? {
        guard bytes.count >= InstanceTable.slotBytes, load(0) == InstanceTable.magic else { return nil }
        let length = Int(load(4))
        guard length <= 256 else { return nil }
        return String(decoding: bytes[8..<(8 + length)], as: UTF8.self)
    }

    private static func headerText(_ machine: MachineIdentity) -> String {
        "1 \(machine.machine.prefix(64)) \(machine.boot.prefix(64)) \(machine.pidNamespace)"
    }

    static func writeHeader(_ memory: UnsafeMutableRawPointer, _ machine: MachineIdentity) {
        let text = Array(headerText(machine).utf8)
        memory.storeBytes(of: UInt32(text.count), toByteOffset: 4, as: UInt32.self)
        (memory + 8).copyMemory(from: text, byteCount: text.count)
        memory.storeBytes(of: InstanceTable.magic, as: UInt32.self)
    }

    static func writeCopy(_ slot: UnsafeMutableRawPointer, _ record: [UInt8]) {
        let payload = record.prefix(InstanceTable.payloadBytes)
        let serials = InstanceTable.copyOffsets.map { slot.load(fromByteOffset: $0, as: UInt32.self) }
        // The older copy is overwritten; the newer one stays whole until the new one is.
        let older = serials[0] <= serials[1] ? 0 : 1
        let target = slot + InstanceTable.copyOffsets[older]
        target.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
        (target + InstanceTable.copyHeaderBytes).copyMemory(from: Array(payload), byteCount: payload.count)
        target.storeBytes(of: clinux_crc32(Array(payload), payload.count), toByteOffset: 8, as: UInt32.self)
        target.storeBytes(of: UInt32(payload.count), toByteOffset: 4, as: UInt32.self)
        target.storeBytes(of: max(serials[0], serials[1]) &+ 1, as: UInt32.self)
    }

    func allRecords() -> [InstanceRecord] {
        (1..<max(slotCount, 1)).compactMap { record(at: $0) }
    }

    func record(at index: Int) -> InstanceRecord? {
        let base = index * InstanceTable.slotBytes
        guard index > 0, index < slotCount, load(base) == 1 else { return nil }
        var best: (serial: UInt32, payload: ArraySlice<UInt8>)?
        for offset in InstanceTable.copyOffsets {
            let serial = load(base + offset)
            let length = Int(load(base + offset + 4))
            guard serial > 0, length > 0, length <= InstanceTable.payloadBytes, serial > (best?.serial ?? 0) else {
                continue
            }
            let start = base + offset + InstanceTable.copyHeaderBytes
            let payload = Array(bytes[start..<(start + length)])
            guard clinux_crc32(payload, length) == load(base + offset + 8) else { continue }
            best = (serial, payload[...])
        }
        guard let best, var record = try? RecordCoding.decode(InstanceRecord.self, from: Array(best.payload)) else {
            return nil
        }
        let pid = Int32(bitPattern: load(base + 4))
        let generation = load(base + 8)
        if record.process == nil, pid > 0, generation == record.generation.rawValue, record.phase == .starting {
            // Spawned, and the daemon died before it could note more than the child itself did.
            record.process = ProcessIdentity(pid: pid, startTime: 0)
        }
        if record.successor?.process == nil, pid > 0, generation == record.successor?.generation.rawValue {
            record.successor?.process = ProcessIdentity(pid: pid, startTime: 0)
        }
        return record
    }

    private func load(_ offset: Int) -> UInt32 {
        guard offset >= 0, offset + 4 <= bytes.count else { return 0 }
        return bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
}
