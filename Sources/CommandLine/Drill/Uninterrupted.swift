import Glibc

/// While it lives, Ctrl-C, a closed terminal and SIGTERM do nothing. A handler, not "ignore": programs that are started
/// meanwhile get the default back.
struct Uninterrupted {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    private let former: [sigaction]

    init() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        action.sa_flags = SA_RESTART
        former = Self.signals.map { number in
            var former = sigaction()
            sigaction(number, &action, &former)
            return former
        }
    }

    func end() {
        for (number, former) in zip(Self.signals, former) {
            var former = former
            sigaction(number, &former, nil)
        }
    }
}
