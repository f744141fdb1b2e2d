import Testing

@testable import StaticSite

@Suite("Requests to a static site")
struct RequestTests {
    @Test(
        "paths are decoded and have no dots left",
        arguments: [
            ("/", "/"), ("/a/b.txt", "/a/b.txt"), ("/a//b", "/a/b"), ("/a/./b/../c", "/a/c"), ("/a%20b?x=1#y", "/a b"),
            ("/%C3%A9", "/é"), ("http://host:80/x?y", "/x"), ("http://host", "/"), ("", "/"), ("/a/..", "/"),
        ])
    func paths(target: String, text: String) throws {
        #expect(try RequestPath(target).text == text)
    }

    @Test(
        "no path leads out of the root",
        arguments: ["/..", "/../x", "/a/../../x", "/%2e%2e/x", "/%2E%2E%2Fx", "/a/%2e%2e/%2e%2e/x", "/..%2fetc/passwd"])
    func escapes(target: String) {
        #expect(throws: RequestPath.Refusal.escapes) { try RequestPath(target) }
    }

    @Test("what is no path is refused", arguments: ["/%", "/%4", "/%zz", "/a%00b", "/%ff%fe"])
    func malformed(target: String) {
        #expect(throws: RequestPath.Refusal.malformed) { try RequestPath(target) }
    }

    @Test(
        "ranges",
        arguments: [
            (nil, ByteRange.whole), ("bytes=0-9", .part(0..<10)), ("bytes=90-", .part(90..<100)),
            ("bytes=-10", .part(90..<100)), ("bytes=-1000", .part(0..<100)), ("bytes=95-1000", .part(95..<100)),
            ("bytes=0-99999999999999999999999", .part(0..<100)), ("bytes=100-", .unsatisfiable),
            ("bytes=-0", .unsatisfiable), ("bytes=99999999999999999999999-", .unsatisfiable), ("bytes=5-4", .whole),
            ("bytes=0-1,5-6", .whole), ("bytes=", .whole), ("bytes=-", .whole), ("items=0-1", .whole),
            ("bytes=a-b", .whole), ("bytes=--5", .whole), ("Bytes=0-0", .part(0..<1)),
        ] as [(String?, ByteRange)])
    func ranges(header: String?, range: ByteRange) {
        #expect(ByteRange(header: header, size: 100) == range)
    }

    @Test("dates are read as they are written", arguments: [0, 784_111_777, 1_709_210_096, 4_102_444_800] as [Int64])
    func dates(seconds: Int64) {
        #expect(HTTPDate.seconds(HTTPDate.text(seconds)) == seconds)
    }

    @Test("a date is as HTTP wants it")
    func date() {
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.seconds("Sunday, 06-Nov-94 08:49:37 GMT") == nil)
        #expect(HTTPDate.seconds("") == nil)
    }

    @Test("only the name and the password open")
    func authentication() {
        let credentials = SiteSettings.Credentials(user: "ann", password: "se:cret")
        // ann:se:cret
        #expect(BasicAuthentication.accepts("Basic YW5uOnNlOmNyZXQ=", credentials))
        #expect(BasicAuthentication.accepts("basic YW5uOnNlOmNyZXQ", credentials))
        for header in [
            nil, "", "Basic", "Basic ", "Basic !!!!", "Basic YW5uOnNlOmNyZXM=", "Basic YW5uOg==",
            "Bearer YW5uOnNlOmNyZXQ=",
        ] {
            #expect(!BasicAuthentication.accepts(header, credentials))
        }
        // A guess that repeats the secret is no guess.
        #expect(!BasicAuthentication.equal(Array("abab".utf8), Array("ab".utf8)))
    }

    @Test("settings come from PM2's variables")
    func settings() throws {
        var expected = SiteSettings()
        #expect(try SiteSettings(environment: [:]) == expected)
        expected.root = "/srv"
        expected.port = 80
        expected.host = "::1"
        expected.isSinglePage = true
        expected.listsDirectories = true
        expected.homepage = "/home.html"
        expected.credentials = SiteSettings.Credentials(user: "u", password: "p")
        #expect(
            try SiteSettings(environment: [
                "PM2_SERVE_PATH": "/srv", "PM2_SERVE_PORT": "80", "PM2_SERVE_HOST": "::1", "PM2_SERVE_SPA": "true",
                "PM2_SERVE_FTP": "true", "PM2_SERVE_HOMEPAGE": "home.html", "PM2_SERVE_BASIC_AUTH": "true",
                "PM2_SERVE_BASIC_AUTH_USERNAME": "u", "PM2_SERVE_BASIC_AUTH_PASSWORD": "p",
            ]) == expected)
        for bad in [["PM2_SERVE_PORT": "70000"], ["PM2_SERVE_PORT": "x"], ["PM2_SERVE_BASIC_AUTH": "true"]] {
            #expect(throws: SiteSettings.Invalid.self) { try SiteSettings(environment: bad) }
        }
    }

    @Test(
        "sizes for people",
        arguments: [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (5 << 20, "5.0 MB")] as [(Int64, String)])
    func sizes(bytes: Int64, text: String) {
        #expect(DirectoryListing.size(bytes) == text)
    }
}
