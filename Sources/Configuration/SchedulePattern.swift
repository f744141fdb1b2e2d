import Supervision

/// Checks the pattern of a scheduled restart.
package enum SchedulePattern {
    /// What is wrong with `pattern`; nil: nothing. The one place where patterns are checked before the daemon gets them.
    package static func problem(in pattern: String, dialect: Dialect) -> String? {
        do throws(CronSchedule.Invalid) {
            let schedule = try CronSchedule(parsing: pattern)
            // PM2 knows no names of patterns; what it refuses must not begin to run.
            if schedule.isShorthand, dialect == .pm2 { return "'\(pattern)' is not made of 5 or 6 fields" }
            // From 1970 on, in any zone: the days of a calendar are the same in all of them.
            let first = schedule.next(after: 0, calendar: LocalTime { _ in 0 })
            return first == nil ? "'\(pattern)' never comes: no year has such a day" : nil
        } catch {
            return error.message
        }
    }
}
