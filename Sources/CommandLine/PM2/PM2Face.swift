import ArgumentParser
import Configuration
import Control
import DisplayText
import Glibc

/// The program under the name `pm2`: PM2's words in, PM2's words and exit codes out.
enum PM2Face {
    static func run(_ words: [String]) -> Int32 {
        let options: PM2Options
        do throws(PM2Options.Invalid) {
            options = try PM2Options.parse(words)
        } catch {
            try? Output.write(Array("\n  \(error.message)\n\n".utf8), to: 2)
            return 1
        }
        if options.has("version") {
            try? Output.line(PM2Version.text)
            return 0
        }
        do {
            try perform(options, words)
            return 0
        } catch let exit as PM2Exit {
            return exit.code
        } catch {
            report(error, PM2Console(options))
            return 1
        }
    }

    private static func perform(_ options: PM2Options, _ words: [String]) throws {
        guard let word = options.operands.first else {
            PM2Help.write(PM2Console(options))
            throw options.has("help") ? PM2Exit(code: 0) : PM2Exit.failed
        }
        guard let command = PM2Command.named(word) else {
            let console = PM2Console(options)
            if word == "help" { return PM2Help.write(console) }
            console.output("[PM2][ERROR] Command not found\n\n")
            PM2Help.write(console)
            throw PM2Exit.failed
        }
        if options.has("help") { return PM2Help.write(command, PM2Console(options)) }
        let operands = Array(options.operands.dropFirst())
        if let missing = command.missingOperand(operands) {
            try? Output.write(Array("\n  error: missing required argument `\(missing)'\n\n".utf8), to: 2)
            throw PM2Exit.failed
        }
        try command.run(try PM2Session(options), operands)
    }

    /// Anything that went wrong, on standard error, marked as PM2 does.
    static func report(_ error: any Error, _ console: PM2Console) {
        if let failure = Failure(error) {
            for line in failure.lines { console.error(DisplayText.escape(line, unicode: true)) }
        } else {
            console.error(DisplayText.escape("\(error)", unicode: true))
        }
    }
}
