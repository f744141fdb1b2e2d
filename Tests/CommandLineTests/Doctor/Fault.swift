import Testing

@testable import CommandLine

/// One way in which a healthy world becomes faulty.
struct Fault: Sendable, CustomTestStringConvertible {
    let code: FindingCode
    /// A word that the message or the evidence must have.
    let says: String
    let spoil: @Sendable (inout World) -> Void

    init(_ code: FindingCode, _ says: String, _ spoil: @escaping @Sendable (inout World) -> Void) {
        self.code = code
        self.says = says
        self.spoil = spoil
    }

    var testDescription: String { "\(code.rawValue): \(says)" }
}
