import Configuration
import Glibc
import Platform

/// Which systemd: the machine's, or the one of a user.
enum SystemdScope: String, Codable {
    case system
    case user
}

/// Questions and orders to systemd, by its own command: the wire format of its bus is not ours to speak.
struct Systemctl {
    let scope: SystemdScope

    struct Result {
        /// Nil: a signal ended it, or it did not end.
        var code: Int32?
        /// What it printed, then what it complained of.
        var output: String

        var isDone: Bool { code == 0 }
    }

    /// This machine was booted by systemd. Tests put a `systemctl` of their own first in PATH and say so in the
    /// environment.
    static var isAvailable: Bool {
        getenv("HEARTH_TEST_SYSTEMD") != nil || FileSystem.isDirectory("/run/systemd/system")
    }

    /// - Parameter seconds: after which it is given up.
    func run(_ arguments: [String], seconds: Int64 = 10) -> Result {
        guard let program = Self.program else {
            return Result(code: nil, output: "there is no systemctl in PATH, /usr/bin and /bin")
        }
        let user = scope == .user ? ["--user"] : []
        guard let answer = ProgramOutput.of(program, user + arguments, seconds: seconds) else {
            return Result(code: nil, output: "systemctl \(arguments.first ?? "") did not end within \(seconds) s")
        }
        let words = [answer.text, answer.complaint].map(Self.trimmed).filter { !$0.isEmpty }
        return Result(code: answer.code, output: words.joined(separator: "\n"))
    }

    /// Properties of a unit, as `systemctl show` prints them; nil: it fails.
    func show(_ unit: String, _ properties: [String]) -> [String: String]? {
        let answer = run(["show", unit, "--no-pager", "--property=\(properties.joined(separator: ","))"], seconds: 3)
        guard answer.isDone else { return nil }
        var values: [String: String] = [:]
        for line in answer.output.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return values
    }

    private static var program: String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let places = path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin"]
        return places.lazy.filter { $0.hasPrefix("/") }.map { $0 + "/systemctl" }.first(where: FileSystem.isExecutable)
    }

    private static func trimmed(_ text: String) -> String {
        var text = text
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
