internal import CLinux

#if canImport(Glibc)
    import Glibc
#endif

/// A descriptor with one owner: closed when it goes out of scope.
package struct Descriptor: ~Copyable, Sendable {
    package let rawValue: Int32

    package init(adopting rawValue: Int32) { self.rawValue = rawValue }

    deinit { _ = close(rawValue) }

    package consuming func release() -> Int32 {
        let raw = rawValue
        discard self
        return raw
    }
}
