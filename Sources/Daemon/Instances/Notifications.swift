import CLinux
import Model
import Platform
import Supervision

#if canImport(Glibc)
    import Glibc
#endif

// What systemd has between a service and its manager (`sd_notify`): one datagram socket for each process that wants it,
// under an abstract name that follows from home, id and generation. So the next hearthd binds it again without anybody
// having kept it. In between a sender is refused, which clients of the protocol do not mind; a socket that somebody
// held without reading it would block them.
//
// An abstract name is open to every process of the machine. The kernel tells who sends; heard is only who belongs to
// the instance.

/// The notification sockets of the apps that have one.
final class Notifications {
    private final class Listener {
        let id: InstanceID
        let generation: Generation
        let descriptor: Int32
        var watchdog: WatchdogTimer
        var sender: NotificationSender?
        var statusText: String?
        var pause: EventLoop.TimerToken?
        var isBlamed = false
        var isClosed = false
        /// When it was last told of in `events`.
        var toldAt = Instant(milliseconds: 0)

        init(_ id: InstanceID, _ generation: Generation, _ descriptor: Int32, _ watchdog: WatchdogTimer) {
            self.id = id
            self.generation = generation
            self.descriptor = descriptor
            self.watchdog = watchdog
        }
    }

    private let services: Services
    private let processes = ProcReader()
    private var listeners: [ProcessKey: Listener] = [:]
    /// Twice what `sd_notify` of systemd hands on; a longer datagram is not read.
    private var buffer = [UInt8](repeating: 0, count: 8 << 10)
    private var descriptors = [Int32](repeating: -1, count: Int(CLINUX_NOTIFY_DESCRIPTORS))
    private static let mostInOneTurn = 64
    /// net.unix.max_dgram_qlen where systemd set it; 10 elsewhere.
    private static let mostInASocket = 512
    /// After each turn that was full: some 30,000 datagrams a second at most, and the loop for all others.
    private static let pauseOfFlood = Milliseconds(2)

    /// Whether it is still waited for the app to be ready: its watchdog begins with that.
    var isReadyAwaited: ((InstanceID, Generation) -> Bool)?
    var onReady: ((InstanceID, Generation) -> Void)?
    /// With a sentence for the reason.
    var onWatchdogMissed: ((InstanceID, Generation, String) -> Void)?
    /// Told once a generation what is wrong with what it sends, or who else sends.
    var onMisuse: ((InstanceID, String) -> Void)?
    /// What an app says of itself, for `events`.
    var onWord: ((InstanceID, String) -> Void)?
    /// The descriptors are the receiver's.
    var onStore: ((InstanceID, [Int32], _ name: String?) -> Void)?
    var onRemove: ((InstanceID, _ name: String?) -> Void)?

    init(_ services: Services) { self.services = services }

    // MARK: Life of a socket

    /// A socket for a process that is about to be started; what its environment needs.
    func open(_ id: InstanceID, _ generation: Generation, _ spec: AppSpec) throws(SystemError) -> [String] {
        try bind(id, generation, spec)
        var environment = ["NOTIFY_SOCKET=@\(name(id, generation))"]
        // Without WATCHDOG_PID it counts for whichever process of the app says it.
        if let period = spec.watchdog { environment.append("WATCHDOG_USEC=\(period.rawValue &* 1000)") }
        return environment
    }

    private func name(_ id: InstanceID, _ generation: Generation) -> String {
        "hearth-\(services.homeID)-\(id)-\(generation)"
    }

    private func bind(_ id: InstanceID, _ generation: Generation, _ spec: AppSpec) throws(SystemError) {
        close(id, generation)
        let descriptor = try checked(
            clinux_notify_socket(name(id, generation)), "bind the notification socket '@\(name(id, generation))'")
        listeners[ProcessKey(id, generation)] = Listener(
            id, generation, descriptor, WatchdogTimer(services.loop, period: spec.watchdog))
    }

    /// Begins to read: the process is known to run. What it sent before is read at once.
    func begin(_ id: InstanceID, _ generation: Generation, _ process: ProcessIdentity) {
        guard let listener = listeners[ProcessKey(id, generation)], listener.sender == nil else { return }
        listener.sender = NotificationSender(main: process, processes)
        do throws(SystemError) {
            try services.loop.watch(listener.descriptor, .readable) { [unowned self] _ in self.read(listener) }
        } catch {
            services.log.note("the notification socket of instance \(id) is not read: \(error)")
            return
        }
        listener.watchdog.onMissed = { [unowned self, unowned listener] in self.missed(listener) }
        // What waits in the socket was said in time, however late this loop is.
        listener.watchdog.beforeVerdict = { [unowned self, unowned listener] in
            self.receive(listener, atMost: Self.mostInASocket)
        }
        listener.watchdog.isHeld = { [unowned self] in self.isReadyAwaited?(id, generation) ?? false }
        listener.watchdog.start()
        read(listener)
    }

    /// For a process that a former hearthd started.
    func adopt(_ id: InstanceID, _ generation: Generation, _ spec: AppSpec, _ process: ProcessIdentity, tries: Int = 50)
    {
        do throws(SystemError) { try bind(id, generation, spec) } catch {
            // A hearthd that was killed this moment may still have it.
            guard tries > 0, error.errno == EADDRINUSE else {
                return services.log.note("instance \(id) is not heard: \(error)")
            }
            services.loop.schedule(after: Milliseconds(100)) { [weak self] in
                guard process.isAlive() else { return }
                self?.adopt(id, generation, spec, process, tries: tries - 1)
            }
            return
        }
        begin(id, generation, process)
    }

    func close(_ id: InstanceID, _ generation: Generation) {
        guard let listener = listeners.removeValue(forKey: ProcessKey(id, generation)) else { return }
        // Its last words: `STATUS=` and `FDSTORE=1` of a process that ended right after them count.
        if listener.sender != nil { receive(listener, atMost: Self.mostInOneTurn) }
        listener.isClosed = true
        listener.watchdog.stop()
        if let pause = listener.pause { services.loop.cancel(pause) }
        services.loop.unwatch(listener.descriptor)
        _ = Glibc.close(listener.descriptor)
    }

    /// All of an instance.
    func closeAll(_ id: InstanceID) {
        for key in listeners.keys where key.id == id { close(id, key.generation) }
    }

    /// What the app said last of its state; nil: nothing.
    func statusText(_ id: InstanceID, _ generation: Generation) -> String? {
        listeners[ProcessKey(id, generation)]?.statusText
    }

    // MARK: Reading

    private func read(_ listener: Listener) {
        guard receive(listener, atMost: Self.mostInOneTurn) == Self.mostInOneTurn, !listener.isClosed else { return }
        guard listener.pause == nil else { return }
        services.loop.change(listener.descriptor, to: [])
        listener.pause = services.loop.schedule(after: Self.pauseOfFlood) { [services, unowned listener] in
            listener.pause = nil
            services.loop.change(listener.descriptor, to: .readable)
        }
    }

    /// How many datagrams were taken out of the socket.
    @discardableResult
    private func receive(_ listener: Listener, atMost limit: Int) -> Int {
        for done in 0..<limit {
            guard !listener.isClosed else { return done }
            var envelope = clinux_notification()
            let count = clinux_notify_receive(listener.descriptor, &buffer, buffer.count, &envelope, &descriptors)
            guard count >= 0 else { return done }
            var received = Array(descriptors.prefix(Int(envelope.descriptor_count)))
            defer { for descriptor in received { _ = Glibc.close(descriptor) } }
            guard listener.sender?.includes(envelope.pid, envelope.uid) == true else {
                blame(listener, "pid \(envelope.pid), which is no process of it, sent to its notification socket")
                continue
            }
            let message = buffer.withUnsafeBytes { Notification(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            guard envelope.is_cut == 0, let message else {
                blame(
                    listener,
                    envelope.is_cut != 0
                        ? "sent more than \(buffer.count >> 10) KiB to its notification socket at once; that is not read"
                        : "sent to its notification socket what is no text of KEY=value lines")
                continue
            }
            if envelope.lost_descriptors != 0 { blame(listener, "sent more descriptors than could be received") }
            act(on: message, of: listener, &received)
        }
        return limit
    }

    private func act(on message: Notification, of listener: Listener, _ received: inout [Int32]) {
        let (id, generation) = (listener.id, listener.generation)
        if let status = message.status { listener.statusText = status.isEmpty ? nil : status }
        if let period = message.watchdogPeriod { listener.watchdog.change(to: period) }
        if message.watchdog == .alive { listener.watchdog.heard() }
        if message.removes { onRemove?(id, message.descriptorName) }
        if message.stores, !received.isEmpty {
            if let onStore {
                onStore(id, received, message.descriptorName)
                received = []
            }
        }
        if message.isReloading { tell(listener, "reloads its configuration") }
        if message.isStopping {
            // It ends by itself: nobody waits for a sign of it any more.
            listener.watchdog.stop()
            tell(listener, "says that it stops")
        }
        if message.isReady {
            onReady?(id, generation)
            listener.watchdog.heard()
        }
        if message.watchdog == .trigger {
            onWatchdogMissed?(id, generation, "it said that it is not well")
        }
    }

    private func missed(_ listener: Listener) {
        guard let period = listener.watchdog.period else { return }
        onWatchdogMissed?(listener.id, listener.generation, "it did not say within \(period) that it is well")
    }

    private func tell(_ listener: Listener, _ what: String) {
        let now = SystemClock.now()
        // At most one a second of each app: events are written down.
        guard now.since(listener.toldAt) >= Milliseconds(1000) else { return }
        listener.toldAt = now
        onWord?(listener.id, what)
    }

    private func blame(_ listener: Listener, _ what: String) {
        guard !listener.isBlamed else { return }
        listener.isBlamed = true
        onMisuse?(listener.id, what)
    }
}
