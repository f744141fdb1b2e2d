/// Debuggers of several workers cannot listen on one port: Node's own primary gives each another one.
package enum InspectorPorts {
    private static let usualPort = 9229
    private static let options = ["--inspect", "--inspect-brk", "--inspect-wait", "--inspect-port", "--debug-port"]

    /// The options of Node, with every inspector's port that many further on. Port 0 is any free one, and stays.
    package static func moved(_ arguments: [String], by distance: Int) -> [String] {
        guard distance > 0 else { return arguments }
        return arguments.map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first.map(String.init), options.contains(name) else { return argument }
            guard parts.count == 2 else {
                return name.hasSuffix("-port") ? argument : "\(name)=\(usualPort + distance)"
            }
            return name + "=" + moved(place: String(parts[1]), by: distance)
        }
    }

    /// `9229`, `host:9229`, `[::1]:9229` or `host`.
    private static func moved(place: String, by distance: Int) -> String {
        let (host, port): (String, String)
        if let colon = place.lastIndex(of: ":"), !place.hasSuffix("]") {
            (host, port) = (String(place[...colon]), String(place[place.index(after: colon)...]))
        } else if Int(place) != nil {
            (host, port) = ("", place)
        } else {
            (host, port) = (place + ":", String(usualPort))
        }
        guard let number = Int(port), number > 0, number <= 65_535 - distance else { return place }
        return host + String(number + distance)
    }
}
