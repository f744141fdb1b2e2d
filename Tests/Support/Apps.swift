import Foundation
package import Model
import Records

// Small apps with one habit each. Scripts are written into the home, and need /bin/sh or python3 only.

extension Home {
    /// Any program. Its working directory is the home, which is how the fixture finds it at the end.
    package func app(
        _ name: String, _ script: String, _ arguments: [String] = [], interpreter: String? = nil,
        environment: [String: String] = [:], restart: RestartPolicy = RestartPolicy(),
        killTimeout: Milliseconds = Milliseconds(20_000)
    ) -> AppSpec {
        AppSpec(
            name: name, script: script, arguments: arguments, interpreter: interpreter, cwd: path,
            environment: environment, restart: restart, stop: StopPolicy(killTimeout: killTimeout))
    }

    /// Sleeps until it is stopped.
    package func sleeper(_ name: String) -> AppSpec { app(name, "/bin/sleep", ["100000"]) }

    /// A line of shell.
    package func shell(_ name: String, _ line: String, restart: RestartPolicy = RestartPolicy()) -> AppSpec {
        app(name, "/bin/sh", ["-c", line], restart: restart)
    }

    /// Prints `line 0`, `line 1`, … without end.
    package func lineWriter(_ name: String, every milliseconds: Int = 10) throws -> AppSpec {
        app(name, try script("lines.py", Self.lines), ["\(milliseconds)"], interpreter: "python3")
    }

    /// Prints numbered lines, and answers `200` over HTTP with its name and pid. `port(of:)` tells its port, which it
    /// chooses itself unless one is given.
    package func responder(_ name: String, port: Int? = nil, every milliseconds: Int = 20) throws -> AppSpec {
        var environment = ["PORT_FILE": file("\(name).port")]
        if let port { environment["PORT"] = String(port) }
        return app(
            name, try script("responder.py", Self.responder), ["\(milliseconds)"], interpreter: "python3",
            environment: environment)
    }

    /// Ends with this exit code when the file `NAME.go` is there; until then it waits.
    package func exiter(_ name: String, code: Int, restart: RestartPolicy = RestartPolicy(mode: .never)) -> AppSpec {
        shell(name, "while [ ! -e '\(file(name + ".go"))' ]; do sleep 0.02; done; exit \(code)", restart: restart)
    }

    /// Does not care about SIGTERM.
    package func stubborn(_ name: String, killTimeout: Milliseconds) -> AppSpec {
        app(
            name, "/bin/sh", ["-c", "trap '' TERM; while :; do sleep 0.05; done"], killTimeout: killTimeout)
    }

    /// Where a responder listens, once it does.
    package func port(of name: String) throws -> UInt16 {
        var port: UInt16?
        try eventually("'\(name)' listens", within: 60) {
            port = UInt16(read("\(name).port").trimmingCharacters(in: .whitespacesAndNewlines))
            return port != nil
        }
        guard let port else { throw Unexpected("'\(name)' has no port", in: self) }
        return port
    }

    /// The numbers that a line writer or responder printed so far, in the order in which they stand in its log.
    package func numbers(of name: String) -> [Int] {
        let text = read(paths.logs + "/\(name)-out.log")
        let whole = text.hasSuffix("\n") ? text[...] : text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]
        return whole.split(separator: "\n").map { line in
            line.hasPrefix("line ") ? Int(line.dropFirst(5)) ?? -1 : -1
        }
    }

    /// Writes a script into the home once.
    package func script(_ name: String, _ text: String) throws -> String {
        FileManager.default.fileExists(atPath: file(name)) ? file(name) : try write(text, to: name, executable: true)
    }

    private static let lines = """
        import sys, time
        number = 0
        while True:
            sys.stdout.write("line %d\\n" % number)
            sys.stdout.flush()
            number += 1
            time.sleep(int(sys.argv[1]) / 1000)
        """

    // One thread answers, one prints. The backlog is long: a refused request would be the machine's, not ours.
    private static let responder = """
        import os, socket, sys, threading, time

        def answer():
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", int(os.environ.get("PORT", "0"))))
            listener.listen(1000)
            with open(os.environ["PORT_FILE"] + ".new", "w") as file:
                file.write("%d\\n" % listener.getsockname()[1])
            os.rename(os.environ["PORT_FILE"] + ".new", os.environ["PORT_FILE"])
            body = ("%s %d\\n" % (os.environ["HEARTH_NAME"], os.getpid())).encode()
            head = b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
            while True:
                client = listener.accept()[0]
                try:
                    client.settimeout(30)
                    client.recv(4096)
                    client.sendall(head + body)
                except OSError:
                    pass
                client.close()

        threading.Thread(target=answer, daemon=True).start()
        number = 0
        while True:
            sys.stdout.write("line %d\\n" % number)
            sys.stdout.flush()
            number += 1
            time.sleep(int(sys.argv[1]) / 1000)
        """
}
