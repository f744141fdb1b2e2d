import Configuration
import Model
import PM2Format
import Platform
import Records

/// Reads the dump of a PM2 home, or its backup, and touches neither.
struct DumpImport {
    private(set) var path = ""
    private(set) var entries: [DumpEntry] = []
    private(set) var notes: [ImportReport.Item] = []

    private static let largest = 64 << 20

    /// - Parameter partial: what cannot be used is left out; otherwise it is an error that tells what could be used.
    init(_ paths: HomePaths, partial: Bool) throws(Failure) {
        var complaints: [String] = []
        var broken: [(path: String, bytes: [UInt8])] = []
        for path in [paths.pm2Dump, paths.pm2DumpBackup] {
            let bytes: [UInt8]
            do throws(SystemError) { bytes = try FileSystem.read(path, limit: Self.largest) } catch {
                complaints.append("'\(path)': \(error)")
                continue
            }
            let content: DumpContent
            do throws(JSONFailure) { content = try DumpReader.read(bytes, paths: paths) } catch {
                complaints.append("'\(path)': \(error)")
                broken.append((path, bytes))
                continue
            }
            try take(content, path, partial: partial)
            if let first = broken.first, let complaint = complaints.first {
                notes.insert(
                    .init(
                        text: first.path, outcome: .attention,
                        advice: "it is not whole, and was left as it is (\(complaint)); its backup was read"),
                    at: 0)
            }
            return
        }
        try salvage(broken, complaints, paths, partial: partial)
    }

    private mutating func take(_ content: DumpContent, _ path: String, partial: Bool) throws(Failure) {
        let lost = content.problems.filter(\.skipsRecord)
        guard lost.isEmpty || partial else {
            throw Failure(
                .failed,
                lines: [
                    "'\(path)' has \(Reporting.count(lost.count, "app")) that cannot be used, so nothing is written"
                ]
                    + lost.map { "  \($0)" } + [Self.usable(content), "--partial leaves out what cannot be used"])
        }
        self.path = path
        entries = content.entries
        notes = content.problems.map {
            .init(
                text: "\($0)", outcome: .attention, advice: "correct it in the file that is written, where it matters")
        }
    }

    /// A dump that ends in the middle: its first apps are whole.
    private mutating func salvage(
        _ broken: [(path: String, bytes: [UInt8])], _ complaints: [String], _ paths: HomePaths, partial: Bool
    ) throws(Failure) {
        var lines = ["there is no list of PM2's that can be read, so nothing is written"] + complaints.map { "  \($0)" }
        if broken.isEmpty {
            lines.append("is '\(paths.home)' PM2's home? 'pm2 save' writes a list; --home names another")
        }
        for (path, bytes) in broken {
            let whole = Self.wholeRecords(bytes)
            guard !whole.isEmpty, let content = try? DumpReader.read(whole, paths: paths), !content.entries.isEmpty
            else {
                continue
            }
            if partial {
                try take(content, path, partial: true)
                notes.insert(
                    .init(
                        text: path, outcome: .attention,
                        advice: "it is not whole; \(Self.usable(content)), others are lost"),
                    at: 0)
                return
            }
            lines += ["'\(path)': \(Self.usable(content)); --partial takes these"]
        }
        throw Failure(.failed, lines: lines)
    }

    private static func usable(_ content: DumpContent) -> String {
        let names = content.entries.map { "'\($0.spec.name)'" }
        guard !names.isEmpty else { return "no app of it can be used" }
        let shown = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
        return "usable: \(names.count == 1 ? "1 entry" : "\(names.count) entries") (\(shown))"
    }

    /// The records of an array that are closed, as an array: `[{…}, {…}, {…` without the last.
    static func wholeRecords(_ bytes: [UInt8]) -> [UInt8] {
        var depth = 0
        var isInText = false
        var isEscaped = false
        var end: Int?
        for (index, byte) in bytes.enumerated() {
            if isInText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInText = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInText = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 1 { end = index }
            default: break
            }
            if depth < 0 { break }
        }
        guard let end, let first = bytes.first(where: { !" \t\r\n".utf8.contains($0) }), first == UInt8(ascii: "[")
        else { return [] }
        return bytes[...end] + [UInt8(ascii: "]")]
    }
}
