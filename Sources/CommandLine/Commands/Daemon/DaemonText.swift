import Control
import DisplayText

/// Sentences about the daemon.
enum DaemonText {
    static func state(_ hello: HelloReply) -> String {
        let keeper = hello.keeperPid.map { "keeper \($0)" } ?? "no keeper"
        let uptime = Quantities.duration(milliseconds: hello.uptimeMs)
        let state = hello.ready ? "is running" : "is taking over what runs"
        let home = DisplayText.escape(hello.home, unicode: true)
        return "hearthd \(hello.version) \(state) (pid \(hello.pid), \(keeper), up \(uptime), home '\(home)')"
    }
}
