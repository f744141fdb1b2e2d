import Control
import Model
import Platform
import Records

@testable import CommandLine

extension Fault {
    static let apps: [Fault] = [
        Fault(.scriptMissing, "it runs now, and cannot be started again") {
            $0.needs { $0.script = "'/srv/api/server.js': no such file or directory" }
        },
        Fault(.interpreterMissing, "'node' in PATH=/gone") { $0.needs { $0.interpreter = "'node' in PATH=/gone" } },
        Fault(.directoryMissing, "/srv/api") { $0.needs { $0.directory = "'/srv/api': no such file or directory" } },
        Fault(.environmentFileMissing, ".env") { $0.needs { $0.environmentFiles = ["'/srv/api/.env' is not there"] } },
        Fault(.userMissing, "user 'gone'") { $0.needs { $0.user = "gone" } },
        Fault(.logDirectoryUnusable, "/var/log/api") {
            $0.needs { $0.logDirectories = ["'/var/log/api': permission denied"] }
        },
        Fault(.logDeleted, "api-out.log") { $0.needs { $0.deletedLogs = ["/srv/logs/api-out.log"] } },
        Fault(.appErrored, "cannot find module") {
            $0.scene.apps[0].view.status = .errored
            $0.needs { $0.errorLines = ["Error: cannot find module"] }
        },
        Fault(.appRestarting, "7 restarts, 3 in a row") {
            $0.scene.apps[0].view.restarts = 7
            $0.scene.apps[0].view.unstableRestarts = 3
        },
        Fault(.appNotRunning, "ended while no daemon was running") {
            $0.scene.apps[0].view.status = .stopped
            $0.scene.apps[0].view.reason = "ended while no daemon was running"
            $0.scene.apps[0].view.reasonKind = "endedUnseen"
        },
        Fault(.appWaiting, "waits for db") {
            $0.scene.apps[0].view.status = .waiting
            $0.scene.apps[0].view.reason = "waits for db (launching)"
        },
        Fault(.jobFailed, "exit code 2") {
            $0.scene.apps[0].desired.spec.job = JobPolicy(pattern: "0 3 * * *")
            $0.scene.apps[0].view.status = .scheduled
            $0.scene.apps[0].view.lastExit = ExitView(
                code: 2, signal: nil, coreDumped: false, cause: .exit, at: World.now, uptimeMs: 1, pid: 200, detail: nil
            )
        },
        Fault(.processUnlisted, "pid 300") {
            $0.apps.unlisted = [World.process(World.strangerPid, "node", cgroup: "/")]
        },
    ]

    static let managers: [Fault] = [
        Fault(.pm2OnHome, "pid 300") { $0.managers.genuine = World.process(World.strangerPid, "node", cgroup: "/") },
        Fault(.duplicateProcess, "PM2 (daemon 12)") {
            $0.managers.copies = [
                .init(
                    app: "api", process: World.process(World.strangerPid, "node server.js", cgroup: "/"),
                    origin: .pm2(pid: 12))
            ]
        },
        Fault(.duplicateUnit, "api.service: /usr/bin/node /srv/api/server.js") {
            $0.managers.mentions = [
                .init(
                    app: "api", file: "/etc/systemd/system/api.service", line: "/usr/bin/node /srv/api/server.js",
                    disable: nil)
            ]
        },
        Fault(.duplicateAtBoot, "pm2-deploy.service") {
            $0.managers.savedByPM2 = (
                ["api"], "/srv/deploy/.pm2", "/etc/systemd/system/pm2-deploy.service",
                "systemctl disable --now pm2-deploy"
            )
        },
        Fault(.cronAtBoot, "they race") {
            $0.managers.hasUnit = true
            $0.managers.crontab = Crontabs.lines(of: "@reboot /usr/bin/hearth up", source: "crontab -l", user: "deploy")
        },
        Fault(.cronAtBoot, "beside Hearth") {
            $0.managers.crontab = Crontabs.lines(
                of: "@reboot sleep 30 && pm2 start /srv/api/server.js", source: "crontab -l", user: "deploy")
        },
        Fault(.cronAtBoot, "starts the script of 'api'") {
            $0.managers.crontab = Crontabs.lines(
                of: "@reboot deploy cd /srv/api && node /srv/api/server.js > /dev/null", source: "/etc/cron.d/api",
                user: nil)
        },
        Fault(.otherHome, "/srv/deploy/.pm2") {
            $0.managers.otherHomes = [
                HearthProcess(
                    process: World.process(World.strangerPid, "hearthd", cgroup: "/"), home: "/srv/deploy/.pm2")
            ]
        },
    ]

    static let disk: [Fault] = [
        Fault(.diskFull, "1.0 MB of 100.0 GB free") {
            $0.disk.volumes[0].availableBytes = 1 << 20
            $0.disk.volumes[0].usedBytes = 100 << 30
        },
        Fault(.diskNearlyFull, "95 % used") {
            $0.disk.volumes[0].availableBytes = 5 << 29
            $0.disk.volumes[0].usedBytes = 95 << 29
        },
        Fault(.inodesNearlyFull, "50 of 1000 files left") { $0.disk.volumes[0].availableInodes = 50 },
        Fault(.diskReadOnly, "the home, logs") { $0.disk.volumes[0].isReadOnly = true },
        Fault(.logsLarge, "largest: '/srv/logs/api-out.log'") { $0.disk.logs[0].bytes = 30 << 30 },
        Fault(.logsKeepSize, "/srv/logs") { $0.disk.logs[0].canShrink = false },
    ]

    static let limits: [Fault] = [
        Fault(.filesLow, "'api' (id 0): 900 of 1024") {
            $0.limits.files.append(.init(who: "'api' (id 0)", used: 900, limit: 1024))
        },
        Fault(.filesLow, "may open few files for 1 app") { $0.limits.files[0].limit = 256 },
        Fault(.processesLow, "user deploy: 95 of 100") {
            $0.limits.processes = .init(who: "user deploy", used: 95, limit: 100)
        },
        Fault(.cgroupProcessesLow, "/sys/fs/cgroup/a: 9 of 10") {
            $0.limits.cgroupProcesses = [.init(who: "/sys/fs/cgroup/a", used: 9, limit: 10)]
        },
        Fault(.cgroupMemoryLow, "/sys/fs/cgroup/a: 99.0 MB of 100.0 MB") {
            $0.limits.cgroupMemory = [.init(who: "/sys/fs/cgroup/a", used: 99 << 20, limit: 100 << 20)]
        },
        Fault(.memoryLow, "of 8.0 GB") { $0.limits.memory?.used = (8 << 30) - (1 << 20) },
        Fault(.appOutOfMemory, "Killed process 200") {
            $0.scene.apps[0].view.lastExit = ExitView(
                code: nil, signal: "SIGKILL", coreDumped: false, cause: .oom, at: World.now, uptimeMs: 1, pid: 200,
                detail: "Out of memory: Killed process 200")
        },
        Fault(.outOfMemoryKills, "34 of") { $0.limits.killsSinceBoot = 34 },
    ]

    static let system: [Fault] = [
        Fault(.clockUnset, "it is 1970") { $0.clock.now = 86_400_000 },
        Fault(.clockWentBack, "at least 1h 0m") { $0.clock.stamps.append(("'hearthd.log'", World.now + 3_600_000)) },
        Fault(.clockJumped, "forward by 1h 0m") { $0.clock.jumps.append(("'web' (id 1)", 3_600_000)) },
        Fault(.kernelTooOld, "Linux 4.19") {
            $0.kernel.hasPidfd = false
            $0.kernel.release = "4.19"
        },
        Fault(.kernelFeature, "no cgroup v2") { $0.kernel.hasCgroupV2 = false },
        Fault(.kernelFeature, "no PIDFD_GET_INFO") { $0.kernel.hasExitInfo = false },
        Fault(.kernelFeature, "no cgroup was delegated") { $0.kernel.isDelegated = false },
        Fault(.kernelFeature, "no cgroup.kill") { $0.kernel.hasCgroupKill = false },
        Fault(.kernelFeature, "no pidfd_getfd") { $0.kernel.hasPidfdGetfd = false },
        Fault(.kernelFeature, "Yama (ptrace_scope 1)") { $0.kernel.ptraceScope = 1 },
    ]
}
