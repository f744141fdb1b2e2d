import Control
import Model
import PM2Format
import Records
import Testing

@Suite("Tables of PM2")
struct TableTests {
    private func records() -> [PM2Record] {
        var cluster = Samples.spec("web")
        cluster.mode = .cluster
        cluster.watch = WatchPolicy(paths: [cluster.cwd])
        return Samples.listing([
            Samples.entry(0, Samples.spec("worker")), Samples.entry(11, cluster, status: .waitingRestart),
            Samples.entry(2, Samples.spec("日本"), status: .stopped, pid: nil),
        ]).records
    }

    private func table(_ columns: Int = 300) -> String {
        ProcessTable.lines(records(), Screen(columns: columns)).joined(separator: "\n")
    }

    @Test("the full layout where there is room, or no terminal")
    func full() {
        let expected = """
            ┌────┬───────────┬─────────────┬─────────┬─────────┬──────────┬────────┬──────┬───────────┬──────────┬──────────┬──────────┬──────────┐
            │ id │ name      │ namespace   │ version │ mode    │ pid      │ uptime │ ↺    │ status    │ cpu      │ mem      │ user     │ watching │
            ├────┼───────────┼─────────────┼─────────┼─────────┼──────────┼────────┼──────┼───────────┼──────────┼──────────┼──────────┼──────────┤
            │ 11 │ web       │ default     │ 1.2.3   │ cluster │ 4242     │ 0      │ 3    │ waiting … │ 0%       │ 0b       │ deploy   │ enabled  │
            │ 0  │ worker    │ default     │ 1.2.3   │ fork    │ 4242     │ 37s    │ 3    │ online    │ 12.3%    │ 2.9mb    │ deploy   │ disabled │
            │ 2  │ 日本      │ default     │ 1.2.3   │ fork    │ 0        │ 0      │ 3    │ stopped   │ 0%       │ 0b       │ deploy   │ disabled │
            └────┴───────────┴─────────────┴─────────┴─────────┴──────────┴────────┴──────┴───────────┴──────────┴──────────┴──────────┴──────────┘
            """
        #expect(table() == expected)
        #expect(table(142) == expected)
    }

    @Test("condensed and mini layouts where there is less")
    func narrow() {
        #expect(
            table(100).hasPrefix(
                """
                ┌────┬───────────┬──────────┬──────┬───────────┬──────────┬──────────┐
                │ id │ name      │ mode     │ ↺    │ status    │ cpu      │ memory   │
                """))
        #expect(
            table(60).hasPrefix(
                """
                ┌────┬───────────┬───────────┬────────┬──────────┐
                │ id │ name      │ status    │ cpu    │ mem      │
                """))
        #expect(table(10) == table(60))
    }

    @Test("an empty list has a head")
    func empty() {
        let lines = ProcessTable.lines([], Screen(columns: 60))
        #expect(
            lines == [
                "┌────┬───────────┬───────────┬────────┬──────────┐",
                "│ id │ name      │ status    │ cpu    │ mem      │",
                "├────┼───────────┼───────────┼────────┼──────────┤",
                "└────┴───────────┴───────────┴────────┴──────────┘",
            ])
    }

    @Test("long names are cut, and control characters are shown")
    func names() {
        let long = Samples.listing([
            Samples.entry(0, Samples.spec(String(repeating: "n", count: 60))),
            Samples.entry(1, Samples.spec("a\u{1b}b")),
        ]).records
        let lines = ProcessTable.lines(long, Screen())
        #expect(lines[4].contains("│ \(String(repeating: "n", count: 37))… │"))
        #expect(lines[3].contains("a\\eb"))
        #expect(Set(lines.map(\.count)).count == 1)
    }

    @Test("colours")
    func colours() {
        let lines = ProcessTable.lines(records(), Screen(color: true))
        #expect(lines[1].contains("\u{1b}[36m\u{1b}[1mname\u{1b}[22m\u{1b}[39m"))
        #expect(lines[3].contains("\u{1b}[31m\u{1b}[1mwaiting …\u{1b}[22m\u{1b}[39m"))
        #expect(lines[4].contains("\u{1b}[32m\u{1b}[1monline\u{1b}[22m\u{1b}[39m"))
    }

    @Test(
        "sorted by a field",
        arguments: [
            ("name", [11, 0, 2]), ("name:desc", [2, 0, 11]), ("id", [0, 2, 11]), ("id:desc", [11, 2, 0]),
            ("pid", [2, 0, 11]), ("status", [0, 2, 11]), ("nonsense", [11, 0, 2]), ("", [11, 0, 2]),
        ] as [(String, [UInt32])])
    func sorted(given: String, ids: [UInt32]) {
        #expect(ProcessOrder(parsing: given).sorted(records()).map(\.entry.instance.id.rawValue) == ids)
    }

    @Test(
        "durations", arguments: [(0, "0s"), (119, "119s"), (120, "2m"), (6000, "100m"), (7200, "2h"), (172_800, "2D")])
    func durations(seconds: Int64, text: String) {
        #expect(PM2Quantities.duration(milliseconds: seconds * 1000) == text)
    }

    @Test(
        "bytes",
        arguments: [
            (500, "500b "), (1024, "1.0kb "), (3_051_520, "2.9mb "), (1_288_490_189, "1.2gb "), (-1, "0b "),
            (2_199_023_255_552, "2.0tb "), (Int64.max, "8388608.0tb "),
        ] as [(Int64, String)])
    func bytes(count: Int64, text: String) { #expect(PM2Quantities.bytes(count) == text) }

    @Test("the mini list")
    func mini() {
        #expect(
            MiniList.lines(Samples.listing([Samples.entry(0, Samples.spec("api"))]).records) == [
                "+--- api", "namespace : default", "version : 1.2.3", "pid : 4242", "pm2 id : 0", "status : online",
                "mode : fork", "restarted : 3", "uptime : 37s", "memory usage : 2.9mb ",
                "error log : /home/deploy/.pm2/logs/api-error.log", "watching : no",
                "PID file : /home/deploy/.pm2/pids/api-0.pid", "",
            ])
    }

    @Test("a description")
    func description() {
        let record = Samples.listing([Samples.entry(0, Samples.spec("api"))]).records[0]
        let local = ["PATH": "/other", "HOME": "/home/deploy", "UNKNOWN": "1"]
        let expected = """
             Describing process with id 0 - name api 
            ┌───────────────────┬──────────────────────────────────────┐
            │ status            │ online                               │
            │ name              │ api                                  │
            │ namespace         │ default                              │
            │ version           │ 1.2.3                                │
            │ restarts          │ 3                                    │
            │ uptime            │ 37s                                  │
            │ script path       │ /srv/api/server.js                   │
            │ script args       │ --port 3000                          │
            │ error log path    │ /home/deploy/.pm2/logs/api-error.log │
            │ out log path      │ /home/deploy/.pm2/logs/api-out.log   │
            │ pid path          │ /home/deploy/.pm2/pids/api-0.pid     │
            │ interpreter       │ node                                 │
            │ interpreter args  │ N/A                                  │
            │ script id         │ 0                                    │
            │ exec cwd          │ /srv/api                             │
            │ exec mode         │ fork_mode                            │
            │ node.js version   │ N/A                                  │
            │ node env          │ N/A                                  │
            │ watch & reload    │ ✘                                    │
            │ unstable restarts │ 1                                    │
            │ created at        │ 2023-11-14T22:13:19.000Z             │
            └───────────────────┴──────────────────────────────────────┘
             Divergent env variables from local env 
            ┌──────┬───────────────┐
            │ PATH │ /usr/bin:/bin │
            └──────┴───────────────┘

             Add your own code metrics: http://bit.ly/code-metrics
             Use `pm2 logs api [--lines 1000]` to display logs
             Use `pm2 env 0` to display environment variables
             Use `pm2 monit` to monitor CPU and Memory usage api
            """
        let text = Description.lines(record, local: local, Screen()).joined(separator: "\n")
        #expect(text == expected)
    }

    @Test("rows of a description that stand there only when they are set")
    func optionalRows() {
        var spec = Samples.spec("api")
        spec.memoryLimit = 1000
        spec.schedule = RestartSchedule(pattern: "0 0 * * *")
        spec.kept = ["log_file": "true"]
        let record = Samples.listing([Samples.entry(0, spec)]).records[0]
        let labels = Description.lines(record, local: [:], Screen()).compactMap { line in
            line.hasPrefix("│") ? line.split(separator: "│").first.map { $0.trimming() } : nil
        }
        #expect(
            labels.prefix(11) == [
                "status", "name", "namespace", "version", "restarts", "max memory restart", "cron restart", "uptime",
                "entire log path", "script path", "script args",
            ])
    }

    @Test("env prints variables, the last first, without what PM2 keeps in a record")
    func environment() {
        let record = Samples.listing([Samples.entry(0, Samples.spec("api"))]).records[0]
        let lines = SmallReplies.environment(record, Screen())
        #expect(lines.prefix(3) == ["PM2_HOME: /home/deploy/.pm2", "PM2_USAGE: CLI", "PATH: /usr/bin:/bin"])
        #expect(!lines.contains { $0.hasPrefix("pm_id") || $0.hasPrefix("watch") || $0.hasPrefix("axm") })
    }

    @Test("id prints ids as Node prints an array")
    func ids() {
        let records = Samples.listing([Samples.entry(1, Samples.spec("a")), Samples.entry(0, Samples.spec("a"))])
            .records
        #expect(SmallReplies.ids(records, named: "a") == "[ 0, 1 ]")
        #expect(SmallReplies.ids(records, named: "b") == "[]")
        #expect(SmallReplies.pids(records, named: "a") == ["4242", "4242"])
        #expect(SmallReplies.pids(records, named: "b") == [""] && SmallReplies.pids([]) == [])
    }
}

extension Substring {
    fileprivate func trimming() -> String { split(separator: " ").joined(separator: " ") }
}
