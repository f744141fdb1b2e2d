import Control
import Model
import Testing

@testable import CommandLine

@Suite("What start is told")
struct StartTests {
    private static let existing = [
        StartPlan.Existing(
            id: InstanceID(0), name: "api", namespace: "default", command: "node /srv/api.js", isRunning: true),
        StartPlan.Existing(
            id: InstanceID(1), name: "job", namespace: "batch", command: "python3 /srv/job.py", isRunning: false),
    ]

    private static func spec(_ name: String, _ script: String) -> AppSpec {
        AppSpec(name: name, script: script, cwd: "/srv")
    }

    @Test("a new script is started, a running one refused, a stopped one started again")
    func scripts() {
        var plan = StartPlan()
        plan.add(Self.spec("web", "/srv/web.js"), existing: Self.existing, force: false)
        plan.add(Self.spec("job", "/srv/job.py"), existing: Self.existing, force: false)
        #expect(plan.newApps.map(\.name) == ["web"])
        #expect(plan.again == [InstanceID(1)])
        #expect(
            plan.notes == [
                "'job' (id 1) is in the list: started again with its stored settings; to change them, delete it first"
            ])
        plan.add(Self.spec("api", "/srv/api.js"), existing: Self.existing, force: false)
        #expect(plan.failures.count == 1)
        #expect(plan.failures[0].contains("already launched as 'api' (id 0)"))
    }

    @Test("one script may run under several names, and several times by force")
    func several() {
        var plan = StartPlan()
        plan.add(Self.spec("api-2", "/srv/api.js"), existing: Self.existing, force: false)
        plan.add(Self.spec("api", "/srv/api.js"), existing: Self.existing, force: true)
        plan.add(Self.spec("api", "/srv/other.js"), existing: Self.existing, force: false)
        #expect(plan.newApps.count == 3)
        #expect(plan.failures.isEmpty)
    }

    @Test("apps of a file that are in the list keep their settings, and that is said")
    func file() {
        var plan = StartPlan()
        plan.addFile(
            [Self.spec("api", "/new.js"), Self.spec("job", "/new.py"), Self.spec("x", "/x.js")],
            existing: Self.existing,
            force: false)
        #expect(plan.newApps.map(\.name) == ["x"])
        #expect(plan.again.isEmpty && plan.sparingJobs == [InstanceID(1)])
        #expect(plan.notes.count == 2)
    }

    @Test("a job is run by its own name or id; a group or a file lets only a paused one go on")
    func jobs() {
        let jobs = [
            StartPlan.Existing(
                id: InstanceID(5), name: "night", namespace: "n", command: "c", isRunning: true, isScheduled: true),
            StartPlan.Existing(id: InstanceID(6), name: "paused", namespace: "n", command: "c", isRunning: false),
        ]
        let ids = jobs.map(\.id)
        for (selector, again, sparing) in [
            ("all", [], [6]), ("n", [], [6]), ("night", [5], [6]), ("id:6", [6], []), ("5", [5], [6]),
        ] as [(String, [UInt32], [UInt32])] {
            var plan = StartPlan()
            plan.addSelected(ids, by: selector, existing: jobs)
            #expect(plan.again.map(\.rawValue) == again, "\(selector)")
            #expect(plan.sparingJobs.map(\.rawValue) == sparing, "\(selector)")
            #expect(plan.notes.isEmpty)
        }
        var plan = StartPlan()
        plan.addFile([Self.spec("night", "/n"), Self.spec("paused", "/p")], existing: jobs, force: false)
        #expect(plan.again.isEmpty && plan.sparingJobs == [InstanceID(6)])
    }

    @Test("a running app that is named is left as it is")
    func named() {
        var plan = StartPlan()
        plan.addSelected([InstanceID(0)], by: "api", existing: Self.existing)
        plan.addSelected([InstanceID(1)], by: "job", existing: Self.existing)
        #expect(plan.again == [InstanceID(1)])
        #expect(plan.notes == ["'api' (id 0) is already running; 'hearth restart api' starts it anew"])
    }

    @Test(
        "operands are told apart by their spelling",
        arguments: [
            ("apps.json", .file("apps.json")), ("-", .file("-")), ("a.config.js", .file("a.config.js")),
            ("a.yml", .file("a.yml")),
            ("node x.js apps.json", .script("node x.js apps.json")), ("npm run dev", .script("npm run dev")),
            ("./app", .script("./app")), ("/usr/bin/php", .script("/usr/bin/php")), ("api", .word("api")),
            ("no.such.js", .word("no.such.js")), ("3", .selector("3")), ("all", .selector("all")),
            ("/^api/", .selector("/^api/")),
            ("/tmp/", .script("/tmp/")),
        ] as [(String, StartOperand)])
    func operands(text: String, expected: StartOperand) throws {
        #expect(try StartOperand(text) == expected)
    }

    private static let candidates = [
        SelectorCandidate(id: InstanceID(0), name: "api", namespace: "shop"),
        SelectorCandidate(id: InstanceID(1), name: "api-2", namespace: "default"),
        SelectorCandidate(id: InstanceID(2), name: "7", namespace: "shop"),
        SelectorCandidate(id: InstanceID(7), name: "x", namespace: "default"),
    ]

    @Test(
        "selectors without a daemon mean what they mean with one",
        arguments: [
            ([], [0, 1, 2, 7]), (["all"], [0, 1, 2, 7]), (["api"], [0]), (["shop"], [0, 2]), (["/^api/"], [0, 1]),
            (["/-\\d$/"], [1]), (["7"], [2]), (["1", "api"], [0, 1]),
        ] as [([String], [UInt32])])
    func selection(selectors: [String], ids: [UInt32]) throws {
        #expect(try Selection.ids(selectors, among: Self.candidates).map(\.rawValue) == ids)
    }

    @Test("a selector that means nothing is an error with a suggestion")
    func nothing() {
        #expect(throws: Failure(.failed, "no app is called 'apo'; did you mean 'api'?")) {
            try Selection.ids(["apo"], among: Self.candidates)
        }
        #expect(throws: Failure.self) { try Selection.ids(["/[/"], among: Self.candidates) }
    }
}
