import CLinux

/// `hearth-keeper --home PATH [--daemon PATH] [--log PATH]`
///
/// Exit codes: 0 the daemon was ended on purpose, or the home has a keeper; 1 the kernel refused something the keeper
/// cannot do without; 2 bad arguments; 78 hearthd says that it can't run here.
@main
struct Main {
    static func main() {
        var options = clinux_keeper_options()
        guard clinux_keeper_options(&options) == 0, let home = options.home, let base = options.base,
            let program = options.daemon
        else {
            fail("usage: hearth-keeper --home PATH [--daemon PATH] [--log PATH]", code: 2)
        }
        let prepared = clinux_keeper_prepare()
        if prepared < 0 { fail("cannot become the parent of orphans", error: prepared, code: 1) }
        let opened = options.log.map { clinux_keeper_log_to($0) } ?? 0
        if opened < 0 { log("the log file cannot be opened, going on without it", error: opened) }
        guard var keeper = Keeper(home: home, base: base, program: program) else {
            fail("no memory, no signalfd, or a home with too long a path", code: 1)
        }
        keeper.run()
    }
}
