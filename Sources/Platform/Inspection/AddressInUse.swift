/// Recognises in what a program said last that its address was taken.
///
/// No runtime has a code for it that survives the process, so the words have to do: those of the kernel ("Address
/// already in use", in any case), Node's and Ruby's EADDRINUSE, gunicorn's "Connection in use", and "port N is in use".
package struct AddressInUse: Hashable, Sendable {
    /// nil: the text does not say which.
    package var port: Int?

    package init(port: Int?) { self.port = port }

    /// Lines of a stack trace or an error object that may stand between the words and the number.
    private static let neighbours = 8

    /// `text`: the last lines of a program's standard error, with escape sequences and all.
    package static func find(in text: [UInt8]) -> AddressInUse? {
        find(inLines: text.split(separator: 0x0A, omittingEmptySubsequences: false).map { plain($0) })
    }

    /// The same for lines that were separated already.
    package static func find(in lines: [[UInt8]]) -> AddressInUse? {
        find(inLines: lines.map { plain($0[...]) })
    }

    private static func find(inLines lines: [String]) -> AddressInUse? {
        let hits = lines.indices.filter { isReport(lines[$0]) }
        guard let last = hits.last else { return nil }
        for index in hits.reversed() {
            if let port = PortInText.find(in: lines[index]) { return AddressInUse(port: port) }
        }
        // Nearest first, and of two equally near the later one: Node prints the fields of the error after its words.
        for distance in 1...neighbours {
            for index in [last &+ distance, last &- distance] where lines.indices.contains(index) {
                if let port = PortInText.find(in: lines[index]) { return AddressInUse(port: port) }
            }
        }
        return AddressInUse(port: nil)
    }

    private static func isReport(_ line: String) -> Bool {
        for words in ["address already in use", "eaddrinuse", "connection in use", "address in use"]
        where line.end(of: words) != nil {
            return true
        }
        guard let after = line.end(of: "port "), line[after...].end(of: "in use") != nil else { return false }
        // A development server that takes the next port goes on.
        return line.end(of: "trying") == nil && line.end(of: "instead") == nil
    }

    /// Lower case ASCII; escape sequences gone, everything unusual a blank. Bounded: a line of a megabyte says nothing.
    private static func plain(_ line: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        var isEscape = false
        for byte in line.prefix(4096) {
            if isEscape {
                // A control sequence goes on with digits, `;`, `[`, and ends with a letter.
                isEscape = !(0x40...0x7E).contains(byte) || byte == UInt8(ascii: "[")
                continue
            }
            switch byte {
            case 0x1B: isEscape = true
            case 0x41...0x5A: text.append(byte | 0x20)
            case 0x21...0x7E: text.append(byte)
            default: text.append(0x20)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
