package import Model
package import Platform

#if canImport(Glibc)
    import Glibc
#endif

/// What is remembered of jobs: `state/jobs.json`, by the `uniqueID` of the entry.
///
/// Apart from the list: it changes with each run, and no command waits for it. Without it schedules go on from now.
package enum JobRecordFile {
    private struct Content: Codable {
        var version = 1
        /// In which the generations of the runs count.
        var boot: String
        var jobs: [String: JobRecord]
    }

    /// Nothing where there is none. Runs of a former boot are told from those of this one.
    ///
    /// - Returns: `complaint`: why a file that is there cannot be understood, with its path.
    package static func read(_ paths: HomePaths, boot: String) -> (jobs: [String: JobRecord], complaint: String?) {
        do {
            let content = try RecordCoding.decode(Content.self, from: try FileSystem.read(paths.jobRecords))
            return (content.boot == boot ? content.jobs : content.jobs.mapValues { $0.afterReboot() }, nil)
        } catch let failure as SystemError {
            return ([:], failure.errno == ENOENT ? nil : failure.description)
        } catch {
            return ([:], "'\(paths.jobRecords)' cannot be used: \(RecordCoding.complaint(error))")
        }
    }

    package static func write(
        _ jobs: [String: JobRecord], boot: String, to paths: HomePaths
    ) throws(SystemError) {
        try FileSystem.makeDirectory(paths.state)
        try FileSystem.replace(paths.jobRecords, with: RecordCoding.encode(Content(boot: boot, jobs: jobs)), sync: true)
    }
}
