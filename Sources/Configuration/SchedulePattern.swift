import Supervision

/// Checks the pattern of a scheduled restart.
package enum SchedulePattern {
    /// What is wrong with `pattern`; nil: nothing. The one place where patterns are checked before the daemon gets them.
    package static func problem(in pattern: String, dialect: Dialect) -> String? {
        do throws(CronSchedule.Invalid) {
            let schedule = try CronSchedule(parsing: pattern)
            // PM2 knows no names of patterns; what it refuses must not begin to run.
            return schedule.isShorthand && dialect == .pm2 ? "'\(pattern)' is not made of 5 or 6 fields" : nil
        } catch {
            return error.message
        }
    }
}
