import Platform
import Testing

@Suite("Patterns of ignored files", .waiting)
struct GlobPatternTests {
    @Test(
        "a pattern matches as in chokidar",
        arguments: [
            ("/a/*.js", "/a/x.js", true), ("/a/*.js", "/a/b/x.js", false), ("/a/*.js", "/a/.js", true),
            ("/a/**/*.js", "/a/x.js", true), ("/a/**/*.js", "/a/b/c/x.js", true), ("/a/**/*.js", "/b/x.js", false),
            ("**/*.tmp", "/a/b/x.tmp", true), ("**/*.tmp", "x.tmp", true), ("**/*.tmp", "/a/x.tmpl", false),
            ("/a/**", "/a", true), ("/a/**", "/a/b/c", true), ("/a/**", "/ab", false), ("/a/**/b", "/a/b", true),
            ("/a/**/b", "/a/x/y/b", true), ("/a/**/b", "/a/xb", false), ("**", "/anything/at all", true),
            ("/a/x?.js", "/a/x1.js", true), ("/a/x?.js", "/a/x.js", false), ("/a/x?.js", "/a/x/.js", false),
            ("/a/[a-c].js", "/a/b.js", true), ("/a/[a-c].js", "/a/d.js", false), ("/a/[!a-c].js", "/a/d.js", true),
            ("/a/[^a-c].js", "/a/a.js", false), ("/a/[]].js", "/a/].js", true), ("/a/[.js", "/a/[.js", true),
            ("/a/{b,c}.js", "/a/c.js", true), ("/a/{b,c}.js", "/a/d.js", false), ("/{a,b/{c,d}}/x", "/b/d/x", true),
            ("/a/{b}.js", "/a/{b}.js", true), ("/a/{b,.js", "/a/{b,.js", true), ("/a/\\*.js", "/a/*.js", true),
            ("/a/\\*.js", "/a/x.js", false), ("/a/*", "/a/b/", false), ("/ä/*", "/ä/ö", true), ("", "", true),
            ("/a/b**c", "/a/bxc", true), ("/a/b**c", "/a/b/c", false), ("*", "a/b", false),
        ])
    func matching(pattern: String, path: String, matches: Bool) {
        #expect(GlobPattern(pattern).matches(path) == matches)
    }

    @Test("a pattern that is made to be slow is not")
    func slow() {
        let pattern = GlobPattern(String(repeating: "*a", count: 60))
        #expect(!pattern.matches(String(repeating: "a", count: 2000) + "b"))
        let braces = GlobPattern(String(repeating: "{a,b}", count: 40))
        #expect(!braces.matches("c"))
    }

    @Test("log files of the app are ignored under every name that rotation gives them, and nothing else is")
    func logs() {
        let filter = WatchFilter(
            roots: ["/srv"], cwd: "/srv", ignore: [], extensions: nil, logs: ["/srv/out.log", "/srv/plain"])
        for path in ["out.log", "out.log.1", "out.log.2.gz", "out-20261121.log", "out__2026-11-21.log", "plain.1"] {
            #expect(filter.ignores("/srv/" + path), "\(path)")
        }
        for path in ["out.js", "outlet.log", "out-put.js", "plainer", "x/out.log", ".env"] {
            #expect(!filter.ignores("/srv/" + path), "\(path)")
        }
    }

    @Test("by default names that begin with a dot and node_modules are ignored, below the watched path")
    func defaults() {
        let filter = WatchFilter(
            roots: ["/home/me/.apps/web", "/srv/.env"], cwd: "/home/me/.apps/web", ignore: nil,
            extensions: [".js", "ts"])
        #expect(!filter.ignores("/home/me/.apps/web/src/a.js"))
        #expect(filter.ignores("/home/me/.apps/web/.git/index"))
        #expect(filter.ignores("/home/me/.apps/web/node_modules/x/a.js"))
        #expect(!filter.ignoresAsRoot("/srv/.env"))
        #expect(filter.counts(file: "/x/a.js") && filter.counts(file: "/x/a.b.ts") && !filter.counts(file: "/x/a.css"))
        #expect(!filter.counts(file: "/x/.js") && !filter.counts(file: "/x/js"))
    }
}
