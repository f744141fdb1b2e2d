import Model

/// Appends JSON to a buffer: for answers that are large and asked for often.
struct JSONWriter {
    var bytes: [UInt8] = []

    mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case 0x0A: raw("\\n")
            case 0x0D: raw("\\r")
            case 0x09: raw("\\t")
            case 0..<0x20:
                raw("\\u00")
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let digits = Array("0123456789abcdef".utf8)

    mutating func string(_ text: String?) {
        if let text { string(text) } else { raw("null") }
    }

    mutating func number<Value: BinaryInteger>(_ value: Value?) {
        guard let value else { return raw("null") }
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func write(_ port: PortView) {
        raw("{\"protocol\":")
        string(port.protocol)
        raw(",\"address\":")
        string(port.address)
        raw(",\"port\":")
        number(port.port)
        raw(",\"pid\":")
        number(port.pid)
        raw(",\"command\":")
        string(port.command)
        raw("}")
    }

    mutating func write(_ exit: ExitView?) {
        guard let exit else { return raw("null") }
        raw("{\"code\":")
        number(exit.code)
        raw(",\"signal\":")
        string(exit.signal)
        raw(exit.coreDumped ? ",\"coreDumped\":true" : ",\"coreDumped\":false")
        raw(",\"cause\":")
        string(exit.cause.rawValue)
        raw(",\"at\":")
        number(exit.at)
        raw(",\"uptimeMs\":")
        number(exit.uptimeMs)
        raw(",\"pid\":")
        number(exit.pid)
        raw(",\"detail\":")
        string(exit.detail)
        raw("}")
    }

    mutating func write(_ view: InstanceView) {
        raw("{\"id\":")
        number(view.id.rawValue)
        raw(",\"name\":")
        string(view.name)
        raw(",\"namespace\":")
        string(view.namespace)
        raw(",\"number\":")
        number(view.number)
        raw(",\"generation\":")
        number(view.generation.rawValue)
        raw(",\"pid\":")
        number(view.pid)
        raw(",\"status\":")
        string(view.status.rawValue)
        raw(",\"wanted\":")
        string(view.wanted.rawValue)
        raw(",\"reason\":")
        string(view.reason)
        raw(",\"reasonKind\":")
        string(view.reasonKind)
        raw(",\"restarts\":")
        number(view.restarts)
        raw(",\"unstableRestarts\":")
        number(view.unstableRestarts)
        raw(",\"uptimeMs\":")
        number(view.uptimeMs)
        raw(",\"startedAt\":")
        number(view.startedAt)
        raw(",\"createdAt\":")
        number(view.createdAt)
        raw(",\"cpuPercent\":")
        if let percent = view.cpuPercent, percent.isFinite {
            bytes.append(contentsOf: "\(percent)".utf8)
        } else {
            raw("null")
        }
        raw(",\"memoryBytes\":")
        number(view.memoryBytes)
        raw(",\"ports\":[")
        for (index, port) in view.ports.enumerated() {
            if index > 0 { raw(",") }
            write(port)
        }
        raw("],\"cwd\":")
        string(view.cwd)
        raw(",\"command\":")
        string(view.command)
        raw(",\"outLog\":")
        string(view.outLog)
        raw(",\"errorLog\":")
        string(view.errorLog)
        raw(",\"nextStartAt\":")
        number(view.nextStartAt)
        raw(",\"lastExit\":")
        write(view.lastExit)
        raw(",\"statusText\":")
        string(view.statusText)
        raw("}")
    }
}
