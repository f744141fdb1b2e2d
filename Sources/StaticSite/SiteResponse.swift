import CLinux
import Glibc
import NIOHTTP1

/// What a request is answered with.
struct SiteResponse {
    enum Body {
        case bytes([UInt8])
        case file(SiteFile, Range<Int64>)
    }

    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: Body

    /// As PM2's: whoever may read a page here may read it from another page as well.
    private static let common: HTTPHeaders = [
        "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET",
    ]

    init(_ status: HTTPResponseStatus, _ text: String, type: String = ContentType.fallback) {
        self.status = status
        headers = Self.common
        headers.add(name: "Content-Type", value: type)
        body = .bytes(Array(text.utf8))
    }

    /// A file, or what the request wants of it.
    init(_ file: SiteFile, _ request: HTTPHeaders, status: HTTPResponseStatus = .ok) {
        self.status = status
        headers = Self.common
        headers.add(name: "Content-Type", value: ContentType.of(file.path))
        body = .file(file, 0..<file.size)
        guard status == .ok else { return }
        let modified = Int64(file.modified.tv_sec)
        headers.add(name: "ETag", value: file.tag)
        headers.add(name: "Last-Modified", value: HTTPDate.text(modified))
        headers.add(name: "Accept-Ranges", value: "bytes")
        if Self.isUnchanged(request, tag: file.tag, modified: modified) {
            self.status = .notModified
            body = .bytes([])
            return
        }
        let condition = request["if-range"].first
        let applies = condition.map { $0 == file.tag || HTTPDate.seconds($0) == modified } ?? true
        switch ByteRange(header: applies ? request["range"].first : nil, size: file.size) {
        case .whole: break
        case .part(let range):
            self.status = .partialContent
            headers.add(name: "Content-Range", value: "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.size)")
            body = .file(file, range)
        case .unsatisfiable:
            self.status = .rangeNotSatisfiable
            headers.add(name: "Content-Range", value: "bytes */\(file.size)")
            body = .bytes([])
        }
    }

    /// Tags decide where there are any, dates otherwise.
    private static func isUnchanged(_ request: HTTPHeaders, tag: String, modified: Int64) -> Bool {
        let tags = request[canonicalForm: "if-none-match"]
        guard tags.isEmpty else {
            return tags.contains { $0 == "*" || ($0.hasPrefix("W/") ? $0.dropFirst(2) : $0[...]) == tag }
        }
        guard let since = request["if-modified-since"].first.flatMap(HTTPDate.seconds) else { return false }
        return modified <= since
    }

    var length: Int64 {
        switch body {
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, let range): Int64(range.count)
        }
    }
}
