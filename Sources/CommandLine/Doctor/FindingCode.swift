/// Every finding, by a name that stays. docs/doctor.md has the same table.
enum FindingCode: String, CaseIterable, Sendable {
    // home
    case homeMissing = "home-missing"
    case homeOfAnotherUser = "home-of-another-user"
    case homeFromVariable = "home-from-variable"
    case homeOpen = "home-open"
    case homeNotWritable = "home-not-writable"
    case homeForeignFiles = "home-foreign-files"
    case directoryUnreadable = "directory-unreadable"
    // daemon
    case daemonMissing = "daemon-missing"
    case daemonKilled = "daemon-killed"
    case daemonStopped = "daemon-stopped"
    case daemonSpinning = "daemon-spinning"
    case daemonStuck = "daemon-stuck"
    case daemonSilent = "daemon-silent"
    case daemonNotReady = "daemon-not-ready"
    case daemonOtherVersion = "daemon-other-version"
    case daemonReplaced = "daemon-replaced"
    case socketForeign = "socket-foreign"
    case socketStale = "socket-stale"
    case socketMissing = "socket-missing"
    case pidFileStale = "pid-file-stale"
    case lockForeign = "lock-foreign"
    // keeper
    case keeperMissing = "keeper-missing"
    case keeperStopped = "keeper-stopped"
    case keeperAlone = "keeper-alone"
    // unit
    case unitMissing = "unit-missing"
    case unitDisabled = "unit-disabled"
    case unitDead = "unit-dead"
    case unitFailed = "unit-failed"
    case unitProgramMissing = "unit-program-missing"
    case unitHomeMissing = "unit-home-missing"
    case unitOtherHome = "unit-other-home"
    case unitOtherUser = "unit-other-user"
    case unitKillsApps = "unit-kills-apps"
    case unitPath = "unit-path"
    case daemonOutsideUnit = "daemon-outside-unit"
    case appsOutsideUnit = "apps-outside-unit"
    case lingerOff = "linger-off"
    case sessionKilled = "session-killed"
    case bootNotArranged = "boot-not-arranged"
    case unitUnknown = "unit-unknown"
    // list
    case listCorrupt = "list-corrupt"
    case listSetAside = "list-set-aside"
    case listNotSaved = "list-not-saved"
    case listOfAnotherMachine = "list-of-another-machine"
    case dumpMissing = "dump-missing"
    case dumpOld = "dump-old"
    // apps
    case scriptMissing = "script-missing"
    case interpreterMissing = "interpreter-missing"
    case directoryMissing = "directory-missing"
    case environmentFileMissing = "environment-file-missing"
    case userMissing = "user-missing"
    case logDirectoryUnusable = "log-directory-unusable"
    case appErrored = "app-errored"
    case appRestarting = "app-restarting"
    case appNotRunning = "app-not-running"
    case appWaiting = "app-waiting"
    case jobFailed = "job-failed"
    case logDeleted = "log-deleted"
    case processUnlisted = "process-unlisted"
    // managers
    case pm2OnHome = "pm2-on-home"
    case duplicateProcess = "duplicate-process"
    case duplicateUnit = "duplicate-unit"
    case duplicateAtBoot = "duplicate-at-boot"
    case cronAtBoot = "cron-at-boot"
    case otherHome = "other-home"
    // ports
    case portHeld = "port-held"
    case portOrphan = "port-orphan"
    case portSplit = "port-split"
    case portTwice = "port-twice"
    case portNotOpen = "port-not-open"
    case socketLost = "socket-lost"
    case hostnameInherited = "hostname-inherited"
    // disk
    case diskFull = "disk-full"
    case diskNearlyFull = "disk-nearly-full"
    case inodesNearlyFull = "inodes-nearly-full"
    case diskReadOnly = "disk-read-only"
    case logsLarge = "logs-large"
    case logsKeepSize = "logs-keep-size"
    // limits
    case filesLow = "files-low"
    case processesLow = "processes-low"
    case cgroupProcessesLow = "cgroup-processes-low"
    case cgroupMemoryLow = "cgroup-memory-low"
    case memoryLow = "memory-low"
    case appOutOfMemory = "app-out-of-memory"
    case outOfMemoryKills = "out-of-memory-kills"
    // clock
    case clockUnset = "clock-unset"
    case clockWentBack = "clock-went-back"
    case clockJumped = "clock-jumped"
    // kernel
    case kernelTooOld = "kernel-too-old"
    case kernelFeature = "kernel-feature"
    // any layer
    case notLookedAt = "not-looked-at"

    /// Unless the finding itself says otherwise.
    var severity: Finding.Severity {
        switch self {
        case .homeMissing, .socketStale, .pidFileStale, .logsKeepSize, .outOfMemoryKills, .kernelFeature, .otherHome,
            .portNotOpen, .clockJumped, .unitUnknown, .appWaiting:
            .note
        case .homeOpen, .directoryUnreadable, .daemonKilled, .daemonNotReady, .daemonReplaced, .keeperAlone,
            .unitPath, .appsOutsideUnit, .bootNotArranged, .listSetAside, .dumpOld, .appRestarting, .jobFailed,
            .logDeleted, .processUnlisted, .duplicateUnit, .cronAtBoot, .portSplit, .portTwice, .socketLost,
            .hostnameInherited,
            .diskNearlyFull, .inodesNearlyFull, .logsLarge, .filesLow, .processesLow, .cgroupProcessesLow,
            .cgroupMemoryLow, .memoryLow, .appOutOfMemory, .clockUnset, .clockWentBack, .notLookedAt,
            .logDirectoryUnusable:
            .warning
        default: .error
        }
    }

    /// Nil: it belongs to whichever layer could not be looked at.
    var layer: DoctorLayer? {
        switch self {
        case .homeMissing, .homeOfAnotherUser, .homeFromVariable, .homeOpen, .homeNotWritable, .homeForeignFiles,
            .directoryUnreadable:
            .home
        case .daemonMissing, .daemonKilled, .daemonStopped, .daemonSpinning, .daemonStuck, .daemonSilent,
            .daemonNotReady, .daemonOtherVersion, .daemonReplaced, .socketForeign, .socketStale, .socketMissing,
            .pidFileStale, .lockForeign:
            .daemon
        case .keeperMissing, .keeperStopped, .keeperAlone: .keeper
        case .unitMissing, .unitDisabled, .unitDead, .unitFailed, .unitProgramMissing, .unitHomeMissing,
            .unitOtherHome, .unitOtherUser, .unitKillsApps, .unitPath, .daemonOutsideUnit, .appsOutsideUnit,
            .lingerOff, .sessionKilled, .bootNotArranged, .unitUnknown:
            .unit
        case .listCorrupt, .listSetAside, .listNotSaved, .listOfAnotherMachine, .dumpMissing, .dumpOld: .list
        case .scriptMissing, .interpreterMissing, .directoryMissing, .environmentFileMissing, .userMissing,
            .logDirectoryUnusable, .appErrored, .appRestarting, .appNotRunning, .appWaiting, .jobFailed, .logDeleted,
            .processUnlisted:
            .apps
        case .pm2OnHome, .duplicateProcess, .duplicateUnit, .duplicateAtBoot, .cronAtBoot, .otherHome: .managers
        case .portHeld, .portOrphan, .portSplit, .portTwice, .portNotOpen, .socketLost, .hostnameInherited: .ports
        case .diskFull, .diskNearlyFull, .inodesNearlyFull, .diskReadOnly, .logsLarge, .logsKeepSize: .disk
        case .filesLow, .processesLow, .cgroupProcessesLow, .cgroupMemoryLow, .memoryLow, .appOutOfMemory,
            .outOfMemoryKills:
            .limits
        case .clockUnset, .clockWentBack, .clockJumped: .clock
        case .kernelTooOld, .kernelFeature: .kernel
        case .notLookedAt: nil
        }
    }
}
