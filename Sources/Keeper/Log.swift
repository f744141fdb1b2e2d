import CLinux

/// Writes one line to stderr. `error` is `-errno` as the C functions return it; its text is appended.
func log(_ text: StaticString, error: Int32 = 0) {
    clinux_keeper_log(text.utf8Start, 0, 0, error)
}

/// Writes one line that ends in a number.
func log(_ text: StaticString, number: Int) {
    clinux_keeper_log(text.utf8Start, 1, Int64(number), 0)
}

/// Writes one line and ends the keeper.
func fail(_ text: StaticString, error: Int32 = 0, code: Int32) -> Never {
    log(text, error: error)
    clinux_keeper_exit(code)
}

/// Zeroed space for `count` values. It costs address space only: a page becomes memory when it is first touched.
func reserve<Value>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value>? {
    clinux_keeper_reserve(MemoryLayout<Value>.stride * count)?.bindMemory(to: type, capacity: count)
}
