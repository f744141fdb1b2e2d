import Control
import Glibc
import TestSupport

extension Home {
    /// The daemon dies, and the next one takes over.
    func replaceDaemon() throws {
        let former = try hello().pid
        kill(former, SIGKILL)
        try ready(after: former)
    }
}
