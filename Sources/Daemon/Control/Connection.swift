import CLinux
import Control
import Model
import Platform

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#endif

/// One client. Calls are answered in order, one at a time; what is written waits in a bounded buffer.
final class Connection {
    struct Peer {
        var pid: Int32
        var uid: uid_t
    }

    /// A message must be complete this long after its first byte.
    private static let requestDeadline = Milliseconds(10_000)
    /// A client that reads nothing for this long is dropped.
    private static let writeDeadline = Milliseconds(30_000)
    /// A client that asks nothing for this long is dropped.
    private static let idleDeadline = Milliseconds(600_000)
    /// What a slow reader of events may fall behind.
    static let streamLimit = 1 << 20

    let peer: Peer
    private let fd: Int32
    private let loop: EventLoop
    private var framer = MessageFramer()
    private var queue: [Data] = []
    private var queuedBytes = 0
    private var outbox = Data()
    private var isCalling = false
    private var isTakingCalls = false
    private var isClosed = false
    private var closesWhenWritten = false
    private var timer: EventLoop.TimerToken?
    private var timerKind = 0
    /// Called for each message, when the one before was answered.
    var onCall: ((Connection, Data) -> Void)?
    var onClose: ((Connection) -> Void)?

    init(_ fd: Int32, peer: Peer, loop: EventLoop) throws(SystemError) {
        self.fd = fd
        self.peer = peer
        self.loop = loop
        try loop.watch(fd, .readable) { [unowned self] ready in self.ready(ready) }
        arm()
    }

    var descriptor: Int32 { fd }
    var pendingBytes: Int { outbox.count }
    /// Nothing of this client is with us: what it may have sent is still in the socket.
    var isIdle: Bool {
        !isClosed && !isCalling && queue.isEmpty && framer.pendingBytes == 0 && outbox.isEmpty && !closesWhenWritten
    }

    // MARK: Reading

    private func ready(_ ready: EventLoop.Interest) {
        if ready.contains(.writable) { flush() }
        guard !isClosed, ready.contains(.readable) || ready.contains(.hangUp) else { return }
        // 256 KiB a turn: one client's large request does not hold the others.
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        let count = read(fd, &buffer, buffer.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return close() }
        // What comes after a refused message means nothing.
        guard !closesWhenWritten else { return }
        buffer.withUnsafeBytes { framer.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        while let message = framer.next() {
            queue.append(message)
            queuedBytes += message.count
        }
        // 1,000 calls that nobody waited for are no client; nor are fewer that weigh more than the largest one may.
        if framer.pendingBytes + queuedBytes > Varlink.maximumMessageBytes || queue.count > 1000 {
            let limit = Varlink.maximumMessageBytes
            let complaint = "a message is longer than \(limit) bytes, or more than that or 1000 calls wait"
            send(Varlink.error(ControlError(.badRequest, complaint)))
            (queue, queuedBytes) = ([], 0)
            closesWhenWritten = true
            return flush()
        }
        arm()
        nextCall()
    }

    /// Takes up what waits, one call at a time, unless the client does not read the answers that it has got.
    private func nextCall() {
        // An answer that is given at once comes back to here: a loop, as 1,000 of them would be a deep recursion.
        guard !isTakingCalls else { return }
        isTakingCalls = true
        defer { isTakingCalls = false }
        while !isCalling, !isClosed, !closesWhenWritten, outbox.count <= Self.streamLimit, !queue.isEmpty {
            isCalling = true
            let message = queue.removeFirst()
            queuedBytes -= message.count
            onCall?(self, message)
        }
    }

    // MARK: Answering

    /// The answer to the present call; the next one is taken up.
    func answer(_ message: Data?) {
        guard !isClosed else { return }
        if let message { send(message) }
        isCalling = false
        arm()
        nextCall()
    }

    /// One of several answers to the present call. False when the client is too far behind: it was dropped.
    @discardableResult
    func stream(_ message: Data) -> Bool {
        guard !isClosed else { return false }
        if outbox.count > Self.streamLimit {
            close()
            return false
        }
        send(message)
        return !isClosed
    }

    private func send(_ message: Data) {
        outbox.append(message)
        flush()
    }

    private func flush() {
        guard !isClosed else { return }
        var written = 0
        while written < outbox.count {
            let count = outbox.withUnsafeBytes { raw -> Int in
                Glibc.send(fd, raw.baseAddress?.advanced(by: written), raw.count - written, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count > 0 else { return close() }
            written += count
        }
        if written > 0 {
            outbox = written == outbox.count ? Data() : outbox.dropFirst(written)
            // Re-based, so that indices begin at 0 again.
            if !outbox.isEmpty { outbox = Data(outbox) }
            timerKind = 0
        }
        loop.change(fd, to: outbox.isEmpty ? .readable : [.readable, .writable])
        if outbox.isEmpty, closesWhenWritten { return close() }
        arm()
        if written > 0 { nextCall() }
    }

    // MARK: Deadlines

    /// Arms the deadline that counts now; the same one keeps running.
    private func arm() {
        guard !isClosed else { return }
        let kind: Int
        let delay: Milliseconds
        if !outbox.isEmpty {
            (kind, delay) = (1, Self.writeDeadline)
        } else if isCalling {
            (kind, delay) = (2, Milliseconds(0))
        } else if framer.pendingBytes > 0 {
            (kind, delay) = (3, Self.requestDeadline)
        } else {
            (kind, delay) = (4, Self.idleDeadline)
        }
        guard kind != timerKind else { return }
        timerKind = kind
        if let timer { loop.cancel(timer) }
        // A call that is being worked on has the deadline of its operation.
        timer = kind == 2 ? nil : loop.schedule(after: delay) { [weak self] in self?.close() }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        if let timer { loop.cancel(timer) }
        loop.unwatch(fd)
        _ = Glibc.close(fd)
        onClose?(self)
    }

    /// Gives the descriptor away, for an exec; nothing may be pending.
    func release() -> Int32 {
        isClosed = true
        if let timer { loop.cancel(timer) }
        loop.unwatch(fd)
        return fd
    }
}
