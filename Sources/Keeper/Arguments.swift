import CLinux

/// The command line, as C strings that live as long as the keeper.
struct Arguments {
    let home: UnsafePointer<CChar>
    let daemon: UnsafePointer<CChar>?
    let log: UnsafePointer<CChar>?

    /// Nil when an option is unknown, comes without its value, or the home is missing.
    init?() {
        let capacity = 16_384  // three paths of 4,096 bytes and the program's own
        guard let text = reserve(CChar.self, count: capacity) else { return nil }
        let length = clinux_keeper_arguments(text, capacity)
        var home: UnsafePointer<CChar>?
        var daemon: UnsafePointer<CChar>?
        var log: UnsafePointer<CChar>?
        var position = length > 0 ? Self.next(text, 0) : 0  // after the program's name
        while position < length {
            let name = text + position
            position = Self.next(text, position)
            guard position < length else { return nil }
            let value = UnsafePointer(text + position)
            position = Self.next(text, position)
            if clinux_keeper_equal(name, "--home") != 0 {
                home = value
            } else if clinux_keeper_equal(name, "--daemon") != 0 {
                daemon = value
            } else if clinux_keeper_equal(name, "--log") != 0 {
                log = value
            } else {
                return nil
            }
        }
        guard let home, home[0] != 0 else { return nil }
        self.home = home
        self.daemon = daemon
        self.log = log
    }

    /// Where the argument after the one at `position` begins.
    private static func next(_ text: UnsafePointer<CChar>, _ position: Int) -> Int {
        position + Int(clinux_keeper_length(text + position)) + 1
    }
}
