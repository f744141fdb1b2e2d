/// The `Range` header of a request for a file.
enum ByteRange: Hashable {
    /// None was asked for, or one in a way that need not be understood: the whole file is the answer.
    case whole
    case part(Range<Int64>)
    case unsatisfiable

    init(header: String?, size: Int64) {
        guard let header, header.lowercased().hasPrefix("bytes=") else {
            self = .whole
            return
        }
        // Of several ranges a server may send the whole.
        let text = header.dropFirst(6).filter { $0 != " " && $0 != "\t" }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } }) else {
            self = .whole
            return
        }
        // A number that does not fit lies behind every end.
        let first = ends[0].isEmpty ? nil : Int64(ends[0]) ?? .max
        let last = ends[1].isEmpty ? nil : Int64(ends[1]) ?? .max
        switch (first, last) {
        case (nil, nil): self = .whole
        case (nil, let count?):
            self = count > 0 && size > 0 ? .part(max(0, size - min(count, size))..<size) : .unsatisfiable
        case (let first?, let last):
            if let last, last < first {
                self = .whole
            } else if first >= size {
                self = .unsatisfiable
            } else {
                self = .part(first..<min(size, last.map { $0 == .max ? .max : $0 + 1 } ?? .max))
            }
        }
    }
}
