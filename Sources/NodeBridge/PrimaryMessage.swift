/// What the primary of a cluster, and every parent, says to a process: lines with their newline.
///
/// A line must be whole and no longer than `limit`: Node throws in the app where it cannot parse one.
package enum PrimaryMessage {
    /// Bytes that go through a socket in one piece.
    package static let limit = 32 << 10

    package static let handleAcknowledged = line(#"{"cmd":"NODE_HANDLE_ACK"}"#)
    package static let shutdown = line(#""shutdown""#)

    /// The answer to a query that comes with the socket.
    package static func handle(
        for query: ListenQuery, key: String, data: String, sequence: Int
    ) -> [UInt8] {
        let type = query.kind == .udp ? "dgram.Native" : "net.Native"
        let answer = answer(to: query, key: key, errno: 0, data: data, sequence: sequence)
        return line(#"{"cmd":"NODE_HANDLE","type":"\#(type)","msg":\#(answer)}"#)
    }

    /// - Parameter errno: positive; the app gets an ordinary `error` event with it.
    package static func failure(
        for query: ListenQuery, key: String, errno: Int32, data: String, sequence: Int
    ) -> [UInt8] {
        line(answer(to: query, key: key, errno: -Int(errno.magnitude), data: data, sequence: sequence))
    }

    /// Take no more connections, and end when nothing is left to do.
    package static func disconnect(sequence: Int) -> [UInt8] {
        line(#"{"cmd":"NODE_CLUSTER","act":"disconnect","seq":\#(sequence)}"#)
    }

    package static func acknowledgement(of acknowledged: Int, sequence: Int) -> [UInt8] {
        line(#"{"cmd":"NODE_CLUSTER","ack":\#(acknowledged),"seq":\#(sequence)}"#)
    }

    private static func answer(
        to query: ListenQuery, key: String, errno: Int, data: String, sequence: Int
    ) -> String {
        #"{"cmd":"NODE_CLUSTER","errno":\#(errno),"key":\#(quoted(key)),"ack":\#(query.sequence),"#
            + #""data":\#(data),"seq":\#(sequence)}"#
    }

    private static func line(_ text: String) -> [UInt8] { Array(text.utf8) + [0x0a] }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
