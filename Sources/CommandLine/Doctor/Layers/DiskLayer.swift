import CLinux
import Configuration
import Control
import Glibc
import Model
import Platform
import Records

/// File systems that this home and its apps use.
struct DiskEvidence: Sendable {
    struct Volume: Hashable, Sendable {
        /// A directory on it.
        var path: String
        /// What lies there: `the home`, `logs`, `'api'`.
        var uses: [String]
        var totalBytes: Int64
        /// What an ordinary user may still take.
        var availableBytes: Int64
        var usedBytes: Int64
        var totalInodes: Int64
        var availableInodes: Int64
        var isReadOnly: Bool

        /// As `df` counts: of what an ordinary user can have.
        var usedPercent: Double { Self.percent(usedBytes, availableBytes) }
        var usedInodesPercent: Double {
            totalInodes == 0 ? 0 : Self.percent(totalInodes - availableInodes, availableInodes)
        }

        private static func percent(_ used: Int64, _ available: Int64) -> Double {
            let sum = Double(used) + Double(available)
            return sum > 0 ? Double(used) / sum * 100 : 0
        }
    }

    struct Logs: Hashable, Sendable {
        var directory: String
        /// On the disk.
        var bytes: Int64
        var largest: String
        var largestBytes: Int64
        var volumeBytes: Int64
        /// A file there can lose its beginning while it is written to; nil: not tried.
        var canShrink: Bool?
    }

    var volumes: [Volume]
    var logs: [Logs]

    static func collect(_ scene: Scene) -> DiskEvidence {
        var uses: [(path: String, use: String)] = [(scene.paths.base, "the home")]
        var directories: Set<String> = [scene.paths.logs]
        for app in scene.apps {
            uses.append((app.spec.cwd, "'\(app.spec.name)'"))
            for case let path? in [app.view.outLog, app.view.errorLog] {
                directories.insert(FileSystem.parent(of: path))
            }
        }
        uses += directories.sorted().map { ($0, "logs") }
        var volumes: [Volume] = []
        var places: [UInt64: Int] = [:]
        for (path, use) in uses {
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            let device = UInt64(status.st_dev)
            if let place = places[device] {
                if !volumes[place].uses.contains(use) { volumes[place].uses.append(use) }
            } else if let volume = volume(path, use) {
                places[device] = volumes.count
                volumes.append(volume)
            }
        }
        return DiskEvidence(volumes: volumes, logs: directories.sorted().compactMap { logs($0, scene) })
    }

    private static func volume(_ path: String, _ use: String) -> Volume? {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return nil }
        func bytes(_ blocks: UInt) -> Int64 {
            let (product, overflow) = Int64(clamping: blocks).multipliedReportingOverflow(
                by: Int64(clamping: facts.f_frsize))
            return overflow ? Int64.max : product
        }
        return Volume(
            path: path, uses: [use], totalBytes: bytes(facts.f_blocks), availableBytes: bytes(facts.f_bavail),
            usedBytes: max(0, bytes(facts.f_blocks) - bytes(facts.f_bfree)),
            totalInodes: Int64(clamping: facts.f_files),
            availableInodes: Int64(clamping: facts.f_favail), isReadOnly: facts.f_flag & 1 != 0)  // ST_RDONLY
    }

    private static func logs(_ directory: String, _ scene: Scene) -> Logs? {
        guard let names = try? FileSystem.names(in: directory), let volume = volume(directory, "") else { return nil }
        var logs = Logs(
            directory: directory, bytes: 0, largest: "", largestBytes: 0, volumeBytes: volume.totalBytes)
        for name in names {
            var status = stat()
            let path = "\(directory)/\(name)"
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            let bytes = Int64(status.st_blocks) * 512
            logs.bytes += bytes
            if bytes > logs.largestBytes { (logs.largest, logs.largestBytes) = (path, bytes) }
        }
        if scene.caller == scene.owner { logs.canShrink = canShrink(directory) }
        return logs
    }

    /// Tried on a file without a name, as no list of file systems knows it: `EINVAL` is a block size that does not fit.
    private static func canShrink(_ directory: String) -> Bool? {
        let temporaryFile = 0o20_000_000 | O_DIRECTORY  // O_TMPFILE
        let fd = clinux_open(directory, temporaryFile | O_RDWR, 0o600)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        guard ftruncate(fd, 4 << 20) == 0 else { return nil }
        for block: Int64 in [4096, 65_536, 1 << 20] {
            switch clinux_collapse_beginning(fd, block) {
            case 0: return true
            case -EINVAL: continue
            default: return false
            }
        }
        return false
    }
}

/// Is there room to write?
enum DiskLayer {
    static func judge(_ evidence: DiskEvidence) -> [Finding] {
        var findings: [Finding] = []
        for volume in evidence.volumes {
            let free = Quantities.bytes(volume.availableBytes)
            let line =
                "'\(volume.path)' (\(volume.uses.prefix(4).joined(separator: ", "))): \(free) of \(Quantities.bytes(volume.totalBytes)) free, \(Int(volume.usedPercent)) % used"
            if volume.isReadOnly {
                findings.append(
                    Finding(
                        .diskReadOnly,
                        "a file system that is needed is read-only: after an error of the disk it becomes so",
                        [line], fix: "dmesg | tail -50",
                        severity: volume.uses.contains { !$0.hasPrefix("'") } ? .error : .note))
            } else if volume.usedPercent >= 99 {
                findings.append(
                    Finding(
                        .diskFull, "the disk is full: the list and the logs cannot be written", [line],
                        fix: space(volume)))
            } else if volume.usedPercent >= 90, volume.availableBytes < 5 << 30 {
                findings.append(Finding(.diskNearlyFull, "the disk is nearly full", [line], fix: space(volume)))
            }
            if volume.usedInodesPercent >= 90 {
                findings.append(
                    Finding(
                        .inodesNearlyFull, "the file system has hardly any room for more files, however small",
                        [
                            "'\(volume.path)': \(volume.availableInodes) of \(volume.totalInodes) files left"
                        ], fix: "du --inodes -x \(SimpleStartup.quoted(volume.path)) | sort -n | tail"))
            }
        }
        return findings + evidence.logs.flatMap(judge)
    }

    private static func space(_ volume: DiskEvidence.Volume) -> String {
        "du -xm \(SimpleStartup.quoted(volume.path)) | sort -n | tail"
    }

    private static func judge(_ logs: DiskEvidence.Logs) -> [Finding] {
        var findings: [Finding] = []
        // A quarter of a small disk, ten gigabytes of a large one.
        if logs.bytes > 10 << 30 || logs.volumeBytes > 0 && logs.bytes > logs.volumeBytes / 4 {
            findings.append(
                Finding(
                    .logsLarge, "the logs take \(Quantities.bytes(logs.bytes))",
                    ["'\(logs.directory)'", "largest: '\(logs.largest)', \(Quantities.bytes(logs.largestBytes))"],
                    fix: "hearth flush"))
        }
        if logs.canShrink == false {
            findings.append(
                Finding(
                    .logsKeepSize, "a log here cannot lose its beginning while an app writes to it (no collapse-range)",
                    ["'\(logs.directory)'"]))
        }
        return findings
    }
}
