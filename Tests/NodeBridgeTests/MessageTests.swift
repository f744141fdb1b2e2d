import Testing

@testable import NodeBridge

@Suite("Messages of an app")
struct MessageTests {
    @Test(
        "garbage is nothing",
        arguments: [
            "", " ", "ready", "{", "}", "[1,]", "{\"a\":}", "{\"a\" 1}", "\"open", "\"\\u12\"", "01", "1.", "-", "nul",
            "{} {}", "\"a\"b", "\u{1}", "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\"", "\"\\x\"",
        ])
    func garbage(_ text: String) { #expect(NodeMessage(text: text) == nil) }

    @Test("any JSON value is a message")
    func values() {
        for text in ["1", "-0.5e+10", "null", "true", "[]", "[{\"a\":[1,2]}]", "\"x\"", "{}", "{\"cmd\":\"NODE_\"}"] {
            #expect(NodeMessage(text: text) == .other(text))
        }
        #expect(NodeMessage(text: " \"ready\" \r") == .ready)
        #expect(NodeMessage(text: #"{"cmd":"NODE_DEBUG_ENABLED"}"#) == .internal)
        #expect(NodeMessage(text: #"{"cmd":"NODE_HANDLE_ACK"}"#) == .handleAcknowledged)
        #expect(NodeMessage(text: #"{"cmd":"NODE_HANDLE_NACK"}"#) == .handleRefused)
        #expect(NodeMessage(text: #"{"cmd":"NODE_CLUSTER"}"#) == .cluster(.other))
        #expect(NodeMessage(text: #"{"cmd":"NODE_CLUSTER","act":"close"}"#) == .cluster(.other))
        #expect(NodeMessage(text: #"{"cmd":"NODE_CLUSTER","act":"close","key":7}"#) == .cluster(.other))
    }

    @Test("a packet needs type and data that count in JavaScript")
    func packets() {
        #expect(NodeMessage(text: #"{"type":"a","data":"x"}"#) == .packet(type: "a", data: #""x""#))
        #expect(
            NodeMessage(text: #"{"data":[0],"type":"a\u00e4\n\ud83d\ude00"}"#) == .packet(type: "aä\n😀", data: "[0]"))
        for data in ["0", "0.0", "-0e5", "\"\"", "null", "false"] {
            let text = #"{"type":"a","data":\#(data)}"#
            #expect(NodeMessage(text: text) == .other(text))
        }
        #expect(NodeMessage(text: #"{"type":"a","data":0.01}"#) == .packet(type: "a", data: "0.01"))
    }

    @Test("depth is bounded")
    func depth() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(NodeMessage(text: nested(64)) != nil)
        #expect(NodeMessage(text: nested(65)) == nil)
        #expect(NodeMessage(text: nested(100_000)) == nil)
    }

    @Test("numbers that no Int holds are no numbers")
    func hugeNumbers() {
        let text =
            #"{"cmd":"NODE_CLUSTER","act":"queryServer","port":99999999999999999999,"fd":1e3,"index":-9,"seq":"x"}"#
        guard case .cluster(.query(let query)) = NodeMessage(text: text) else { return #expect(Bool(false)) }
        #expect(query.port == nil && query.descriptor == nil && query.index == -9 && query.sequence == 0)
    }

    @Test("keys are quoted on their way back")
    func quoting() throws {
        var query = ListenQuery()
        query.address = "a\"\\\n"
        let line = PrimaryMessage.failure(for: query, key: query.key, errno: -98, data: "null", sequence: 1)
        let text = String(decoding: line, as: UTF8.self)
        #expect(text.contains(#""key":"a\"\\\u000a:null:::0""#) && text.contains("\"errno\":-98"))
        #expect(text.hasSuffix("}\n") && text.split(separator: "\n").count == 1)
    }
}
