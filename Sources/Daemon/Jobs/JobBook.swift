import Model
import Platform
import Records

/// What is remembered of jobs, in memory and on its way to the disk.
///
/// Nobody waits for the disk: what a daemon that dies had not written, the next one finds in the instance table, as far
/// as the last run goes (`Jobs.reconcile`).
final class JobBook {
    private static let delay = Milliseconds(200)

    private let services: Services
    private var records: [String: JobRecord]
    private var isDirty = false
    private var isBusy = false
    private var lastFailure: String?

    /// Reads what former daemons wrote.
    init(_ services: Services) {
        self.services = services
        let reading = JobRecordFile.read(services.paths, boot: services.machine.boot)
        records = reading.jobs
        if let complaint = reading.complaint { services.log.note("the history of jobs is lost: \(complaint)") }
    }

    subscript(key: String) -> JobRecord? {
        get { records[key] }
        set {
            guard records[key] != newValue else { return }
            records[key] = newValue
            changed()
        }
    }

    /// Forgets whatever belongs to no entry of the list.
    func keepOnly(_ keys: Set<String>) {
        let strangers = records.keys.filter { !keys.contains($0) }
        guard !strangers.isEmpty else { return }
        for key in strangers { records[key] = nil }
        changed()
    }

    /// Everything is on the disk, or can't get there now.
    var isQuiet: Bool { !isBusy && !isDirty }

    private func changed() {
        isDirty = true
        guard !isBusy else { return }
        isBusy = true
        // A little later: begin and end of a short run at once.
        services.loop.schedule(after: Self.delay) { [unowned self] in self.write() }
    }

    private func write() {
        isDirty = false
        let (records, paths, boot) = (records, services.paths, services.machine.boot)
        services.loop.offload(to: services.stateThread) { () -> String? in
            do throws(SystemError) {
                try JobRecordFile.write(records, boot: boot, to: paths)
                return nil
            } catch { return error.description }
        } then: { [unowned self] failure in
            self.isBusy = false
            if let failure, failure != self.lastFailure {
                self.services.log.note("the history of jobs is not saved: \(failure)")
            }
            self.lastFailure = failure
            if self.isDirty { self.changed() }
        }
    }
}
