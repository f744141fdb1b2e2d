#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Programs that belong to Hearth and that nobody starts by hand: hearthd, hearth-keeper, hearth-companion.
package enum InstalledProgram {
    /// Directories in which they are looked for: HEARTH_LIBEXEC, then `../lib/hearth` seen from this program, then beside
    /// it.
    package static func places() -> [String] {
        var places: [String] = []
        if let directory = getenv("HEARTH_LIBEXEC"), directory.pointee != 0 {
            places.append(String(cString: directory))
        }
        if let own = ownPath() {
            let directory = Paths.absolute("..", base: own, home: nil)
            places += [Paths.absolute("../lib/hearth", base: directory, home: nil), directory]
        }
        return places
    }

    package static func path(of name: String) throws(ConfigurationError) -> String {
        let places = places()
        for place in places where FileProbe.isExecutable("\(place)/\(name)") { return "\(place)/\(name)" }
        throw ConfigurationError(
            "the program '\(name)' is not installed (looked in \(places.joined(separator: ", ")))",
            hint: "run 'make install', or set HEARTH_LIBEXEC")
    }

    /// The file of the running program.
    package static func ownPath() -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
