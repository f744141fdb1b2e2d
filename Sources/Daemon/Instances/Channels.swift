import CLinux
import Model
import Platform

#if canImport(Glibc)
    import Glibc
#endif

// What Node has between a process and its parent, without Node: a pair of stream sockets, one JSON value on each line
// in either direction.
//
// An app must not notice that hearthd died. So three hold our end: hearthd; the keeper, which gives it to the next
// hearthd; and the app itself, as descriptor 4, so that not even the death of both closes the channel. While nobody
// reads, messages wait in the socket's buffer (about 200 KiB), and what does not fit there waits in the app.
//
// Our end is with the keeper before the process exists: there is no moment at which a process has a channel that the
// next hearthd would not get. And a message that is waited for is taken out of the socket only when what it means has
// been recorded: a hearthd that dies in between leaves it to its successor.
//
// The end of the process closes the channel, never the other way round.

/// The channels to the apps that have one.
final class Channels {
    /// Where the app finds its end, if it has no sockets from us: see DescriptorPlan.
    static let appDescriptor: Int32 = 3
    /// Where it holds ours. A low number: Node closes those when it executes another program.
    static let keptDescriptor: Int32 = 4

    static func environment(_ appDescriptor: Int32) -> [String] {
        ["NODE_CHANNEL_FD=\(appDescriptor)", "NODE_CHANNEL_SERIALIZATION_MODE=json"]
    }

    private final class Channel {
        let generation: Generation
        let descriptor: Int32
        /// It came from a former hearthd.
        let isTakenOver: Bool
        var isListening = false
        /// 1 MiB: no message that means something here is longer.
        var lines = MessageLines(limit: 1 << 20)
        var pause: EventLoop.TimerToken?
        /// Bytes since the last pause.
        var readOn = 0
        var isBlamed = false

        init(_ generation: Generation, _ descriptor: Int32, isTakenOver: Bool) {
            self.generation = generation
            self.descriptor = descriptor
            self.isTakenOver = isTakenOver
        }
    }

    private let services: Services
    private var channels: [InstanceID: Channel] = [:]
    /// One turn's reading: an app that writes without end has no more of the loop than that.
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    /// After each 64 KiB: some 60 MB/s at most of an app that floods its channel, and the loop for all others.
    private static let pauseOfFlood = Milliseconds(2)

    var isReadyAwaited: ((InstanceID, Generation) -> Bool)?
    var onReady: ((InstanceID, Generation) -> Void)?
    /// Told once a generation what is wrong with what it writes.
    var onMisuse: ((InstanceID, String) -> Void)?

    init(_ services: Services) { self.services = services }

    // MARK: Life of a channel

    /// A channel for a process that is about to be started. The app's end is the caller's to close.
    func open(_ id: InstanceID, _ generation: Generation) throws(SystemError) -> (app: Int32, own: Int32) {
        if let former = channels[id] { close(id, former.generation) }
        var ends: [Int32] = [-1, -1]
        try checked(clinux_stream_pair(&ends), "make a channel")
        let (own, app) = (ends[0], ends[1])
        let channel = Channel(generation, own, isTakenOver: false)
        channels[id] = channel
        deposit(id, channel)
        return (app, own)
    }

    /// Takes over what a former hearthd left with the keeper.
    func take(_ deposits: [Vault.Deposit]) {
        for deposit in deposits where deposit.kind == KEEPER_KIND_CHANNEL.rawValue {
            let (id, generation) = (InstanceID(deposit.id), Generation(deposit.generation))
            if let other = channels[id] {
                // Of two the older one was about to be dropped.
                if other.generation > generation {
                    discard(id, generation, deposit.descriptor)
                    continue
                }
                close(id, other.generation)
            }
            channels[id] = Channel(generation, deposit.descriptor, isTakenOver: true)
        }
    }

    /// Where the keeper died too, the app still holds our end. Systems that let no process look into another of the same
    /// user refuse it; then the app has no channel until its next start.
    func recover(_ id: InstanceID, _ generation: Generation, from pidfd: Int32) {
        guard channels[id]?.generation != generation else { return }
        let ends = DescriptorPlan.channelCandidates.lazy.map { clinux_recover_stream_end(pidfd, $0) }
        guard let end = ends.first(where: { $0 >= 0 }) else { return }
        if let former = channels[id] { close(id, former.generation) }
        let channel = Channel(generation, end, isTakenOver: true)
        channels[id] = channel
        deposit(id, channel)
    }

    /// Closes what was taken over and belongs to no process that runs.
    func closeUnclaimed() {
        for (id, channel) in channels where channel.isTakenOver && !channel.isListening {
            close(id, channel.generation)
        }
    }

    /// To a keeper that is new.
    func depositAgain() {
        for (id, channel) in channels { deposit(id, channel) }
    }

    private func deposit(_ id: InstanceID, _ channel: Channel) {
        services.vault.deposit(
            KEEPER_KIND_CHANNEL, id: id.rawValue, generation: channel.generation.rawValue, channel.descriptor)
    }

    func close(_ id: InstanceID, _ generation: Generation) {
        guard let channel = channels[id], channel.generation == generation else { return }
        channels[id] = nil
        if let pause = channel.pause { services.loop.cancel(pause) }
        if channel.isListening { services.loop.unwatch(channel.descriptor) }
        discard(id, generation, channel.descriptor)
    }

    private func discard(_ id: InstanceID, _ generation: Generation, _ descriptor: Int32) {
        // The keeper answers when it has what was sent before, so nothing is closed that is still to be sent.
        services.vault.drop(KEEPER_KIND_CHANNEL, id: id.rawValue, generation: generation.rawValue) { _ in
            _ = Glibc.close(descriptor)
        }
    }

    // MARK: Writing

    /// Asks the app to end, as PM2 does. False: it cannot be told.
    func askToEnd(_ id: InstanceID, _ generation: Generation) -> Bool {
        guard let channel = channels[id], channel.generation == generation else { return false }
        let message = Array("\"shutdown\"\n".utf8)
        // In one piece or not at all: half a line would end in an exception in the app.
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return send(channel.descriptor, message, message.count, flags) == message.count
    }

    // MARK: Reading

    /// Begins to read: the process is known to run. What it wrote before is read at once.
    func listen(_ id: InstanceID, _ generation: Generation) {
        guard let channel = channels[id], channel.generation == generation, !channel.isListening else { return }
        channel.isListening = true
        do throws(SystemError) {
            try services.loop.watch(channel.descriptor, .readable) { [unowned self] _ in self.read(id, channel) }
        } catch {
            services.log.note("the channel of instance \(id) is not read: \(error)")
            channel.isListening = false
            return
        }
        // All that fits into a socket: a timer that is due must not come before what was said in time.
        for _ in 0..<(channel.isTakenOver ? 8 : 1) where channels[id] === channel { read(id, channel) }
    }

    private func read(_ id: InstanceID, _ channel: Channel) {
        let isAwaited = isReadyAwaited?(id, channel.generation) ?? false
        let flags = Int32(MSG_DONTWAIT) | (isAwaited ? Int32(MSG_PEEK) : 0)
        let count = recv(channel.descriptor, &buffer, buffer.count, flags)
        let error = errno
        if count < 0, error == EAGAIN || error == EINTR { return }
        // The app closed its end (`process.disconnect()`), or it is gone.
        guard count > 0 else { return close(id, channel.generation) }

        var isReady = false
        let skipped = channel.lines.skipped
        buffer.withUnsafeBytes { bytes in
            channel.lines.feed(UnsafeRawBufferPointer(rebasing: bytes.prefix(count))) { line in
                if Self.isReady(line) { isReady = true }
            }
        }
        if isReady { onReady?(id, channel.generation) }
        if channel.lines.skipped != skipped, !channel.isBlamed {
            channel.isBlamed = true
            onMisuse?(
                id, "wrote a message of more than \(channel.lines.limit >> 20) MiB on its channel; such are not read")
        }
        guard channels[id] === channel else { return }
        if isAwaited { consume(count, channel.descriptor) }
        channel.readOn += count
        if channel.readOn >= buffer.count { pause(channel) }
    }

    /// Takes out of the socket what was only looked at.
    private func consume(_ count: Int, _ descriptor: Int32) {
        var left = count
        while left > 0 {
            let taken = recv(descriptor, &buffer, min(left, buffer.count), Int32(MSG_DONTWAIT))
            if taken <= 0 { return }
            left -= taken
        }
    }

    private func pause(_ channel: Channel) {
        channel.readOn = 0
        guard channel.pause == nil else { return }
        services.loop.change(channel.descriptor, to: [])
        channel.pause = services.loop.schedule(after: Self.pauseOfFlood) { [services] in
            channel.pause = nil
            services.loop.change(channel.descriptor, to: .readable)
        }
    }

    private static let ready = Array("\"ready\"".utf8)

    private static func isReady(_ line: UnsafeRawBufferPointer) -> Bool {
        // Longer lines are other messages; the margin is for blanks around the word.
        guard line.count >= ready.count, line.count <= ready.count + 16 else { return false }
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d }
        return line.drop(while: isBlank).reversed().drop(while: isBlank).reversed().elementsEqual(ready)
    }
}
