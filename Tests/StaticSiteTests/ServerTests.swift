import Foundation
import Glibc
import Testing

@testable import StaticSite

@Suite("The server of static sites")
struct ServerTests {
    /// A directory with a site in it, and a server for it on a port of its own.
    private func withSite(
        changing change: (inout SiteSettings) -> Void = { _ in }, _ body: (_ port: Int, _ root: String) throws -> Void
    ) throws {
        let scratch = FileManager.default.temporaryDirectory.path + "/hearth-site-" + UUID().uuidString
        let root = scratch + "/root"
        try FileManager.default.createDirectory(atPath: root + "/sub/deep", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        for (name, text) in [
            ("root/index.html", "<p>home</p>"), ("root/a b.txt", "text"), ("root/app.js", "code"),
            ("root/sub/index.html", "sub"), ("root/sub/page.css", "css"), ("root/.hidden", "x"),
            ("root/data.bin", String(repeating: "0123456789", count: 10)), ("secret", "secret"), ("root/noext", "n"),
        ] {
            try text.write(toFile: scratch + "/" + name, atomically: false, encoding: .utf8)
        }
        symlink(scratch + "/secret", root + "/leak")
        symlink(scratch, root + "/up")
        symlink("app.js", root + "/alias.js")
        mkfifo(root + "/pipe", 0o600)
        var settings = SiteSettings()
        settings.root = root
        settings.host = "127.0.0.1"
        settings.port = 0
        change(&settings)
        let server = try StaticSite.Server(settings)
        defer { server.stop() }
        try body(server.port, root)
    }

    @Test(
        "files are answered with what they are",
        arguments: [
            ("/", "<p>home</p>", "text/html"), ("/a%20b.txt", "text", "text/plain"),
            ("/app.js", "code", "application/javascript"), ("/sub/page.css?v=2", "css", "text/css"),
            ("/noext", "n", "text/plain"), ("/sub/../app.js", "code", "application/javascript"),
            ("/alias.js", "code", "application/javascript"),
        ])
    func files(target: String, text: String, type: String) throws {
        try withSite { port, _ in
            let answer = try HTTPClient.request(port, target)
            #expect(answer.status == 200 && answer.text == text)
            #expect(answer.headers["content-type"] == type)
            #expect(answer.headers["content-length"] == "\(text.utf8.count)")
            #expect(answer.headers["access-control-allow-origin"] == "*")
            #expect(answer.headers["access-control-allow-methods"] == "GET")
        }
    }

    @Test(
        "what is not there, not allowed or not a file",
        arguments: [
            ("/missing", 404, "404 Not Found"), ("/../secret", 403, "403 Forbidden"),
            ("/%2e%2e/secret", 403, "403 Forbidden"), ("/leak", 403, "403 Forbidden"),
            ("/up/secret", 403, "403 Forbidden"),
            ("/sub", 500, "Sorry, check with the site admin for error: EISDIR .."),
            ("/pipe", 404, "404 Not Found"), ("/%00", 400, "400 Bad Request"), ("/app.js/", 404, "404 Not Found"),
        ])
    func refusals(target: String, status: Int, text: String) throws {
        try withSite { port, _ in
            let answer = try HTTPClient.request(port, target)
            #expect(answer.status == status && answer.text == text)
        }
    }

    @Test("404.html is the page for what is missing")
    func ownPage() throws {
        try withSite { port, root in
            try "gone".write(toFile: root + "/404.html", atomically: false, encoding: .utf8)
            let answer = try HTTPClient.request(port, "/missing")
            #expect(answer.status == 404 && answer.text == "gone" && answer.headers["content-type"] == "text/html")
        }
    }

    @Test("HEAD is GET without the body; other methods are refused")
    func methods() throws {
        try withSite { port, _ in
            let head = try HTTPClient.request(port, "/app.js", method: "HEAD")
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "4")
            let post = try HTTPClient.request(port, "/app.js", method: "POST", headers: ["Content-Length": "0"])
            #expect(post.status == 405 && post.headers["allow"] == "GET, HEAD")
        }
    }

    @Test("what has not changed is not sent again")
    func conditions() throws {
        try withSite { port, root in
            let first = try HTTPClient.request(port, "/app.js")
            let tag = try #require(first.headers["etag"])
            let date = try #require(first.headers["last-modified"])
            for header in ["If-None-Match": tag, "If-Modified-Since": date] {
                let answer = try HTTPClient.request(port, "/app.js", headers: [header.key: header.value])
                #expect(answer.status == 304 && answer.body.isEmpty)
            }
            let both = try HTTPClient.request(
                port, "/app.js", headers: ["If-None-Match": "\"other\", W/\(tag)", "If-Modified-Since": "x"])
            #expect(both.status == 304)
            try "changed".write(toFile: root + "/app.js", atomically: false, encoding: .utf8)
            let after = try HTTPClient.request(port, "/app.js", headers: ["If-None-Match": tag])
            #expect(after.status == 200 && after.text == "changed")
        }
    }

    @Test("parts of a file")
    func parts() throws {
        try withSite { port, _ in
            let part = try HTTPClient.request(port, "/data.bin", headers: ["Range": "bytes=8-12"])
            #expect(part.status == 206 && part.text == "89012")
            #expect(part.headers["content-range"] == "bytes 8-12/100" && part.headers["content-length"] == "5")
            let none = try HTTPClient.request(port, "/data.bin", headers: ["Range": "bytes=100-"])
            #expect(none.status == 416 && none.headers["content-range"] == "bytes */100")
            let stale = try HTTPClient.request(
                port, "/data.bin", headers: ["Range": "bytes=8-12", "If-Range": "\"old\""])
            #expect(stale.status == 200 && stale.body.count == 100)
        }
    }

    @Test("a single-page application gets its page for every path, and its files from everywhere")
    func singlePage() throws {
        try withSite(changing: { $0.isSinglePage = true }) { port, _ in
            let page = try HTTPClient.request(port, "/some/route")
            #expect(page.text == "<p>home</p>")
            #expect(try HTTPClient.request(port, "/some/route/app.js").text == "code")
            #expect(try HTTPClient.request(port, "/../secret").status == 403)
        }
    }

    @Test("directories are listed where that is wanted")
    func listing() throws {
        try withSite(changing: { $0.listsDirectories = true }) { port, root in
            unlink(root + "/index.html")
            try "x".write(toFile: root + "/<b>&.txt", atomically: false, encoding: .utf8)
            let top = try HTTPClient.request(port, "/")
            #expect(top.status == 200 && top.headers["content-type"] == "text/html")
            #expect(top.text.contains("<title>Index of /</title>") && !top.text.contains("../"))
            #expect(!top.text.contains(".hidden") && !top.text.contains("<b>"))
            #expect(top.text.contains("/%3Cb%3E%26.txt") && top.text.contains("Last Modified"))
            let names = ["sub/", "a b.txt", "app.js"].compactMap { top.text.range(of: ">\($0)</a>")?.lowerBound }
            #expect(names.count == 3 && names == names.sorted())
            #expect(try HTTPClient.request(port, "/sub/deep/").text.contains("href=\"../\""))
            #expect(try HTTPClient.request(port, "/sub/").text == "sub")
            let moved = try HTTPClient.request(port, "//sub")
            #expect(moved.status == 301 && moved.headers["location"] == "/sub/")
        }
    }

    @Test("without name and password nobody gets anything")
    func authentication() throws {
        try withSite(changing: { $0.credentials = SiteSettings.Credentials(user: "ann", password: "secret") }) {
            port, _ in
            let refused = try HTTPClient.request(port, "/missing")
            #expect(refused.status == 401 && refused.text == "401 Unauthorized")
            #expect(refused.headers["www-authenticate"] == "Basic realm=\"Authentication service\"")
            let header = "Basic " + Data("ann:secret".utf8).base64EncodedString()
            #expect(try HTTPClient.request(port, "/", headers: ["Authorization": header]).status == 200)
        }
    }

    @Test("a link that is switched to another directory counts at once")
    func switchedRoot() throws {
        try withSite { _, root in
            let link = root + "-link"
            symlink(root, link)
            var settings = SiteSettings()
            settings.root = link
            settings.host = "127.0.0.1"
            settings.port = 0
            let server = try StaticSite.Server(settings)
            defer { server.stop() }
            #expect(try HTTPClient.request(server.port, "/").text == "<p>home</p>")
            unlink(link)
            symlink(root + "/sub", link)
            #expect(try HTTPClient.request(server.port, "/").text == "sub")
        }
    }

    @Test("a connection is kept, and requests that come together are answered in their order")
    func pipelining() throws {
        try withSite { port, _ in
            let fd = try HTTPClient.connect(port)
            defer { close(fd) }
            HTTPClient.send(
                fd,
                "GET /app.js HTTP/1.1\r\nHost: x\r\n\r\nGET /noext HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let text = String(decoding: HTTPClient.receiveAll(fd), as: UTF8.self)
            #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
            #expect(text.hasSuffix("n"))
        }
    }

    @Test("what is no HTTP ends the connection")
    func garbage() throws {
        try withSite { port, _ in
            let fd = try HTTPClient.connect(port)
            defer { close(fd) }
            HTTPClient.send(fd, "\u{1}\u{2}\u{3}\r\n\r\n")
            #expect(HTTPClient.receiveAll(fd).count < 1000)
            #expect(try HTTPClient.request(port, "/").status == 200)
        }
    }

    @Test("a large file arrives whole, also when it is under way at the end of the server")
    func largeFileAndEnd() throws {
        let bytes = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        try withSite { port, root in
            try Data(bytes).write(to: URL(fileURLWithPath: root + "/large.bin"))
            #expect(try HTTPClient.request(port, "/large.bin").body == bytes)
            #expect(
                try HTTPClient.request(port, "/large.bin", headers: ["Range": "bytes=300000-"]).body
                    == Array(bytes[300_000...]))
        }
        try withSite { _, root in
            try Data(bytes).write(to: URL(fileURLWithPath: root + "/large.bin"))
            var settings = SiteSettings()
            settings.root = root
            settings.host = "127.0.0.1"
            settings.port = 0
            let server = try StaticSite.Server(settings)
            // A reader that has not begun to read: the answer waits in the server.
            let fd = try HTTPClient.connect(server.port, receiveBuffer: 4096)
            defer { close(fd) }
            HTTPClient.send(fd, "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            var first = [UInt8](repeating: 0, count: 1)
            #expect(recv(fd, &first, 1, Int32(MSG_PEEK)) == 1)
            let end = Thread { server.stop() }
            end.start()
            let answer = try HTTPClient.parse(HTTPClient.receiveAll(fd))
            #expect(answer.body == bytes)
        }
    }

    @Test("a port that is taken is told, not waited for")
    func portInUse() throws {
        try withSite { port, root in
            var settings = SiteSettings()
            settings.root = root
            settings.host = "127.0.0.1"
            settings.port = port
            let failure = #expect(throws: StaticSite.Failure.self) { try StaticSite.Server(settings) }
            #expect(failure?.description == "port \(port) of 127.0.0.1 is in use by another process")
            settings.root = root + "/none"
            #expect(throws: StaticSite.Failure.self) { try StaticSite.Server(settings) }
        }
    }
}
