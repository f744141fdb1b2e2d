import Control
import Model
import Platform
import Records
import Supervision

/// What a client may ask to be started. The command line checks more (files, programs) and says it better; this holds
/// for every client, so that no request can make an entry that cannot be shown, stored or spawned.
enum SpecValidation {
    /// - Parameter countsInstances: each app becomes so many entries; false: each is one that exists.
    static func validate(
        _ apps: [AppSpec], alreadyThere: Int, countsInstances: Bool = true
    ) throws(ControlError) {
        guard !apps.isEmpty else { throw ControlError(.badRequest, "no app is given") }
        var total = alreadyThere
        for (index, app) in apps.enumerated() {
            try validate(app, at: "apps[\(index)]")
            if countsInstances { total += app.instances }
        }
        guard total <= InstanceTable.capacity else {
            throw ControlError(
                .badRequest, "\(total) instances are more than one home can hold (\(InstanceTable.capacity))")
        }
    }

    /// Whom the app is to run as. Asks the name service, which may be slow: not for the loop.
    static func validateAccounts(_ apps: [AppSpec]) throws(ControlError) {
        for (index, app) in apps.enumerated() where app.uid != nil || app.gid != nil {
            do throws(Account.Unknown) { _ = try Account.resolve(uid: app.uid, gid: app.gid) } catch {
                throw ControlError(.badRequest, "apps[\(index)] '\(app.name)': \(error.message)")
            }
        }
    }

    static func validateOrder(_ cycle: [String]?) throws(ControlError) {
        guard let cycle else { return }
        throw ControlError(
            .badRequest, "depends_on goes round in a circle: \(cycle.joined(separator: " → "))",
            hint: "take one of them out")
    }

    private static func validate(_ app: AppSpec, at place: String) throws(ControlError) {
        func check(_ condition: Bool, _ message: @autoclosure () -> String) throws(ControlError) {
            if !condition { throw ControlError(.badRequest, "\(place).\(message())") }
        }
        try check(!app.name.isEmpty, "name is empty")
        try check(app.name.utf8.count <= 200, "name is longer than 200 bytes")
        try check(app.name != "all", "name 'all' would name every app")
        try check(!app.namespace.isEmpty && app.namespace.utf8.count <= 200, "namespace is empty or over 200 bytes")
        try check(!app.script.isEmpty, "script is empty")
        try check(app.cwd.hasPrefix("/"), "cwd '\(app.cwd)' is not an absolute path")
        try check((1...1024).contains(app.instances), "instances \(app.instances) is not between 1 and 1024")
        try check(app.restart.maxRestarts >= 0, "restart.maxRestarts \(app.restart.maxRestarts) is negative")
        let times: [(String, Milliseconds?)] = [
            ("restart.minUptime", app.restart.minUptime), ("restart.restartDelay", app.restart.restartDelay),
            ("restart.exponentialBackoff", app.restart.exponentialBackoff),
            ("stop.killTimeout", app.stop.killTimeout),
            ("readiness.timeout", app.readiness?.timeout),
        ]
        for (name, time) in times {
            // 30 days: more is a mistake, and far from every overflow.
            if let time {
                try check(
                    (0...2_592_000_000).contains(time.rawValue), "\(name) \(time.rawValue) is not 0 to 30 days in ms")
            }
        }
        if let period = app.watchdog {
            try check(
                (Notification.shortestPeriod...Notification.longestPeriod).contains(period),
                "watchdog \(period.rawValue) is not 100 ms to 30 days in ms")
        }
        if let limit = app.memoryLimit { try check(limit > 0, "memoryLimit \(limit) is not above 0") }
        if let pattern = app.schedule?.pattern {
            do throws(CronSchedule.Invalid) { _ = try CronSchedule(parsing: pattern) } catch {
                throw ControlError(.badRequest, "Cron pattern error: \(error) (\(place) '\(app.name)')")
            }
        }
        if let max = app.memoryMax { try check(max > 0, "memoryMax \(max) is not above 0") }
        if let fault = app.jobFault { throw ControlError(.badRequest, "\(place).job: \(fault)") }
        if let pattern = app.job?.pattern, pattern != JobPolicy.atBoot {
            do throws(CronSchedule.Invalid) { _ = try CronSchedule(parsing: pattern) } catch {
                throw ControlError(.badRequest, "\(place).job: \(error) ('\(app.name)')")
            }
        }
        if let fault = app.listen.flatMap(ListenSpec.fault(of:)) {
            throw ControlError(.badRequest, "\(place).listen: \(fault)")
        }
        if let watch = app.watch {
            try check(watch.paths.allSatisfy { $0.hasPrefix("/") }, "watch.paths holds one that is not absolute")
            try check((0...86_400_000).contains(watch.delay.rawValue), "watch.delay is not 0 to 1 day in ms")
        }
        for path in app.environmentFiles ?? [] {
            try check(path.hasPrefix("/"), "environmentFiles: '\(path)' is not an absolute path")
        }
        if let path = app.pidFile { try check(path.hasPrefix("/"), "pidFile '\(path)' is not an absolute path") }
        for name in [app.instanceVariable, app.incrementVariable].compactMap({ $0 }) {
            try check(!name.isEmpty && !name.contains("="), "'\(name)' is not the name of a variable")
        }
        for name in app.dependsOn ?? [] {
            try check(!name.isEmpty && name.utf8.count <= 200, "dependsOn holds a name that is empty or over 200 bytes")
        }
        let texts =
            [app.name, app.namespace, app.script, app.cwd, app.interpreter ?? "", app.uid ?? "", app.gid ?? ""]
            + app.arguments + app.interpreterArguments + [app.output.outFile ?? "", app.output.errorFile ?? ""]
            + app.environment.map { $0.key + $0.value } + [app.instanceVariable ?? "", app.incrementVariable ?? ""]
            + (app.environmentFiles ?? []) + (app.dependsOn ?? []) + [app.pidFile ?? ""] + (app.watch?.paths ?? [])
        try check(!texts.contains { $0.utf8.contains(0) }, "a text holds a NUL byte, which no program can be given")
        for name in app.environment.keys {
            try check(
                !name.isEmpty && !name.contains("="), "environment name '\(name)' is empty or holds '='")
        }
        // MAX_ARG_STRLEN of the kernel.
        for argument in app.arguments + app.interpreterArguments {
            try check(argument.utf8.count < 131_072, "arguments: one is longer than 128 KiB, which Linux refuses")
        }
    }
}
