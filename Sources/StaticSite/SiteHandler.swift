import Glibc
import NIOCore
import NIOHTTP1

/// One connection: reads a request, answers it, and bounds how long either may take.
final class SiteHandler: ChannelInboundHandler, @unchecked Sendable {
    // Unchecked: like every handler it is only used on the event loop of its connection.
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Told to a connection when the server ends: what is being answered still is.
    struct Drain: Sendable {}

    private let site: Site
    private var request: HTTPRequestHead?
    private var isAnswering = false
    private var closesAfter = false
    private var deadline: Scheduled<Void>?

    /// For a whole request to arrive, also for the next one of a connection that is kept.
    static let patience = TimeAmount.seconds(30)
    /// For each piece of a file to leave: a reader slower than this is no reader.
    static let piecePatience = TimeAmount.seconds(60)
    static let piece: Int64 = 256 * 1024

    init(_ site: Site) { self.site = site }

    func channelActive(context: ChannelHandlerContext) {
        expect(within: Self.patience, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        // Nobody has anything to send here.
        case .body: break
        case .end:
            guard let head = request else { return }
            request = nil
            isAnswering = true
            answer(head, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is Drain:
            closesAfter = true
            if !isAnswering { context.close(promise: nil) }
        case ChannelEvent.inputClosed where !isAnswering: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: - Answers

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var response = site.answer(head.method, head.uri, head.headers)
        let keeps = head.isKeepAlive && !closesAfter
        if response.status != .notModified {
            response.headers.add(name: "Content-Length", value: String(response.length))
        }
        response.headers.add(name: "Date", value: HTTPDate.text(Int64(time(nil))))
        if !keeps { response.headers.add(name: "Connection", value: "close") }
        let start = HTTPResponseHead(version: head.version, status: response.status, headers: response.headers)
        context.write(wrapOutboundOut(.head(start)), promise: nil)
        guard head.method != .HEAD else { return finish(keeps, context) }
        switch response.body {
        case .bytes(let bytes):
            if !bytes.isEmpty {
                let buffer = context.channel.allocator.buffer(bytes: bytes)
                context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
            }
            finish(keeps, context)
        case .file(let file, let range):
            let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.release())
            send(handle, range, keeps, NIOLoopBound(context, eventLoop: context.eventLoop))
        }
    }

    /// The kernel copies the file into the socket, piece by piece: one that stalls does not hold the connection for ever.
    private func send(
        _ handle: NIOFileHandle, _ range: Range<Int64>, _ keeps: Bool, _ bound: NIOLoopBound<ChannelHandlerContext>
    ) {
        let context = bound.value
        guard !range.isEmpty else {
            try? handle.close()
            return finish(keeps, context)
        }
        let end = min(range.upperBound, range.lowerBound + Self.piece)
        // Of a file that became shorter meanwhile, what was promised cannot be sent any more.
        var status = stat()
        let isThere = (try? handle.withUnsafeFileDescriptor { fstat($0, &status) == 0 && Int64(status.st_size) >= end })
        guard isThere == true else {
            try? handle.close()
            return context.close(promise: nil)
        }
        expect(within: Self.piecePatience, context)
        let region = FileRegion(fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(end))
        context.writeAndFlush(wrapOutboundOut(.body(.fileRegion(region)))).whenComplete { result in
            switch result {
            case .success: self.send(handle, end..<range.upperBound, keeps, bound)
            case .failure:
                try? handle.close()
                bound.value.close(promise: nil)
            }
        }
    }

    private func finish(_ keeps: Bool, _ context: ChannelHandlerContext) {
        expect(within: Self.piecePatience, context)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { result in
            let context = bound.value
            self.isAnswering = false
            guard keeps, !self.closesAfter, case .success = result else { return context.close(promise: nil) }
            self.expect(within: Self.patience, context)
        }
    }

    /// Ends the connection unless something else is expected before.
    private func expect(within time: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: time) { bound.value.close(promise: nil) }
    }
}
