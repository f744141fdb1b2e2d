import Control
import Glibc
import Model
import Platform
import Records

@testable import CommandLine

// Every finding at least once; more than once where it has more than one cause.

extension Fault {
    static let all = home + daemon + keeper + unit + list + ports + apps + managers + disk + limits + system

    private static let home: [Fault] = [
        Fault(.homeMissing, "/srv/deploy/.hearth") { $0.home.state = .missing },
        Fault(.homeOfAnotherUser, "permission denied") {
            $0.home.state = .unreachable(errno: EACCES)
            $0.home.callerHome = "/root"
        },
        Fault(.homeOfAnotherUser, "belongs to") { $0.home.state = .there(mode: 0o700, owner: 77) },
        Fault(.homeFromVariable, "you are root") {
            $0.scene.caller = 0
            $0.scene.paths = HomePaths(home: "/srv/deploy/.hearth")
        },
        Fault(.homeOpen, "755") { $0.home.state = .there(mode: 0o755, owner: World.uid) },
        Fault(.homeNotWritable, "read-only") { $0.home.writeError = EROFS },
        Fault(.homeForeignFiles, "desired.json") { $0.home.foreignFiles = ["/srv/deploy/.hearth/state/desired.json"] },
        Fault(.directoryUnreadable, "removed") { $0.home.directoryProblem = "it was removed" },
    ]

    private static let daemon: [Fault] = [
        Fault(.daemonMissing, "unwatched: api") { $0.removeDaemon() },
        Fault(.daemonMissing, "1 of 1 in the list should run") {
            $0.removeDaemon()
            $0.scene.apps[0].members = []
            $0.scene.apps[0].view.pid = nil
        },
        Fault(.daemonKilled, "by deploy (hearth kill)") {
            $0.removeDaemon()
            $0.scene.list.state?.killed = .init(by: Actor("deploy (hearth kill)"), at: 0)
        },
        Fault(.daemonStopped, "state T") { $0.silence("T") },
        Fault(.daemonSpinning, "100 % of a core") { $0.silence("R", cpu: 100) },
        Fault(.daemonStuck, "nfs_wait") {
            $0.silence("D")
            $0.scene.daemon.process?.waitsIn = "nfs_wait"
        },
        Fault(.daemonSilent, "state S") { $0.silence("S") },
        Fault(.daemonSilent, "no hearthd of this home") {
            $0.scene.daemon.keepers = []
            $0.silence("S")
            $0.scene.daemon.process = nil
        },
        Fault(.daemonNotReady, "pid 100") {
            $0.scene.daemon.answer = .hello(
                version: Interface.productVersion, pid: 100, keeper: 99, ready: false, uptimeMs: 90_000)
        },
        Fault(.daemonOtherVersion, "hearthd 9.9.9") {
            $0.scene.daemon.answer = .hello(version: "9.9.9", pid: 100, keeper: 99, ready: true, uptimeMs: 1)
        },
        Fault(.daemonOtherVersion, "speaks version 7") {
            $0.scene.daemon.answer = .incompatible("it speaks version 7")
        },
        Fault(.daemonReplaced, "pid 100") { $0.scene.daemon.process?.isReplaced = true },
        Fault(.socketForeign, "another user") { $0.scene.daemon.answer = .notPermitted("it belongs to another user") },
        Fault(.socketStale, "hearth.sock") {
            $0.removeDaemon()
            $0.scene.daemon.hasSocketFile = true
        },
        Fault(.socketMissing, "pid 100") { $0.scene.daemon.answer = .nobody },
        Fault(.pidFileStale, "names 4711") { $0.scene.daemon.pidFile = 4711 },
        Fault(.lockForeign, "flock") {
            $0.removeDaemon()
            $0.scene.daemon.foreignHolder = World.process(World.strangerPid, "flock", cgroup: "/")
        },
    ]

    private static let keeper: [Fault] = [
        Fault(.keeperMissing, "daemon 100") {
            $0.scene.daemon.answer = .hello(
                version: Interface.productVersion, pid: 100, keeper: nil, ready: true, uptimeMs: 60_000)
            $0.scene.daemon.keepers = []
        },
        Fault(.keeperMissing, "does not answer") {
            $0.silence("S")
            $0.scene.daemon.keepers = []
        },
        Fault(.keeperStopped, "state T") { $0.scene.daemon.keepers[0].state = "T" },
        Fault(.keeperAlone, "keeper 99") {
            let keepers = $0.scene.daemon.keepers
            $0.removeDaemon()
            $0.scene.daemon.keepers = keepers
        },
    ]

    private static let unit: [Fault] = [
        Fault(.unitMissing, "after a reboot nothing runs") { $0.unit.unit = nil },
        Fault(.unitMissing, "crontab") {
            $0.unit.unit = nil
            $0.unit.otherStarts = ["crontab -l: @reboot hearth up"]
        },
        Fault(.unitMissing, "has not read it") { $0.change("LoadState", to: "not-found") },
        Fault(.unitDisabled, "disabled, active") { $0.change("UnitFileState", to: "disabled") },
        Fault(.unitDead, "inactive (dead)") {
            $0.change("ActiveState", to: "inactive")
            $0.change("SubState", to: "dead")
            $0.change("MainPID", to: "0")
        },
        Fault(.unitFailed, "result exit-code, exit status 203") {
            $0.change("ActiveState", to: "failed")
            $0.change("Result", to: "exit-code")
            $0.change("ExecMainStatus", to: "203")
        },
        Fault(.unitProgramMissing, "/opt/gone/hearth") { $0.unit.unit?.missingProgram = "/opt/gone/hearth" },
        Fault(.unitHomeMissing, "/srv/deploy/.hearth") {
            $0.change("Environment", to: "HEARTH_HOME=/srv/deploy/.hearth")
        },
        Fault(.unitOtherHome, "/tmp") { $0.change("Environment", to: "A=1 HEARTH_HOME=/tmp") },
        Fault(.unitOtherUser, "User=www-data") { $0.change("User", to: "www-data") },
        Fault(.unitKillsApps, "Type=forking, KillMode=control-group") {
            $0.change("Type", to: "forking")
            $0.change("KillMode", to: "control-group")
            $0.change("PIDFile", to: "/srv/deploy/.pm2/pm2.pid")
        },
        Fault(.unitPath, "/root/.nvm/v18/bin") { $0.unit.unit?.missingDirectories = ["/root/.nvm/v18/bin"] },
        Fault(.daemonOutsideUnit, "login session") {
            $0.change("MainPID", to: "1")
            $0.scene.daemon.process?.cgroup = "/user.slice/user-1000.slice/session-3.scope"
        },
        Fault(.daemonOutsideUnit, "/other.slice") {
            $0.change("MainPID", to: "0")
            $0.scene.daemon.process?.cgroup = "/other.slice"
        },
        Fault(.appsOutsideUnit, "session-3.scope") {
            $0.unit.places[0].cgroup = "/user.slice/user-1000.slice/session-3.scope"
        },
        Fault(.lingerOff, "/var/lib/systemd/linger/") {
            $0.unit.unit?.scope = .user
            $0.unit.lingers = false
        },
        Fault(.lingerOff, "does not run now") {
            $0.unit.unit?.scope = .user
            $0.unit.unit?.properties = [:]
            $0.unit.isSilent = true
            $0.unit.lingers = false
        },
        Fault(.unitUnknown, "only that user may ask") {
            $0.unit.unit = nil
            $0.unit.unitOfOwner = "/home/deploy/.config/systemd/user/hearth.service"
        },
        Fault(.sessionKilled, "session-3.scope") {
            $0.unit.killsSessions = true
            $0.unit.places[0].cgroup = "/user.slice/user-1000.slice/session-3.scope"
        },
        Fault(.bootNotArranged, "openrc-init") { $0.unit.boot = .other("openrc-init") },
        Fault(.unitUnknown, "node") { $0.unit.boot = .container("node") },
        Fault(.unitUnknown, "does not answer") {
            $0.unit.unit = nil
            $0.unit.isSilent = true
        },
    ]

    private static let list: [Fault] = [
        Fault(.listCorrupt, "line 3") {
            $0.scene.list = .init(
                state: nil, notes: ["'desired.json' cannot be used: line 3"], corrupt: ["desired.json"])
        },
        Fault(.listCorrupt, "permission denied") {
            $0.scene.list = .init(state: nil, notes: ["read 'desired.json': permission denied"], corrupt: [])
        },
        Fault(.listSetAside, "corrupt-17") { $0.list.setAside = ["/h/state/desired.json.corrupt-17"] },
        Fault(.listNotSaved, "no space left") { $0.scene.notes = ["not saved: no space left on device"] },
        Fault(.listOfAnotherMachine, "machine elsewhere") { $0.scene.list.state?.machine = "elsewhere" },
        Fault(.dumpMissing, "never saved") { $0.list.dump = .missing },
        Fault(.dumpMissing, "line 1") { $0.list.dump = .unreadable("line 1") },
        Fault(.dumpOld, "not in it: api") { $0.list.dump = .names(["web"], modifiedAt: 0) },
    ]

    private static let ports: [Fault] = [
        Fault(.portHeld, "2h 0m: node old.js; started by the unit old.service") {
            $0.scene.apps[0].view.ports = []
            $0.ports.holders = [World.holder(3000, "127.0.0.1", World.strangerPid)]
            $0.ports.origins = [World.strangerPid: .unit("old.service", isUser: false)]
        },
        Fault(.portHeld, "127.0.0.1 included") {
            $0.scene.apps[0].view.ports = []
            $0.ports.holders = [World.holder(3000, "::", World.strangerPid)]
        },
        Fault(.portHeld, "may not look at") {
            $0.scene.apps[0].view.ports = []
            $0.ports.holders = [World.holder(3000, "0.0.0.0", nil)]
        },
        Fault(.portOrphan, "once started as instance 7") {
            $0.scene.apps[0].view.ports = []
            let tag = InstanceTag(homeID: "home", instance: InstanceID(7), generation: Generation(1))
            $0.ports.holders = [World.holder(3000, "127.0.0.1", World.strangerPid, tag: tag)]
        },
        Fault(.portSplit, "[::1]:3000") {
            $0.ports.holders.append(World.holder(3000, "::1", World.strangerPid))
        },
        Fault(.portTwice, "'web'") {
            var other = $0.scene.apps[0]
            other.desired.spec.name = "web"
            other.desired.id = InstanceID(1)
            other.view.ports = []
            other.members = [201]
            $0.scene.apps.append(other)
        },
        Fault(.portNotOpen, "127.0.0.1:3001") {
            $0.scene.apps[0].view.ports[0].port = 3001
            $0.ports.holders = [World.holder(3001, "127.0.0.1", World.appPid)]
        },
        Fault(.socketLost, "port 3000") {
            $0.scene.apps[0].desired.spec.listen = [ListenSpec(name: "web", address: .tcp(host: nil, port: 3000))]
        },
        Fault(.hostnameInherited, "HOSTNAME=machine.example") {
            $0.ports.hostnames = [InstanceID(0): "machine.example"]
        },
        Fault(.hostnameInherited, "own settings") {
            $0.ports.hostnames = [InstanceID(0): "machine"]
            $0.scene.apps[0].desired.spec.environment["HOSTNAME"] = "machine"
        },
    ]
}
