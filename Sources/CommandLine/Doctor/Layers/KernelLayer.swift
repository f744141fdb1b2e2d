import CLinux
import Control
import Glibc
import Platform
import Records

/// What this kernel can do for Hearth.
struct KernelEvidence: Sendable {
    var release: String
    var hasPidfd: Bool
    /// How an adopted app ended can be asked (Linux 6.15).
    var hasExitInfo: Bool
    var hasCgroupV2: Bool
    var hasCgroupKill: Bool
    /// Instances have cgroups of their own.
    var isDelegated: Bool
    var hasPidfdGetfd: Bool
    /// `kernel.yama.ptrace_scope`; nil: there is no Yama.
    var ptraceScope: Int?

    static func collect(_ scene: Scene) -> KernelEvidence {
        var names = utsname()
        uname(&names)
        let release = withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let pidfd = clinux_pidfd_open(getpid())
        defer { if pidfd >= 0 { close(pidfd) } }
        var status: Int32 = 0
        let copy = pidfd >= 0 ? clinux_pidfd_getfd(pidfd, pidfd) : -1
        if copy >= 0 { close(copy) }
        let mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        let mount = mounts.first { FileSystem.exists($0 + "/cgroup.controllers") }
        let groups = scene.apps.compactMap { $0.view.pid.flatMap { ProcessFacts.cgroup(of: $0) } }
        return KernelEvidence(
            release: release, hasPidfd: pidfd >= 0,
            hasExitInfo: pidfd >= 0 && clinux_pidfd_exit_status(pidfd, &status) >= 0, hasCgroupV2: mount != nil,
            hasCgroupKill: mount.map(hasKill) ?? false,
            isDelegated: groups.isEmpty || groups.count == 1 || Set(groups).count == groups.count,
            hasPidfdGetfd: copy >= 0, ptraceScope: scope())
    }

    /// The root has no such file, every other one has.
    private static func hasKill(_ mount: String) -> Bool {
        let groups = ((try? FileSystem.names(in: mount)) ?? []).filter { FileSystem.isDirectory("\(mount)/\($0)") }
        return groups.isEmpty || groups.contains { FileSystem.exists("\(mount)/\($0)/cgroup.kill") }
    }

    private static func scope() -> Int? {
        guard let bytes = try? FileSystem.read("/proc/sys/kernel/yama/ptrace_scope", limit: 16) else { return nil }
        return Int(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
    }
}

enum KernelLayer {
    static func judge(_ evidence: KernelEvidence, _ scene: Scene) -> [Finding] {
        guard evidence.hasPidfd else {
            return [
                Finding(
                    .kernelTooOld, "the kernel has no pidfd: Hearth needs Linux 5.10 or newer",
                    ["Linux \(evidence.release)"])
            ]
        }
        var missing: [String] = []
        if !evidence.hasCgroupV2 { missing.append("no cgroup v2: whose a process is, is found by looking, not known") }
        if evidence.hasCgroupV2, !evidence.hasCgroupKill {
            missing.append("no cgroup.kill (5.14): a tree is ended process by process")
        }
        if evidence.hasCgroupV2, !evidence.isDelegated {
            missing.append("no cgroup was delegated: apps have none of their own, memory is counted by process")
        }
        if !evidence.hasExitInfo {
            missing.append("no PIDFD_GET_INFO (6.15): how an app ended while keeper and daemon were dead stays unknown")
        }
        let isRoot = scene.owner == 0
        if !evidence.hasPidfdGetfd {
            missing.append("no pidfd_getfd: held sockets are lost when keeper and daemon die together")
        } else if let scope = evidence.ptraceScope, scope >= 1, !isRoot {
            missing.append("Yama (ptrace_scope \(scope)): held sockets are lost when keeper and daemon die together")
        }
        guard !missing.isEmpty else { return [] }
        return [
            Finding(
                .kernelFeature, "some of what Hearth uses is not there; it does without",
                ["Linux \(evidence.release)"] + missing)
        ]
    }
}
