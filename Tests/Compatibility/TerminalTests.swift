import Foundation
import Records
import TestSupport
import Testing

@Suite("pm2: on a terminal")
struct TerminalTests {
    /// Runs a line on a terminal of so many columns, and prints what it shows.
    private static let terminal = """
        import fcntl, os, pty, struct, sys, termios
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
            os.execvp("sh", ["sh", "-c", sys.argv[2]])
        while True:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            sys.stdout.buffer.write(data.replace(b"\\r\\n", b"\\n"))
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

        """

    private static func show(_ line: String, columns: Int, in pm2: PM2Home, _ environment: [String: String] = [:])
        throws -> CommandResult
    {
        try pm2.write(terminal, to: "terminal.py")
        return try pm2.sh(
            "python3 terminal.py \(columns) \"\(line)\"",
            environment: ["TERM": "xterm"].merging(environment) { _, new in new })
    }

    @Test("colours are shown, unless they are refused; never to a pipe")
    func colours() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name api; pm2 -s start app.sh --name off --no-autostart -f")
            let list = try Self.show("pm2 list", columns: 140, in: pm2).output
            #expect(list.contains("\u{1b}["))
            #expect(list.contains("\u{1b}[32m\u{1b}[1monline") || list.contains("\u{1b}[1m\u{1b}[32monline"), "\(list)")
            #expect(try !Self.show("pm2 list --no-color", columns: 140, in: pm2).output.contains("\u{1b}["))
            #expect(try !Self.show("pm2 list", columns: 140, in: pm2, ["NO_COLOR": "1"]).output.contains("\u{1b}["))
            #expect(try !pm2.sh("pm2 list", environment: ["PM2_HOME": pm2.paths.home]).output.contains("\u{1b}["))
            #expect(try pm2.sh("pm2 list", environment: ["FORCE_COLOR": "1"]).output.contains("\u{1b}["))
            let error = try Self.show("pm2 stop nosuch", columns: 140, in: pm2)
            #expect(error.code == 1)
            #expect(error.output == "\u{1b}[31m[PM2][ERROR] \u{1b}[39mProcess or Namespace nosuch not found\n")
        }
    }

    @Test("the list has the widest layout that fits", arguments: [(200, "watching"), (100, "memory"), (60, "mem")])
    func layouts(columns: Int, last: String) throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s start app.sh --name a-rather-long-name-of-an-app")
            let text = try Self.show("pm2 list --no-color", columns: columns, in: pm2).output
            let widest = PM2Home.lines(of: text).map(\.count).max() ?? 0
            #expect(widest <= columns, "\(text)")
            #expect(Self.lastColumn(text) == last, "\(text)")
        }
    }

    /// The rightmost heading of a table.
    private static func lastColumn(_ text: String) -> String {
        let header = PM2Home.lines(of: text).first { $0.hasPrefix("│") } ?? ""
        return header.split(separator: "│").last?.trimmingCharacters(in: .whitespaces) ?? ""
    }

    @Test("one line of a message is cropped to the terminal, and whole in a pipe")
    func cropping() throws {
        try withPM2 { pm2 in
            try Apps.write(in: pm2)
            try pm2.sh("pm2 -s ping")
            let name = String(repeating: "n", count: 80)
            let shown = PM2Home.lines(
                of: try Self.show(
                    "pm2 start app.sh --name \(name) && pm2 stop \(name)", columns: 60, in: pm2, ["NO_COLOR": "1"]
                ).output)
            let line = try #require(shown.first { $0.hasPrefix("[PM2] Applying action") })
            #expect(line.count <= 60)
            #expect(line.hasSuffix("…"))
            let piped = PM2Home.lines(of: try pm2.sh("pm2 stop \(name)").output)
            #expect(piped.contains("[PM2] Applying action stopProcessId on app [\(name)](ids: [ 0 ])"))
        }
    }
}
