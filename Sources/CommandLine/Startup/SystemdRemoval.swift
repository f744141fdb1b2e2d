import Glibc
import Platform

/// Takes the units of a home away. What runs is left running: it is only not started any more.
struct SystemdRemoval {
    let units: ManagerUnits

    /// What was done, a sentence each.
    func remove() throws -> [String] {
        guard FileSystem.exists(units.managerFile) else {
            throw Failure(.failed, "there is no '\(units.managerFile)': nothing was set up")
        }
        let systemctl = Systemctl(scope: units.scope)
        let answer = systemctl.run(["disable", units.manager])
        guard answer.isDone else {
            throw Failure(.failed, "'systemctl disable \(units.manager)' failed: \(answer.output)")
        }
        var done = ["\(units.manager) does not start at boot any more"]
        for file in [units.managerFile, units.appsFile] {
            guard unlink(file) == 0 || errno == ENOENT else { throw SystemError(errno, "remove '\(file)'") }
        }
        done.append("removed \(units.managerFile) and \(units.appsFile)")
        _ = systemctl.run(["daemon-reload"])
        if systemctl.show(units.manager, ["ActiveState"])?["ActiveState"] == "active" {
            done.append("daemon and apps go on; 'hearth kill' ends them")
        }
        return done
    }
}
