import CLinux
import Model
import NodeBridge
import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// Names the process: two of one instance run while one takes the other's place.
struct ProcessKey: Hashable, Sendable, CustomStringConvertible {
    var id: InstanceID
    var generation: Generation

    init(_ id: InstanceID, _ generation: Generation) {
        self.id = id
        self.generation = generation
    }

    var description: String { "\(id) (generation \(generation))" }
}

// A message is looked at, acted upon, and then taken out of the socket, in whole lines: a hearthd that dies in between
// leaves it to the next. What takes longer (a worker that waits for a socket) stays in the socket until it is done, and
// what stands behind it too, although it has been read.
//
//     socket:  [ done | unfinished | done | not read yet …
//              ^ taken             ^ looked

/// The channel of one process.
final class Channel {
    let key: ProcessKey
    let descriptor: Int32
    /// It came from a former hearthd.
    let isTakenOver: Bool
    var isListening = false
    private let loop: EventLoop
    var receive: ((Channel, NodeMessage) -> Void)?
    var onEnd: (() -> Void)?
    var onTooLong: (() -> Void)?

    /// 1 MiB: no message that means something here is longer.
    private var lines = MessageLines(limit: 1 << 20)
    private var pause: EventLoop.TimerToken?
    /// Bytes since the last pause.
    private var readOn = 0
    /// Bytes at the head of the socket that have been looked at, and not been taken out.
    private var looked = 0
    /// What stands in them unfinished, in order.
    private var unfinished: [Unfinished] = []
    private var outbox = Outbox()
    private var isBlocked = false
    private(set) var isClosed = false

    /// After each window: some 60 MB/s at most of an app that floods its channel, and the loop for all others.
    private static let pauseOfFlood = Milliseconds(2)

    private final class Unfinished {
        var start: Int
        init(_ start: Int) { self.start = start }
    }

    init(_ key: ProcessKey, _ descriptor: Int32, isTakenOver: Bool, _ loop: EventLoop) {
        self.key = key
        self.descriptor = descriptor
        self.isTakenOver = isTakenOver
        self.loop = loop
    }

    /// The descriptor is the caller's to close.
    func close() {
        isClosed = true
        if let pause { loop.cancel(pause) }
        if isListening { loop.unwatch(descriptor) }
        for waiting in outbox.removeAll() { _ = Glibc.close(waiting) }
    }

    // MARK: Reading

    /// Each time it is told of what is new: a line whose end does not come costs nothing.
    func watch(_ body: @escaping (EventLoop.Interest) -> Void) throws(SystemError) {
        try loop.watch(descriptor, [.readable, .edge], handler: body)
    }

    /// What is there is told of once more.
    func awaitMore() {
        guard isListening, !isClosed else { return }
        var interest: EventLoop.Interest = [.edge]
        if pause == nil { interest.insert(.readable) }
        if isBlocked { interest.insert(.writable) }
        loop.change(descriptor, to: interest)
    }

    /// Looks at what came, calls `receive` with it, and takes it out of the socket. `window` is the caller's, and nothing of it
    /// is kept: messages that outlive the call are copied by `NodeMessage`, and what is unfinished is known by its offset.
    func read(into window: UnsafeMutableRawBufferPointer, _ ready: EventLoop.Interest) {
        if ready.contains(.writable) { flush() }
        guard pause == nil, !isClosed else { return }
        let count = recv(descriptor, window.baseAddress, window.count, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK))
        let error = errno
        if count < 0, error == EAGAIN || error == EINTR { return }
        // The app closed its end (`process.disconnect()`), or it is gone.
        guard count > 0 else { onEnd?(); return }

        let raw = UnsafeRawBufferPointer(window)
        let bytes = UnsafeRawBufferPointer(rebasing: raw[min(looked, count)..<count])
        let fed = ripe(bytes, isWindowFull: count == raw.count)
        if fed > 0 { feed(UnsafeRawBufferPointer(rebasing: bytes[..<fed]), in: raw) }
        guard !isClosed else { return }
        guard fed > 0 else {
            // Nobody will write its end.
            if ready.contains(.hangUp) { onEnd?() }
            return
        }
        takeOut()
        readOn += fed
        if readOn >= window.count { rest() } else { awaitMore() }
    }

    /// How many of these bytes are to be looked at now: whole lines, unless one is longer than the window.
    private func ripe(_ bytes: UnsafeRawBufferPointer, isWindowFull: Bool) -> Int {
        if let newline = bytes.lastIndex(of: 0x0a) { return newline + 1 }
        return lines.isCollecting || (isWindowFull && looked == 0) ? bytes.count : 0
    }

    private var present: Int?

    private func feed(_ bytes: UnsafeRawBufferPointer, in window: UnsafeRawBufferPointer) {
        let skipped = lines.skipped
        lines.feed(bytes) { line in
            guard !self.isClosed, !line.isEmpty, let message = NodeMessage(line: line) else { return }
            // A line that was collected is in the socket no more.
            self.present = Self.offset(of: line, in: window)
            self.receive?(self, message)
            self.present = nil
        }
        looked += bytes.count
        if lines.skipped != skipped { onTooLong?() }
    }

    private static func offset(of line: UnsafeRawBufferPointer, in window: UnsafeRawBufferPointer) -> Int? {
        guard let start = line.baseAddress, let first = window.baseAddress else { return nil }
        let offset = start - first
        return offset >= 0 && offset < window.count ? offset : nil
    }

    /// The message that is being received is not done with. The result is to be called when it is.
    func beginUnfinished() -> () -> Void {
        guard let present else { return {} }
        let token = Unfinished(present)
        unfinished.append(token)
        return { [weak self] in self?.finish(token) }
    }

    private func finish(_ token: Unfinished) {
        guard !isClosed, let index = unfinished.firstIndex(where: { $0 === token }) else { return }
        unfinished.remove(at: index)
        // While a window is read, its bytes stay where they are.
        guard present == nil else { return }
        takeOut()
        awaitMore()
    }

    private func takeOut() {
        var left = unfinished.first?.start ?? looked
        while left > 0 {
            let taken = clinux_discard(descriptor, left)
            if taken <= 0 { return }
            left -= taken
            looked -= taken
            for one in unfinished { one.start -= taken }
        }
    }

    private func rest() {
        readOn = 0
        guard pause == nil else { return }
        pause = loop.schedule(after: Self.pauseOfFlood) { [weak self] in
            self?.pause = nil
            self?.awaitMore()
        }
        awaitMore()
    }

    // MARK: Writing

    /// Sends a line, now or when what was sent before has arrived. False: it cannot be told any more.
    ///
    /// - Parameter descriptor: goes with it, and is closed when it has arrived.
    @discardableResult
    func send(_ line: [UInt8], descriptor: Int32? = nil, isUrgent: Bool = false) -> Bool {
        let message = Outbox.Outgoing(line: line, descriptor: descriptor)
        guard !isClosed, line.count <= PrimaryMessage.limit, outbox.add(message, isUrgent: isUrgent) else {
            if let descriptor { _ = Glibc.close(descriptor) }
            return false
        }
        flush()
        return true
    }

    /// The same for what is of use only now.
    func sendNow(_ line: [UInt8]) -> Bool {
        guard !isClosed else { return false }
        guard outbox.isEmpty else { return send(line) }
        return clinux_send_line(descriptor, line, line.count, -1) == line.count
    }

    func acknowledged() {
        if let arrived = outbox.acknowledged() { _ = Glibc.close(arrived) }
        flush()
    }

    func refused() {
        if let lost = outbox.refused() { _ = Glibc.close(lost) }
        flush()
    }

    private func flush() {
        let wasBlocked = isBlocked
        isBlocked = false
        while let message = outbox.next {
            let sent = clinux_send_line(descriptor, message.line, message.line.count, message.descriptor ?? -1)
            if sent == -Int(EAGAIN) {
                isBlocked = true
                break
            }
            // Any other failure shows on the reading side.
            outbox.sent()
        }
        if wasBlocked != isBlocked { awaitMore() }
    }
}
