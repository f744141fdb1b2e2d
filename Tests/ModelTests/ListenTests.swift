import Model
import Testing

@Suite("Addresses of held sockets")
struct ListenTests {
    @Test(
        "an address is written as it is read",
        arguments: [
            ("8080", ListenAddress.tcp(host: nil, port: 8080)), ("0", .tcp(host: nil, port: 0)),
            ("127.0.0.1:8080", .tcp(host: "127.0.0.1", port: 8080)), ("[::1]:80", .tcp(host: "::1", port: 80)),
            ("[::]:65535", .tcp(host: "::", port: 65535)),
            ("[fe80::1%eth0]:80", .tcp(host: "fe80::1%eth0", port: 80)),
            ("[::ffff:10.0.0.1]:80", .tcp(host: "::ffff:10.0.0.1", port: 80)),
            ("[1:2:3:4:5:6:7:8]:80", .tcp(host: "1:2:3:4:5:6:7:8", port: 80)),
            ("unix:/run/x.sock", .unix(path: "/run/x.sock")), ("unix:/a=b:8", .unix(path: "/a=b:8")),
        ])
    func reads(text: String, address: ListenAddress) throws {
        #expect(try ListenAddress(parsing: text) == address)
        #expect(address.description == text)
    }

    @Test("every address of the machine may be written with a star")
    func star() throws {
        #expect(try ListenAddress(parsing: "*:80") == .tcp(host: nil, port: 80))
    }

    @Test(
        "what is no address says why",
        arguments: [
            ("", "not an address"), ("x", "not an address"), ("80a", "not an address"), ("1.2.3.4", "not an address"),
            ("127.0.0.1:", "not an address"), ("65536", "port 65536"), ("-1", "port -1"),
            ("127.0.0.1:99999", "port 99999"), ("99999999999999999999", "not an address"),
            ("localhost:80", "'localhost' is not a numeric address"), (":80", "'' is not a numeric address"),
            ("1.2.3:80", "numeric"), ("1.2.3.4.5:80", "numeric"), ("1.2.3.256:80", "numeric"),
            ("1.2.3.+4:80", "numeric"), ("[1.2.3.4]:80", "numeric"), ("::1:80", "without brackets"),
            ("[::1", "not a numeric address"), ("[]:80", "numeric"), ("[:::]:80", "numeric"),
            ("[1::2::3]:80", "numeric"),
            ("[1:2:3:4:5:6:7]:80", "numeric"), ("[1:2:3:4:5:6:7:8:9]:80", "numeric"), ("[::12345]:80", "numeric"),
            ("[::g]:80", "numeric"), ("[::%]:80", "numeric"), ("[::1.2.3]:80", "numeric"), ("/run/x", "no 'unix:'"),
            ("unix:run/x.sock", "not the absolute path"), ("unix:", "not the absolute path"),
            ("unix:/run/", "not the absolute path"), ("unix:/a\0b", "not the absolute path"),
        ])
    func refuses(text: String, why: String) {
        do throws(ListenAddress.Invalid) {
            let address = try ListenAddress(parsing: text)
            Issue.record("\(text) was read as \(address)")
        } catch {
            #expect(error.message.contains(why), "\(error.message)")
            #expect(!error.hint.isEmpty)
        }
    }

    @Test("a path has a longest length")
    func longPath() {
        #expect(throws: ListenAddress.Invalid.self) {
            try ListenAddress(parsing: "unix:/" + String(repeating: "x", count: 5000))
        }
    }

    @Test("names give variables that a shell can have")
    func variables() {
        #expect(ListenSpec.variableSuffix(of: "web") == "WEB")
        #expect(ListenSpec.variableSuffix(of: "a-b.c_9") == "A_B_C_9")
        #expect((0..<3).map(ListenSpec.usualName(at:)) == ["web", "web2", "web3"])
    }

    private static func web(_ name: String, _ port: Int) -> ListenSpec {
        ListenSpec(name: name, address: .tcp(host: nil, port: port))
    }

    @Test(
        "what sockets may not be, alone and together",
        arguments: [
            ([web("a:b", 1)], "name 'a:b'"), ([web("", 1)], "name ''"), ([web("ä", 1)], "name 'ä'"),
            ([web(String(repeating: "x", count: 65), 1)], "64 letters"),
            ([ListenSpec(name: "a", address: .tcp(host: nil, port: 1), backlog: 0)], "backlog 0"),
            ([ListenSpec(name: "a", address: .tcp(host: nil, port: 70000))], "port 70000"),
            ([ListenSpec(name: "a", address: .tcp(host: "x y", port: 1))], "numeric"),
            ([ListenSpec(name: "a", address: .tcp(host: nil, port: 1), mode: 0o600)], "mode is for unix"),
            ([ListenSpec(name: "a", address: .unix(path: "x"))], "absolute path"),
            ([ListenSpec(name: "a", address: .unix(path: "/x"), mode: 0o1777)], "mode 1777"),
            ([ListenSpec(name: "a", address: .unix(path: "/x"), reusePort: true)], "reuseport is for TCP"),
            ([web("a", 1), web("a", 2)], "two sockets are named 'a'"),
            ([web("a-b", 1), web("A_B", 2)], "HEARTH_FD_A_B"), ([web("a", 1), web("b", 1)], "1 is given twice"),
            ((0...64).map { web("n\($0)", $0 + 1) }, "65 sockets"),
        ])
    func faults(all: [ListenSpec], why: String) {
        #expect(ListenSpec.fault(of: all)?.contains(why) == true, "\(ListenSpec.fault(of: all) ?? "none")")
    }

    @Test("any free port may be asked for more than once")
    func freePorts() {
        #expect(ListenSpec.fault(of: [Self.web("a", 0), Self.web("b", 0)]) == nil)
        #expect(ListenSpec.fault(of: (0..<64).map { Self.web("n\($0)", $0 + 1) }) == nil)
    }
}
