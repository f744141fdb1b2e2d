import CLinux
import Glibc

/// A spawn in the making: what a test does not set is what most apps get.
struct Spawn {
    var path: String
    var arguments: [String] = []
    var environment = ["PATH=/usr/bin:/bin"]
    var cwd: String?
    var stdout: String?
    var stderr: String?
    var logMode: mode_t = 0o600
    var stdinIsNull = false
    var descriptors: [clinux_spawn_fd] = []
    var user: (uid: uid_t, gid: gid_t, groups: [gid_t])?
    var umask: mode_t = 0o022
    var openFiles: UInt64 = 0
    var pidSlot: UnsafeMutablePointer<Int32>?
    /// Adds LISTEN_PID to the environment.
    var setsListenPid = false

    struct Failure: Error, Equatable {
        let stage: UInt32
        let errno: Int32
    }

    /// Runs a command line by /bin/sh.
    static func shell(_ command: String) -> Spawn { Spawn(path: "/bin/sh", arguments: ["-c", command]) }

    func start() throws(Failure) -> Child {
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) }
        let listenPid = setsListenPid ? strdup("LISTEN_PID=0000000000") : nil
        if let listenPid { envp.append(listenPid) }
        envp.append(nil)
        let texts = [strdup(path), cwd.flatMap { strdup($0) }, stdout.flatMap { strdup($0) }]
        let error = stderr.flatMap { strdup($0) }
        defer { for text in argv + envp + texts + [error] { free(text) } }

        var spawn = clinux_spawn()
        spawn.path = UnsafePointer(texts[0])
        spawn.cwd = UnsafePointer(texts[1])
        spawn.stdout_path = UnsafePointer(texts[2])
        spawn.stderr_path = UnsafePointer(error)
        spawn.log_mode = logMode
        spawn.stdin_null = stdinIsNull ? 1 : 0
        spawn.cgroup_procs_fd = -1
        spawn.umask = umask
        spawn.nofile_soft = openFiles
        spawn.pid_slot = pidSlot
        spawn.listen_pid_value = listenPid.map { $0 + 11 }
        let groups = user?.groups ?? []
        if let user {
            spawn.change_user = 1
            spawn.uid = user.uid
            spawn.gid = user.gid
            spawn.group_count = Int32(groups.count)
        }
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let pid = descriptors.withUnsafeBufferPointer { fds in
            groups.withUnsafeBufferPointer { groups in
                argv.withUnsafeMutableBufferPointer { argv in
                    envp.withUnsafeMutableBufferPointer { envp in
                        spawn.fds = fds.baseAddress
                        spawn.fd_count = Int32(fds.count)
                        spawn.groups = groups.baseAddress
                        spawn.arguments = UnsafePointer(argv.baseAddress)
                        spawn.environment = UnsafePointer(envp.baseAddress)
                        return clinux_spawn_process(&spawn, &pidfd, &stage)
                    }
                }
            }
        }
        guard pid > 0 else { throw Failure(stage: UInt32(stage), errno: -pid) }
        return Child(pid: pid, pidfd: pidfd)
    }
}

/// A spawned process; killed and reaped at the latest when the test lets go of it.
final class Child {
    let pid: pid_t
    let pidfd: Int32
    private var status: Int32?

    init(pid: pid_t, pidfd: Int32) {
        self.pid = pid
        self.pidfd = pidfd
    }

    deinit {
        if status == nil {
            _ = clinux_pidfd_send_signal(pidfd, SIGKILL)
            waitpid(pid, nil, 0)
        }
        close(pidfd)
    }

    /// Exit code, or nil when it did not exit with one in time.
    func exitCode(within seconds: Double = 20) -> Int32? {
        var result: Int32 = 0
        guard eventually(within: seconds, { clinux_reap(pid, &result) == 1 }) else { return nil }
        status = result
        return result & 0x7f == 0 ? result >> 8 : nil
    }
}
