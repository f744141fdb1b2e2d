internal import CLinux
package import Model

#if canImport(Glibc)
    import Glibc
#endif

/// Starts processes. Blocks its thread until the exec has happened: call it on a spawner thread.
package enum Spawner {
    package static func spawn(_ request: SpawnRequest) -> Result<SpawnedProcess, SpawnFailure> {
        let user: Account?
        do { user = try Account.resolve(uid: request.uid, gid: request.gid) } catch {
            return .failure(SpawnFailure(stage: .preparation, errno: error.errno, message: error.message))
        }
        var environment = user.map { variables(of: $0, over: request) } ?? request.environment
        // Ten digits: room for the pid, which the child writes.
        if request.hasSockets { environment.append(listenPid + "0000000000") }
        let program: String
        switch locate(request.command.program, environment: environment, cwd: request.cwd) {
        case .success(let path): program = path
        case .failure(let failure): return .failure(failure)
        }

        var cgroup: Int32 = -1
        if let path = request.cgroup {
            do throws(SystemError) {
                cgroup = try checked(clinux_open(try Cgroups.make(path), O_WRONLY, 0), "open cgroup '\(path)'")
                if let bytes = request.memoryMax { Cgroups.limitMemory(of: path, to: bytes) }
            } catch { return .failure(failure(.cgroup, error.errno, request, program)) }
        }
        defer { if cgroup >= 0 { _ = close(cgroup) } }

        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let groups = user?.groups ?? []
        let environmentCount = environment.count
        let descriptors = request.descriptors.map { clinux_spawn_fd(from: $0.from, to: $0.to) }
        let pid = withCStrings([program] + request.command.arguments) { arguments in
            withCStrings(environment) { environment in
                withOptionalCString(request.standardOutput) { output in
                    withOptionalCString(request.standardError) { error in
                        request.cwd.withCString { cwd in
                            program.withCString { path in
                                groups.withUnsafeBufferPointer { groups in
                                    descriptors.withUnsafeBufferPointer { descriptors in
                                        var spawn = clinux_spawn()
                                        spawn.path = path
                                        spawn.arguments = UnsafePointer(arguments)
                                        spawn.environment = UnsafePointer(environment)
                                        spawn.cwd = cwd
                                        spawn.stdout_path = output
                                        spawn.stderr_path = error
                                        // 0640: the group may read logs, others may not.
                                        spawn.log_mode = 0o640
                                        spawn.stdin_null = request.stdin == .null ? 1 : 0
                                        spawn.fds = descriptors.baseAddress
                                        spawn.fd_count = Int32(descriptors.count)
                                        spawn.cgroup_procs_fd = cgroup
                                        if let user {
                                            spawn.change_user = 1
                                            spawn.uid = user.uid
                                            spawn.gid = user.gid
                                        }
                                        spawn.groups = groups.baseAddress
                                        spawn.group_count = Int32(groups.count)
                                        spawn.umask = request.umask
                                        spawn.nofile_soft = request.openFilesLimit
                                        spawn.pid_slot = request.pidSlot?.pointer
                                        if request.hasSockets, let last = environment[environmentCount - 1] {
                                            spawn.listen_pid_value = last + listenPid.utf8.count
                                        }
                                        return clinux_spawn_process(&spawn, &pidfd, &stage)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        guard pid > 0 else {
            return .failure(failure(SpawnStage(rawValue: stage) ?? .clone, -pid, request, program))
        }
        // We are the parent: a child that ended meanwhile stays a zombie, so the number cannot have been reused.
        let process = ProcessIdentity.current(of: pid) ?? ProcessIdentity(pid: pid, startTime: 0)
        return .success(SpawnedProcess(process: process, pidfd: pidfd))
    }

    private static let listenPid = "LISTEN_PID="

    private static func variables(of account: Account, over request: SpawnRequest) -> [String] {
        var environment = request.environment
        for (name, value) in [("HOME", account.home), ("USER", account.name), ("LOGNAME", account.name)]
        where !request.ownAccountVariables.contains(name) {
            environment.removeAll { $0.hasPrefix(name + "=") }
            environment.append("\(name)=\(value)")
        }
        return environment
    }

    /// Finds a program by path or in the PATH of the app's own environment.
    package static func locate(
        _ program: String, environment: [String], cwd: String
    ) -> Result<String, SpawnFailure> {
        if program.contains("/") {
            return .success(program.hasPrefix("/") ? program : cwd + "/" + program)
        }
        let path =
            environment.first { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
            ?? "/usr/local/bin:/usr/bin:/bin"
        for directory in path.split(separator: ":", omittingEmptySubsequences: true) {
            let candidate = "\(directory)/\(program)"
            if FileSystem.isExecutable(candidate) { return .success(candidate) }
        }
        return .failure(
            SpawnFailure(
                stage: .preparation, errno: ENOENT, message: "'\(program)' is not in the app's PATH (\(path))"))
    }

    private static func failure(
        _ stage: SpawnStage, _ errno: Int32, _ request: SpawnRequest, _ program: String
    ) -> SpawnFailure {
        let why = errorText(errno)
        let message: String =
            switch stage {
            case .cwd: "its working directory '\(request.cwd)' cannot be entered: \(why)"
            case .stdout: "its log '\(request.standardOutput ?? "/dev/null")' cannot be opened: \(why)"
            case .stderr: "its log '\(request.standardError ?? "/dev/null")' cannot be opened: \(why)"
            case .exec: "'\(program)' cannot be executed: \(why)"
            case .uid, .gid, .groups: "its user or group cannot be taken: \(why)"
            case .cgroup: "its cgroup cannot be joined: \(why)"
            case .clone: "no process can be created: \(why)"
            default: "its \(stage) cannot be set up: \(why)"
            }
        return SpawnFailure(stage: stage, errno: errno, message: message)
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else {
                preconditionFailure("an array with a nil at its end is not empty")
            }
            return body(base)
        }
    }

    private static func withOptionalCString<Result>(
        _ string: String?, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let string else { return body(nil) }
        return string.withCString { body($0) }
    }
}
