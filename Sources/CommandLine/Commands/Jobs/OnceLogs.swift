import Glibc
import Platform
import Records

/// The files of one run of `run-once`: its own, so that its output begins with them.
struct OnceLogs {
    let out: String
    let error: String

    init(_ paths: HomePaths, name: String) {
        let (date, time, fraction) = SystemClock.local(SystemClock.wallClock())
        let digits = (date + time).filter(\.isNumber)
        let stem = "\(paths.onceLogs)\(HomePaths.safeFileName(name))-\(digits)\(fraction)-\(getpid())"
        out = stem + "-out.log"
        error = stem + "-error.log"
    }
}
