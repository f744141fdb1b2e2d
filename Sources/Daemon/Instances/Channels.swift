import CLinux
import Model
import NodeBridge
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
// next hearthd would not get.
//
// The end of the process closes the channel, never the other way round.

/// The channels to the processes that have one.
final class Channels {
    /// Where the app finds its end, if it has no sockets from us: see DescriptorPlan.
    static let appDescriptor: Int32 = 3
    /// Where it holds ours. A low number: Node closes those when it executes another program.
    static let keptDescriptor: Int32 = 4

    static func environment(_ appDescriptor: Int32) -> [String] {
        ["NODE_CHANNEL_FD=\(appDescriptor)", "NODE_CHANNEL_SERIALIZATION_MODE=json"]
    }

    private let services: Services
    private var channels: [ProcessKey: Channel] = [:]
    /// One turn's reading: an app that writes without end has no more of the loop than that. Unsafe, as a message is looked at
    /// where it lies: it belongs to the one object of this class, which lives as long as hearthd, only the loop touches it,
    /// and `isReading` keeps one reading from within another away from it.
    private let window = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var isReading = false
    private var blamed: Set<ProcessKey> = []

    /// What the app says to Hearth. What Node has for itself does not come here.
    var onMessage: ((ProcessKey, NodeMessage) -> Void)?
    /// What a worker says to its primary. A query is done with when the body is called: until then the next hearthd would
    /// get it again.
    var onCluster: ((ProcessKey, ClusterMessage, _ finished: @escaping () -> Void) -> Void)?
    /// Told once a process what is wrong with what it writes.
    var onMisuse: ((InstanceID, String) -> Void)?

    init(_ services: Services) { self.services = services }

    // MARK: Life of a channel

    /// A channel for a process that is about to be started. The app's end is the caller's to close.
    func open(_ id: InstanceID, _ generation: Generation) throws(SystemError) -> (app: Int32, own: Int32) {
        close(id, generation)
        var ends: [Int32] = [-1, -1]
        try checked(clinux_stream_pair(&ends), "make a channel")
        let (own, app) = (ends[0], ends[1])
        deposit(enter(ProcessKey(id, generation), own, isTakenOver: false))
        return (app, own)
    }

    @discardableResult
    private func enter(_ key: ProcessKey, _ descriptor: Int32, isTakenOver: Bool) -> Channel {
        let channel = Channel(key, descriptor, isTakenOver: isTakenOver, services.loop)
        channel.receive = { [unowned self] channel, message in self.receive(channel, message) }
        channel.onEnd = { [unowned self] in self.close(key.id, key.generation) }
        channel.onTooLong = { [unowned self] in
            guard self.blamed.insert(key).inserted else { return }
            self.onMisuse?(key.id, "wrote a message of more than 1 MiB on its channel; such are not read")
        }
        channels[key] = channel
        return channel
    }

    /// Takes over what a former hearthd left with the keeper.
    func take(_ deposits: [Vault.Deposit]) {
        for deposit in deposits where deposit.kind == KEEPER_KIND_CHANNEL.rawValue {
            let key = ProcessKey(InstanceID(deposit.id), Generation(deposit.generation))
            enter(key, deposit.descriptor, isTakenOver: true)
        }
    }

    /// Where the keeper died too, the app still holds our end. Systems that let no process look into another of the same
    /// user refuse it; then the app has no channel until its next start.
    func recover(_ id: InstanceID, _ generation: Generation, from pidfd: Int32) {
        let key = ProcessKey(id, generation)
        guard channels[key] == nil else { return }
        let ends = DescriptorPlan.channelCandidates.lazy.map { clinux_recover_stream_end(pidfd, $0) }
        guard let end = ends.first(where: { $0 >= 0 }) else { return }
        deposit(enter(key, end, isTakenOver: true))
    }

    /// Closes what was taken over and belongs to no process that runs.
    func closeUnclaimed() {
        for (key, channel) in channels where channel.isTakenOver && !channel.isListening {
            close(key.id, key.generation)
        }
    }

    /// To a keeper that is new.
    func depositAgain() {
        for channel in channels.values { deposit(channel) }
    }

    private func deposit(_ channel: Channel) {
        services.vault.deposit(
            KEEPER_KIND_CHANNEL, id: channel.key.id.rawValue, generation: channel.key.generation.rawValue,
            channel.descriptor)
    }

    func close(_ id: InstanceID, _ generation: Generation) {
        let key = ProcessKey(id, generation)
        blamed.remove(key)
        guard let channel = channels.removeValue(forKey: key) else { return }
        channel.close()
        let descriptor = channel.descriptor
        // The keeper answers when it has what was sent before, so nothing is closed that is still to be sent.
        services.vault.drop(KEEPER_KIND_CHANNEL, id: id.rawValue, generation: generation.rawValue) { _ in
            _ = Glibc.close(descriptor)
        }
    }

    /// All of an instance.
    func closeAll(_ id: InstanceID) {
        for key in channels.keys where key.id == id { close(id, key.generation) }
    }

    // MARK: Writing

    /// Asks the app to end, as PM2 does. False: it cannot be told.
    func askToEnd(_ id: InstanceID, _ generation: Generation) -> Bool {
        channels[ProcessKey(id, generation)]?.sendNow(PrimaryMessage.shutdown) ?? false
    }

    /// A line with its newline, at most `PrimaryMessage.limit` long, in one piece or not at all: half a line would end in an
    /// exception in the app. False: there is no channel, or it takes nothing.
    ///
    /// - Parameter descriptor: goes with it, and is closed in any case.
    @discardableResult
    func send(_ line: [UInt8], to key: ProcessKey, descriptor: Int32? = nil) -> Bool {
        if let channel = channels[key] { return channel.send(line, descriptor: descriptor) }
        if let descriptor { _ = Glibc.close(descriptor) }
        return false
    }

    func isOpen(_ key: ProcessKey) -> Bool { channels[key] != nil }

    // MARK: Reading

    /// Begins to read: the process is known to run. What it wrote before is read at once.
    func listen(_ id: InstanceID, _ generation: Generation) {
        let key = ProcessKey(id, generation)
        guard let channel = channels[key], !channel.isListening else { return }
        channel.isListening = true
        do throws(SystemError) {
            try channel.watch { [unowned self, unowned channel] ready in self.read(channel, ready) }
        } catch {
            services.log.note("the channel of instance \(id) is not read: \(error)")
            channel.isListening = false
            return
        }
        // All that fits into a socket: a timer that is due must not come before what was said in time.
        for _ in 0..<(channel.isTakenOver ? 8 : 1) where !channel.isClosed { read(channel, .readable) }
    }

    private func read(_ channel: Channel, _ ready: EventLoop.Interest) {
        // From within the reading of another one: the loop will tell of it again.
        guard !isReading else { return channel.awaitMore() }
        isReading = true
        channel.read(into: window, ready)
        isReading = false
    }

    private func receive(_ channel: Channel, _ message: NodeMessage) {
        switch message {
        case .cluster(let message):
            var finished: () -> Void = {}
            if case .query = message { finished = channel.beginUnfinished() }
            guard let onCluster else { return finished() }
            onCluster(channel.key, message, finished)
        // What came with it is closed when the message is taken out of the socket.
        case .handle: channel.send(PrimaryMessage.handleAcknowledged, isUrgent: true)
        case .handleAcknowledged: channel.acknowledged()
        case .handleRefused: channel.refused()
        case .internal: break
        case .ready, .nodeVersion, .packet, .other: onMessage?(channel.key, message)
        }
    }
}
