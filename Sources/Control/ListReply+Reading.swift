import Model

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

// The counterpart of ListReply+Text.swift: `hearth list` spent half of its time in JSONDecoder.
//
// It reads what hearthd writes. Whatever it does not expect (an error, another order of the envelope, a key that is
// missing, a number out of range) makes it give up, and the caller lets JSONDecoder read the message and complain.

extension ListReply {
    /// Nil when the message is anything but a plain answer to List.
    package init?(fast message: Data) {
        let reply = message.withContiguousStorageIfAvailable { bytes -> ListReply? in
            var reader = ReplyReader(UnsafeRawBufferPointer(bytes))
            return try? reader.list()
        }
        guard let parsed = reply ?? nil else { return nil }
        self = parsed
    }
}

extension ReplyReader {
    fileprivate mutating func list() throws(Unexpected) -> ListReply {
        var reply = ListReply(instances: [], notes: [])
        var found: Set<String> = []
        try object { (reader, key) throws(Unexpected) in
            guard key == "parameters" else { throw Unexpected() }
            try reader.object { (reader, key) throws(Unexpected) in
                found.insert(key)
                switch key {
                case "instances":
                    try reader.array { (reader) throws(Unexpected) in reply.instances.append(try reader.instance()) }
                case "notes":
                    try reader.array { (reader) throws(Unexpected) in reply.notes.append(try reader.string()) }
                default: throw Unexpected()
                }
            }
        }
        guard found.count == 2, isAtEnd else { throw Unexpected() }
        return reply
    }
}
