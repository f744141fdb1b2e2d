/// Guesses the port an app was told to listen on, for explanations only.
package enum ExpectedPort {
    package static func find(environment: [String: String], arguments: [String]) -> Int? {
        if let port = environment["PORT"].flatMap(parse) { return port }
        var index = arguments.startIndex
        while index < arguments.endIndex {
            let argument = arguments[index]
            let next = index + 1 < arguments.endIndex ? arguments[index + 1] : nil
            switch argument {
            case "--port", "-p": if let port = next.flatMap(parse) { return port }
            case "-S", "-b", "--bind", "--listen": if let port = next.flatMap(afterColon) { return port }
            default:
                for prefix in ["--port=", "-p"] where argument.hasPrefix(prefix) {
                    if let port = parse(String(argument.dropFirst(prefix.count))) { return port }
                }
                if argument.hasPrefix("--bind="), let port = afterColon(String(argument.dropFirst(7))) { return port }
            }
            index += 1
        }
        return nil
    }

    private static func parse(_ text: String) -> Int? {
        guard let port = Int(text), (1...65_535).contains(port) else { return nil }
        return port
    }

    private static func afterColon(_ text: String) -> Int? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        return parse(String(text[text.index(after: colon)...]))
    }
}
