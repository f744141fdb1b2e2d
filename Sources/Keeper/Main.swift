import CLinux

/// `hearth-keeper --home PATH [--daemon PATH] [--log PATH]`
///
/// Exit codes: 0 the daemon was ended on purpose, or the home has a keeper; 1 the kernel refused something the keeper
/// cannot do without; 2 bad arguments; 78 hearthd says that it can't run here.
@main
struct Main {
    static func main() {
        guard let arguments = Arguments() else {
            fail("usage: hearth-keeper --home PATH [--daemon PATH] [--log PATH]", code: 2)
        }
        let prepared = clinux_keeper_prepare()
        if prepared < 0 { fail("cannot become the parent of orphans", error: prepared, code: 1) }
        if let path = arguments.log {
            let opened = clinux_keeper_log_to(path)
            if opened < 0 { log("the log file cannot be opened, going on without it", error: opened) }
        }
        guard let program = arguments.daemon ?? siblingDaemon() else { fail("no path to hearthd", code: 1) }
        guard var keeper = Keeper(home: arguments.home, program: program) else {
            fail("no memory, no signalfd, or a home with too long a path", code: 1)
        }
        keeper.run()
    }

    /// The hearthd beside this program.
    private static func siblingDaemon() -> UnsafePointer<CChar>? {
        let capacity = 4096
        guard let path = reserve(CChar.self, count: capacity), clinux_keeper_sibling("hearthd", path, capacity) == 0
        else { return nil }
        return UnsafePointer(path)
    }
}
