import CLinux
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A web server for static files.
package enum StaticSite {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Connections beyond this are closed at once: each needs two descriptors and some memory.
    static let maximumConnections = 4096
    /// Milliseconds for answers that are under way when the server ends: less than the time until SIGKILL.
    static let drainPatience: Int32 = 4_000

    /// Serves until SIGTERM or SIGINT. Exit code.
    package static func run(_ settings: SiteSettings) throws -> Int32 {
        // Before there are threads: they inherit it.
        let numbers = [SIGTERM, SIGINT]
        let signals = clinux_signalfd(numbers, Int32(numbers.count))
        defer { if signals >= 0 { close(signals) } }
        signal(SIGPIPE, SIG_IGN)
        let server = try Server(settings)
        say("Exposing \(server.root) directory on \(settings.host):\(server.port)")
        wait(for: signals, milliseconds: -1)
        server.stop(signals)
        return 0
    }

    /// A line at once, also into a file.
    private static func say(_ text: String) {
        let bytes = Array("\(text)\n".utf8)
        _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    }

    /// Until a signal comes or the time is over.
    static func wait(for signals: Int32, milliseconds: Int32) {
        var entry = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, milliseconds) < 0, errno == EINTR {}
        _ = clinux_signalfd_read(signals, nil, nil)
    }

    /// A listening server and its connections.
    final class Server: Sendable {
        let root: String
        let port: Int
        private let group: MultiThreadedEventLoopGroup
        private let listener: any Channel
        private let connections = Connections()

        init(_ settings: SiteSettings) throws {
            guard let real = realpath(settings.root, nil) else {
                throw Failure(
                    description: "cannot serve '\(settings.root)': \(String(cString: strerror(errno)).lowercased())")
            }
            free(real)
            // As it was named: a link is followed anew at each request.
            root = Self.absolute(settings.root)
            let site = Site(settings: settings, root: root)
            // Files are read on these threads, too: one that waits for a disk must not hold all others.
            let group = MultiThreadedEventLoopGroup(numberOfThreads: max(2, min(8, System.coreCount)))
            self.group = group
            let connections = connections
            let bootstrap = ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 512)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelInitializer { channel in
                    guard connections.add(channel) else { return channel.close() }
                    return channel.pipeline.configureHTTPServerPipeline(withErrorHandling: true).flatMapThrowing {
                        try channel.pipeline.syncOperations.addHandler(SiteHandler(site))
                    }
                }
            do {
                listener = try bootstrap.bind(host: settings.host, port: settings.port).wait()
            } catch {
                try? group.syncShutdownGracefully()
                throw Self.failure(error, settings)
            }
            port = listener.localAddress?.port ?? settings.port
        }

        private static func failure(_ error: any Error, _ settings: SiteSettings) -> Failure {
            let place = "port \(settings.port) of \(settings.host)"
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE: return Failure(description: "\(place) is in use by another process")
            case EACCES, EPERM: return Failure(description: "\(place) is not permitted: below 1024 one must be root")
            case EADDRNOTAVAIL: return Failure(description: "\(settings.host) is no address of this machine")
            default: return Failure(description: "cannot listen on \(place): \(error)")
            }
        }

        private static func absolute(_ path: String) -> String {
            guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
            defer { free(directory) }
            let base = String(cString: directory)
            return path == "." ? base : (base == "/" ? "" : base) + "/" + path
        }

        /// Takes no more connections, answers what is under way, and ends the rest; a second signal ends at once.
        func stop(_ signals: Int32 = -1) {
            try? listener.close().wait()
            connections.drain()
            let deadline = NIODeadline.now() + .milliseconds(Int64(drainPatience))
            while !connections.isEmpty, NIODeadline.now() < deadline {
                var entry = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
                if poll(&entry, 1, 20) > 0 { break }
            }
            try? group.syncShutdownGracefully()
        }
    }

    /// The living connections.
    final class Connections: Sendable {
        private struct State {
            var channels: [ObjectIdentifier: any Channel] = [:]
            var isDraining = false
        }

        private let state = Mutex(State())

        var isEmpty: Bool { state.withLock { $0.channels.isEmpty } }

        /// False: there are too many, or the server ends.
        func add(_ channel: any Channel) -> Bool {
            let key = ObjectIdentifier(channel)
            let isTaken = state.withLock { state in
                guard !state.isDraining, state.channels.count < maximumConnections else { return false }
                state.channels[key] = channel
                return true
            }
            guard isTaken else { return false }
            channel.closeFuture.whenComplete { [self] _ in state.withLock { _ = $0.channels.removeValue(forKey: key) } }
            return true
        }

        func drain() {
            let channels = state.withLock { state in
                state.isDraining = true
                return Array(state.channels.values)
            }
            for channel in channels { channel.pipeline.fireUserInboundEventTriggered(SiteHandler.Drain()) }
        }
    }
}
