/// A pattern for paths, as chokidar and anymatch read them: `*` and `?` within a name, `**` over any number of
/// directories, `[a-z]`, `{a,b}`. Names that begin with a dot are names like any other.
package struct GlobPattern: Hashable, Sendable {
    private enum Piece: Hashable, Sendable {
        case scalar(Unicode.Scalar)
        /// `?`
        case one
        /// `*`
        case anyInName
        /// `**/`: nothing, or whole directories.
        case directories
        /// `**` at the end.
        case everything
        case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    private let alternatives: [[Piece]]
    /// It has wildcards; without any it is a plain path.
    package let isGlob: Bool

    /// Enough for `{a,b}{c,d}{…}`; more is a mistake, and would cost at every change.
    private static let mostAlternatives = 256
    /// Scalars in which braces are looked for; a longer one is taken as it is.
    private static let longest = 1024

    package init(_ pattern: String) {
        let expanded = Self.expandBraces(Array(pattern.unicodeScalars))
        alternatives = expanded.flatMap { pattern -> [[Piece]] in
            // `dir/**` means the directory, too.
            let below = Array("/**".unicodeScalars)
            guard pattern.count > below.count, Array(pattern.suffix(below.count)) == below else {
                return [Self.pieces(pattern)]
            }
            return [Self.pieces(pattern), Self.pieces(Array(pattern.dropLast(below.count)))]
        }
        isGlob =
            expanded.count > 1
            || alternatives.contains { pieces in
                pieces.contains { if case .scalar = $0 { false } else { true } }
            }
    }

    package func matches(_ path: String) -> Bool {
        let scalars = Array(path.unicodeScalars)
        return alternatives.contains { Self.match($0, scalars) }
    }

    // MARK: Reading

    private static func expandBraces(_ pattern: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        guard pattern.count <= longest, let open = pattern.firstIndex(of: "{") else { return [pattern] }
        var depth = 0
        var parts: [[Unicode.Scalar]] = [[]]
        for index in open..<pattern.count {
            let scalar = pattern[index]
            if scalar == "{" {
                depth += 1
                if depth == 1 { continue }
            } else if scalar == "}" {
                depth -= 1
                if depth == 0 {
                    guard parts.count > 1 else { break }
                    let (head, tail) = (Array(pattern[..<open]), Array(pattern[(index + 1)...]))
                    var all: [[Unicode.Scalar]] = []
                    for part in parts where all.count < mostAlternatives {
                        all += expandBraces(head + part + tail).prefix(mostAlternatives - all.count)
                    }
                    return all
                }
            } else if scalar == ",", depth == 1 {
                parts.append([])
                continue
            }
            parts[parts.count - 1].append(scalar)
        }
        // Not closed, or without a comma: a brace like any other character.
        let rest = expandBraces(Array(pattern[(open + 1)...]))
        return rest.map { Array(pattern[...open]) + $0 }
    }

    private static func pieces(_ pattern: [Unicode.Scalar]) -> [Piece] {
        var pieces: [Piece] = []
        var index = 0
        while index < pattern.count {
            let scalar = pattern[index]
            index += 1
            switch scalar {
            case "?": pieces.append(.one)
            case "*":
                let begins = index == 1 || pattern[index - 2] == "/"
                let first = index
                while index < pattern.count, pattern[index] == "*" { index += 1 }
                if index == first || !begins {
                    pieces.append(.anyInName)
                } else if index == pattern.count {
                    pieces.append(.everything)
                } else if pattern[index] == "/" {
                    pieces.append(.directories)
                    index += 1
                } else {
                    pieces.append(.anyInName)
                }
            case "[":
                if let (set, end) = set(pattern, from: index) {
                    pieces.append(set)
                    index = end
                } else {
                    pieces.append(.scalar(scalar))
                }
            case "\\" where index < pattern.count:
                pieces.append(.scalar(pattern[index]))
                index += 1
            default: pieces.append(.scalar(scalar))
            }
        }
        return pieces
    }

    /// A set that begins behind its bracket, and where it ends.
    private static func set(_ pattern: [Unicode.Scalar], from start: Int) -> (Piece, Int)? {
        var index = start
        var isNegated = false
        if index < pattern.count, pattern[index] == "!" || pattern[index] == "^" {
            isNegated = true
            index += 1
        }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while index < pattern.count {
            let low = pattern[index]
            if low == "]", !ranges.isEmpty { return (.set(ranges, isNegated: isNegated), index + 1) }
            index += 1
            if index + 1 < pattern.count, pattern[index] == "-", pattern[index + 1] != "]" {
                let high = pattern[index + 1]
                index += 2
                ranges.append(low <= high ? low...high : high...low)
            } else {
                ranges.append(low...low)
            }
        }
        return nil
    }

    // MARK: Matching

    /// All positions of the pattern at once, one character after the other: no pattern takes more than its length per
    /// character.
    private static func match(_ pieces: [Piece], _ path: [Unicode.Scalar]) -> Bool {
        var states = Set([0])
        close(&states, pieces, atNameStart: true)
        for scalar in path {
            var next: Set<Int> = []
            for state in states where state < pieces.count {
                switch pieces[state] {
                case .scalar(let wanted): if wanted == scalar { next.insert(state + 1) }
                case .one: if scalar != "/" { next.insert(state + 1) }
                case .anyInName: if scalar != "/" { next.insert(state) }
                case .directories, .everything: next.insert(state)
                case .set(let ranges, let isNegated):
                    if scalar != "/", ranges.contains(where: { $0.contains(scalar) }) != isNegated {
                        next.insert(state + 1)
                    }
                }
            }
            close(&next, pieces, atNameStart: scalar == "/")
            if next.isEmpty { return false }
            states = next
        }
        return states.contains(pieces.count)
    }

    /// Adds the positions that need no character.
    private static func close(_ states: inout Set<Int>, _ pieces: [Piece], atNameStart: Bool) {
        var open = Array(states)
        while let state = open.popLast() {
            guard state < pieces.count else { continue }
            switch pieces[state] {
            case .anyInName, .everything:
                if states.insert(state + 1).inserted { open.append(state + 1) }
            case .directories:
                if atNameStart, states.insert(state + 1).inserted { open.append(state + 1) }
            case .scalar, .one, .set: break
            }
        }
    }
}
