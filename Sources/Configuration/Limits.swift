import Model

/// What the kernel and the rest of Hearth can take. Checked before anything is sent.
package enum Limits {
    /// MAX_ARG_STRLEN of Linux: one argument or one `KEY=value`, with its NUL.
    static let argumentBytes = 131_072
    /// What execve takes in all with the default 8 MiB stack: a quarter of it.
    static let totalBytes = 2 << 20
    static let nameBytes = 200

    static func check(name: String) throws(ConfigurationError) {
        guard !name.isEmpty else { throw ConfigurationError("the name is empty", hint: "give one with --name") }
        guard name != "all" else {
            throw ConfigurationError("the name 'all' means every app", hint: "choose another name")
        }
        guard !(name.hasPrefix("/") && name.hasSuffix("/")) else {
            throw ConfigurationError("the name '\(name)' would be read as a pattern", hint: "choose another name")
        }
        try checkLength(name, "name")
    }

    static func check(namespace: String) throws(ConfigurationError) {
        guard !namespace.isEmpty, namespace != "all" else {
            throw ConfigurationError("the namespace '\(namespace)' can't be used", hint: "choose another one")
        }
        try checkLength(namespace, "namespace")
    }

    private static func checkLength(_ text: String, _ what: String) throws(ConfigurationError) {
        guard text.utf8.count > nameBytes else { return }
        throw ConfigurationError(
            "the \(what) '\(text.prefix(40))…' has \(text.utf8.count) bytes", hint: "\(nameBytes) are allowed")
    }

    static func refuseNUL(in draft: AppDraft) throws(ConfigurationError) {
        var texts: [(what: String, text: String?)] = [
            ("the script", draft.script), ("the name", draft.name), ("the namespace", draft.namespace),
            ("the interpreter", draft.interpreter), ("cwd", draft.cwd), ("the output file", draft.outFile),
            ("the error file", draft.errorFile), ("uid", draft.uid), ("gid", draft.gid),
            ("the pid file", draft.pidFile), ("the cron pattern", draft.schedule),
            ("the schedule", draft.job?.pattern),
            ("instance_var", draft.instanceVariable), ("increment_var", draft.incrementVariable),
            ("the directory to be served", draft.staticSite?.path),
        ]
        texts += (draft.watch?.paths ?? []).map { ("a watched path", $0) }
        texts += draft.arguments.map { ("an argument", $0) }
        texts += draft.interpreterArguments.map { ("an argument of the interpreter", $0) }
        texts += draft.environmentFiles.map { ("the path of an environment file", $0) }
        texts += draft.environment.map { ("the variable '\($0.key.prefix(40))'", $0.value) }
        texts += draft.environment.keys.map { ("the name of a variable", $0) }
        for entry in texts {
            guard let text = entry.text, text.utf8.contains(0) else { continue }
            throw ConfigurationError("\(entry.what) contains a NUL byte", hint: "no program can be given one")
        }
    }

    static func check(_ spec: AppSpec, inherited: [String: String]) throws(ConfigurationError) {
        for name in spec.environment.keys where name.isEmpty || name.contains("=") {
            throw ConfigurationError("'\(name)' is not the name of a variable", hint: "give NAME=value")
        }
        var total = 0
        for argument in [spec.script] + spec.interpreterArguments + spec.arguments {
            total += try size(argument, "the argument '\(argument.prefix(40))…'")
        }
        for (name, value) in inherited.merging(spec.environment, uniquingKeysWith: { _, own in own }) {
            total += try size("\(name)=\(value)", "the variable '\(name.prefix(40))'")
        }
        guard total > totalBytes else { return }
        throw ConfigurationError(
            "the arguments and environment of '\(spec.name)' have \(total) bytes in all",
            hint: "Linux allows \(totalBytes); put long values in a file")
    }

    /// Bytes that the kernel counts for one string: text, NUL and a pointer.
    private static func size(_ text: String, _ what: String) throws(ConfigurationError) -> Int {
        let bytes = text.utf8.count + 1
        guard bytes <= argumentBytes else {
            throw ConfigurationError(
                "\(what) has \(bytes - 1) bytes", hint: "Linux allows \(argumentBytes - 1) in one; put it in a file")
        }
        return bytes + 8
    }
}
