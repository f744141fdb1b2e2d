#if canImport(Glibc)
    import Glibc
#endif

/// A failed system call: what was tried, on what, and the kernel's answer.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    package var errno: Int32
    /// `open '/x'`: verb and value.
    package var operation: String

    package init(_ errno: Int32, _ operation: String) {
        self.errno = errno
        self.operation = operation
    }

    package var description: String { "cannot \(operation): \(errorText(errno))" }
}

/// The kernel's words for an errno, with its symbol where a person may search for it: `No such file or directory`.
package func errorText(_ errno: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard strerror_r(errno, &buffer, buffer.count) == 0 else { return "error \(errno)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Turns the `-errno` convention of the C shims into a throw.
@discardableResult
package func checked<Value: BinaryInteger>(
    _ value: Value, _ operation: @autoclosure () -> String
) throws(SystemError) -> Value {
    if value < 0 { throw SystemError(Int32(clamping: 0 - Int64(value)), operation()) }
    return value
}
