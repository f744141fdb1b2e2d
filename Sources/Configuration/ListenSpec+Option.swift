package import Model

extension ListenSpec {
    /// One of `--listen`: an address, or `name=address`.
    package static func reading(_ text: String, at index: Int) throws(ConfigurationError) -> ListenSpec {
        var (name, address) = (usualName(at: index), text)
        // A path may hold the sign, too, but no name has what comes before it there.
        if let sign = text.firstIndex(of: "="), !text[..<sign].contains(where: { ":/".contains($0) }) {
            name = String(text[..<sign])
            address = String(text[text.index(after: sign)...])
        }
        do throws(ListenAddress.Invalid) {
            let listen = ListenSpec(name: name, address: try ListenAddress(parsing: address))
            if let fault = listen.fault {
                throw ListenAddress.Invalid(fault, hint: "write web=127.0.0.1:8080")
            }
            return listen
        } catch {
            throw ConfigurationError(error.message, hint: error.hint, subject: .setting)
        }
    }
}
