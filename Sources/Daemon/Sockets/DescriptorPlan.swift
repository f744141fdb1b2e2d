import Model

#if canImport(Glibc)
    import Glibc
#endif

// Which number each descriptor has in a new process.
//
//   3 …        held sockets: where LISTEN_FDS has them
//   14, 15     the channel, its own end and ours, if there are sockets; else 3 and 4
//   20 …       the held sockets once more
//
// Node closes what it inherited when it executes another program: the first 16 numbers, and on until one is free. So
// the channel's numbers must be among those, and the second copies behind a free one: with `npm start` the script's own
// process finds them there. Many sockets move channel and copies up.

struct DescriptorPlan {
    /// A socket and its name among LISTEN_FDNAMES.
    struct Passed {
        var name: String
        /// In this process; a copy of its own.
        var descriptor: Int32
    }

    /// Where the first socket is: fixed by the convention.
    static let first: Int32 = 3
    private static let usualChannel: (app: Int32, own: Int32) = (14, 15)
    private static let usualCopies: Int32 = 20

    let sockets: [Passed]
    /// The numbers in the process, not here.
    let channel: (app: Int32, own: Int32)
    private let firstCopy: Int32

    init(_ sockets: [Passed]) {
        self.sockets = sockets
        let end = Self.first &+ Int32(clamping: sockets.count)
        if sockets.isEmpty {
            channel = (Channels.appDescriptor, Channels.keptDescriptor)
        } else {
            channel = end <= Self.usualChannel.app ? Self.usualChannel : (app: end &+ 1, own: end)
        }
        // One number is free in between.
        firstCopy = max(Self.usualCopies, end &+ 3)
    }

    /// Where Hearth's end of the channel may be in a process that was started by another daemon.
    static let channelCandidates = [Channels.keptDescriptor, usualChannel.own]

    func close() {
        for socket in sockets { _ = Glibc.close(socket.descriptor) }
    }

    /// Number of the copy that no runtime closes.
    func number(of name: String) -> Int32? {
        sockets.firstIndex { $0.name == name }.map { firstCopy &+ Int32(clamping: $0) }
    }

    var placements: [(from: Int32, to: Int32)] {
        var placements: [(from: Int32, to: Int32)] = []
        for (index, socket) in sockets.enumerated() {
            placements.append((from: socket.descriptor, to: Self.first &+ Int32(clamping: index)))
            placements.append((from: socket.descriptor, to: firstCopy &+ Int32(clamping: index)))
        }
        return placements
    }

    /// All but LISTEN_PID, which is known when the process is there.
    var environment: [String] {
        guard !sockets.isEmpty else { return [] }
        var entries = [
            "LISTEN_FDS=\(sockets.count)", "LISTEN_FDNAMES=\(sockets.map(\.name).joined(separator: ":"))",
        ]
        var suffixes: Set<String> = []
        for (index, socket) in sockets.enumerated() {
            // What an app stored may be called like another one: the first has the name.
            let suffix = ListenSpec.variableSuffix(of: socket.name)
            guard suffixes.insert(suffix).inserted else { continue }
            entries.append("HEARTH_FD_\(suffix)=\(firstCopy &+ Int32(clamping: index))")
        }
        return entries
    }

    /// `{fd:NAME}` becomes the number of that socket.
    func substituting(in arguments: [String]) -> [String] {
        guard !sockets.isEmpty else { return arguments }
        return arguments.map { argument in
            guard argument.contains("{fd:") else { return argument }
            var text = argument
            for socket in sockets {
                guard let number = number(of: socket.name) else { continue }
                text = text.replacing("{fd:\(socket.name)}", with: String(number))
            }
            return text
        }
    }
}
