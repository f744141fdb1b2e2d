import Model

/// What another program prints, within limits of time and size.
package struct ProgramOutput {
    package var text: String
    /// The end of its standard error.
    package var complaint: String
    /// Nil: a signal ended it.
    package var code: Int32?

    /// Nil: it cannot be started, or does not end.
    package static func of(
        _ program: String, _ arguments: [String], input: [UInt8]? = nil, seconds: Int64 = 10
    ) -> ProgramOutput? {
        let child = BoundedChild(program: program, arguments: arguments, input: input, timeout: .seconds(seconds))
        guard let answer = try? child.run() else { return nil }
        return ProgramOutput(
            text: String(decoding: answer.bytes, as: UTF8.self), complaint: answer.complaint, code: answer.code)
    }
}
