import ArgumentParser
import Glibc

/// The whole program: arguments in, exit code out.
package enum Entry {
    package static func run() -> Int32 {
        StandardDescriptors.prepare()
        let arguments: [String]
        do {
            arguments = try Arguments.ofProcess()
        } catch {
            return report(error)
        }
        let name = Arguments.programName
        if name == "pm2" { return PM2Face.run(arguments) }
        if PM2Runtime.names.contains(name) { return PM2Runtime.run(arguments) }
        do {
            let words = Arguments.normalised(arguments)
            if let list = try ListRunner.plain(words) {
                try list.run([])
                return Exit.done.rawValue
            }
            try Arguments.requireKnownCommand(words)
            var command = try Hearth.parseAsRoot(words)
            try command.run()
            return Exit.done.rawValue
        } catch {
            return report(error)
        }
    }

    private static func report(_ error: any Error) -> Int32 {
        if let failure = Failure(error) {
            for line in failure.lines { Output.complain(line) }
            return failure.exit.rawValue
        }
        // Of a command whose exit code is that of the program it ran.
        if let code = error as? ExitCode { return code.rawValue }
        // Help, version and usage errors of the argument parser.
        let code = Hearth.exitCode(for: error).rawValue
        let message = Hearth.fullMessage(for: error)
        if code == 0 {
            if !message.isEmpty { try? Output.line(message) }
            return Exit.done.rawValue
        }
        if !message.isEmpty { try? Output.write(Array("\(message)\n".utf8), to: 2) }
        return code == EX_USAGE ? Exit.usage.rawValue : Exit.failed.rawValue
    }
}
