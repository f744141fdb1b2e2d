import Control
import Glibc
import Model

/// The program under the names `pm2-runtime` and `pm2-docker`: apps in the foreground.
enum PM2Runtime {
    static let name = "pm2-runtime"
    static let names: Set<String> = [name, "pm2-docker"]

    static func run(_ words: [String]) -> Int32 {
        let options: PM2Options
        do throws(PM2Options.Invalid) {
            // The name stands for the command: it has options of its own.
            options = try PM2Options.parse([name] + words)
        } catch {
            try? Output.write(Array("\n  \(error.message)\n\n".utf8), to: 2)
            return 1
        }
        if options.has("version") {
            try? Output.line(PM2Version.text)
            return 0
        }
        do {
            var operands = Array(options.operands.dropFirst())
            if operands.first == "start" { operands.removeFirst() }
            guard !options.has("help"), !operands.isEmpty else {
                help(PM2Console(options))
                return options.has("help") ? 0 : 1
            }
            return try foreground(options, operands)
        } catch let exit as PM2Exit {
            return exit.code
        } catch {
            PM2Face.report(error, PM2Console(options))
            return 1
        }
    }

    private static func help(_ console: PM2Console) {
        console.output(
            """

              Usage: pm2-runtime [options] <app.js|process file> [-- <arguments of the app>]

              Starts apps in the foreground, for containers: their output is this command's, SIGTERM stops them.
              Options are those of `pm2 start`, and:

                --formatted, --format, --json, --raw   how lines are printed (default: raw)
                --delay <seconds>                      wait before the start
                --no-auto-exit                         go on when nothing is online


            """)
    }

    /// `pm2 start … --no-daemon`: the same with names and times in front of lines, for as long as somebody looks.
    static func stay(_ words: PM2Options, _ operands: [String]) throws {
        var options = ForegroundRun.Options()
        options.format = .prefixed
        options.timestamp = "HH:mm:ss"
        options.autoExit = false
        options.origin = "pm2 start --no-daemon"
        let code = try foreground(words, operands, options)
        if code != 0 { throw PM2Exit(code: code) }
    }

    private static func foreground(_ words: PM2Options, _ operands: [String]) throws -> Int32 {
        var options = ForegroundRun.Options()
        options.format =
            words.has("json") ? .json : words.has("format") ? .pairs : words.has("formatted") ? .prefixed : .raw
        options.autoExit = !words.has("no-auto-exit")
        options.origin = name
        if let text = words["delay"] {
            guard let seconds = Double(text), seconds >= 0, seconds < 86_400 else {
                throw Failure(.failed, "--delay '\(text)' is not a number of seconds")
            }
            options.delay = Int64(seconds * 1000)
        }
        if words.has("web") {
            PM2Console(words).say("--web is not in this version of Hearth and is ignored", .warning, to: 2)
        }
        return try foreground(words, operands, options)
    }

    private static func foreground(
        _ words: PM2Options, _ operands: [String], _ options: ForegroundRun.Options
    ) throws -> Int32 {
        let session = Session(paths: try PM2Session.home(), timeout: CommonOptions.defaultTimeout)
        return try ForegroundRun(session, options) { start in
            let face = PM2Session(words, start.session)
            face.startsSilently = true
            face.showsTables = false
            face.announce = start.announce
            if start.ownsDaemon {
                // What a former container left in the list is not this one's.
                let former = try face.inventory().entries.map(\.instance.id)
                if !former.isEmpty { _ = try face.act(.delete, former) }
            }
            do {
                try PM2Start(face: face).run(operands)
            } catch let exit as PM2Exit {
                // Those that did start go on; without any the run ends by itself.
                guard try !face.inventory().entries.isEmpty else { throw exit }
            }
            return try face.inventory().entries.map(\.instance.id)
        }.run()
    }
}
