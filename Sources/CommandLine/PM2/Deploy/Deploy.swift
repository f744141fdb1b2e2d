import Configuration
import DisplayText
import Glibc

/// `deploy [FILE] ENVIRONMENT [COMMAND]`: code from git onto hosts, and apps started there.
///
/// PM2 writes a log to /tmp/pm2-deploy-USER.log. Everything in it is on the terminal too, so there is none here: a name
/// that anybody can guess, in a directory in which anybody may write, is asking for trouble.
struct Deploy {
    /// The name that help and messages show: `pm2 deploy`.
    var program: String
    var console: PM2Console

    static let defaultFiles = [
        "ecosystem.json", "ecosystem.yml", "ecosystem.yaml", "ecosystem.config.js", "ecosystem.config.cjs",
        "ecosystem.config.mjs", "ecosystem.json5", "package.json",
    ]

    func run(_ words: [String]) throws {
        let given: DeployWords
        do throws(DeployWords.Other) {
            given = try DeployWords(words)
        } catch {
            switch error {
            case .help: return console.output(help)
            case .version: return console.output(PM2Version.text + "\n")
            case .invalid(let message):
                console.line("\n  error: \(message)\n", to: 2)
                throw PM2Exit.failed
            }
        }
        let file = try file(given)
        var section = try section(of: file, given.environment)
        if section["post-deploy"].map({ $0 == .null || $0 == .string("") }) ?? true {
            let words = ["pm2", "startOrRestart", Self.word(file), "--env", Self.word(given.environment)]
            section["post-deploy"] = .string(words.joined(separator: " "))
        }
        console.line("--> Deploying to \(given.environment) environment")
        do {
            let targets = try DeployTarget.all(in: section)
            if let directory = given.directory, chdir(directory) != 0 {
                throw Failure(.failed, "cannot change to '\(directory)': \(FileProbe.describe(errno))")
            }
            for target in targets {
                console.line("--> on host \(target.host)")
                try deploy(given, to: target)
            }
        } catch let problems as DeployTarget.Problems {
            try fail(problems.lines)
        } catch let failure as Failure {
            try fail(failure.lines)
        }
        console.line("--> Success")
    }

    private func fail(_ lines: [String]) throws {
        console.line("Deploy failed", to: 2)
        for line in lines { console.line(DisplayText.escape(line, unicode: true), to: 2) }
        throw PM2Exit.failed
    }

    /// Plain where nothing in it means anything to a shell: it is shown.
    private static func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "._-/@:+,".utf8.contains(byte)
            }
        }
        return isPlain && !text.isEmpty ? text : DeployScript.quote(text)
    }

    // MARK: - What the file says

    private func file(_ given: DeployWords) throws -> String {
        if let file = given.file { return file }
        guard let file = Self.defaultFiles.first(where: { FileProbe.kind(of: $0) == .file }) else {
            console.line(
                "Not any default deployment file exists. Allowed default config file names are: "
                    + Self.defaultFiles.joined(separator: ", "), to: 2)
            throw PM2Exit.failed
        }
        return file
    }

    private func section(of file: String, _ environment: String) throws -> [String: JSONValue] {
        let value: JSONValue
        do throws(ConfigurationError) {
            value = try AppFile.value(path: file, arguments: Array(CommandLine.arguments.dropFirst()), .pm2)
        } catch {
            let isMissing = FileProbe.kind(of: file) == .missing
            console.error(
                isMissing
                    ? "File \(file) not found"
                    : "File \(file) malformated\n\(DisplayText.escape(error.description, unicode: true))")
            throw PM2Exit.failed
        }
        guard case .object(let members) = value, case .object(let environments)? = members["deploy"],
            case .object(let section)? = environments[environment]
        else {
            console.line("\(environment) environment is not defined in \(file) file", to: 2)
            throw PM2Exit.failed
        }
        return section
    }

    // MARK: - One host

    private func deploy(_ given: DeployWords, to target: DeployTarget) throws {
        if let script = DeployScript.local(given.task, target, isForced: given.isForced) {
            try check(try DeployRoute.runHere(script), target)
        }
        let route = DeployRoute(target: target)
        var runsPreSetup = true
        if given.task == .setup, let (script, arguments) = try preSetupFile(target) {
            runsPreSetup = false
            console.line("  ○ hook pre-setup")
            try check(try route.run(script, arguments: arguments), target)
        }
        try check(try route.run(DeployScript.remote(given.task, target, runsPreSetup: runsPreSetup)), target)
    }

    private func check(_ code: Int32, _ target: DeployTarget) throws {
        guard code != 0 else { return }
        throw Failure(.failed, "Deploy failed with exit code: \(code) (host \(target.host))")
    }

    /// A pre-setup hook that names a file here is sent to the host and run there, with the words behind it.
    private func preSetupFile(_ target: DeployTarget) throws -> (script: [UInt8], arguments: [String])? {
        let words = target.hooks[.preSetup]?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
        guard let path = words.first, FileProbe.kind(of: path) == .file else { return nil }
        // A script that somebody wrote, not an archive.
        return (try FileProbe.contents(of: path, limit: 1 << 20), Array(words.dropFirst()))
    }

    // MARK: - Help

    private var help: String {
        """

          Usage: \(program) [options] [config-file] <environment> [command]

          Brings code from git to the hosts of an environment in the `deploy` section of an ecosystem file.

          Options:

            -F, --force          do not look whether local changes are committed and pushed
            -C, --chdir <dir>    where local hooks are run
            -V, --version        print the version
            -h, --help           print this help

          Commands:

            setup                make the directories on the hosts and clone the repository
            update [ref]         fetch, reset to the ref, run the hooks (without a command, too)
            revert [n]           go back to the [n]th last deployment, or the last one
            curr[ent]            print the commit that is deployed
            prev[ious]           print the commit that was deployed before
            exec|run <cmd>       run a command in the deployed directory
            list                 print the commits that were deployed
            ref <ref>            update to a branch, tag or commit; also just <ref>

          Examples:

            $ \(program) ecosystem.config.js production setup
            $ \(program) ecosystem.config.js production
            $ \(program) production revert 1
            $ \(program) production exec "npm test"


        """
    }
}
