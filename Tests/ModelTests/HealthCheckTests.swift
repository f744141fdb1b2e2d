import Model
import Testing

@Suite("URLs to check")
struct HealthCheckTests {
    private func parts(_ text: String) throws -> String {
        let check = try HealthCheck(parsing: text)
        return "\(check.host) \(check.port) \(check.target) \(check.expected)"
    }

    @Test("host, port, target and expected status")
    func forms() throws {
        #expect(try parts("http://127.0.0.1:3000/health") == "127.0.0.1 3000 /health 200")
        #expect(try parts("http://127.0.0.1:3000/old=301") == "127.0.0.1 3000 /old 301")
        #expect(try parts("http://localhost") == "localhost 80 / 200")
        #expect(try parts("http://localhost=204") == "localhost 80 / 204")
        #expect(try parts("http://h:81?a=1") == "h 81 /?a=1 200")
        // A query that ends like a status needs the status behind it.
        #expect(try parts("http://h/?code=404") == "h 80 /?code 404")
        #expect(try parts("http://h/?code=404=200") == "h 80 /?code=404 200")
        #expect(try parts("http://[::1]:8080/x#part") == "::1 8080 /x 200")
        #expect(try parts("https://[::1]/") == "::1 443 / 200")
        #expect(try HealthCheck(parsing: "https://dixis.gr/api=200").url == "https://dixis.gr/api")
        #expect(try HealthCheck(parsing: "http://[::1]:81/").authority == "[::1]:81")
        #expect(try HealthCheck(parsing: "https://a/").authority == "a")
    }

    @Test(
        "everything else is refused with its text",
        arguments: [
            "", "127.0.0.1:3000", "ftp://x/", "http://", "http:///x", "http://:80/", "http://h:0/", "http://h:65536/",
            "http://h:x/", "http://::1/", "http://[::1/", "http://[::1]x/", "http://a b/", "http://a/\r\nX: y",
            "http://user:pw@h/", "http://ä/", "http://h/" + String(repeating: "a", count: 2000),
        ])
    func mistakes(text: String) {
        let error = #expect(throws: HealthCheck.Invalid.self) { try HealthCheck(parsing: text) }
        #expect(error?.message.hasPrefix("'\(text)' is not a URL to check") == true)
    }
}
