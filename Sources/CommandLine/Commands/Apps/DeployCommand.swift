import ArgumentParser

/// `hearth deploy`: what `pm2 deploy` does, with the same words.
struct DeployCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy", abstract: "Bring code from git to hosts, and start it there.",
        discussion: "'hearth deploy --help' lists the words; docs/deploy.md tells what they do.")

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("[config-file] <environment> [command].", valueName: "words"))
    var words: [String] = []

    func run() throws {
        do {
            try Deploy(program: "hearth deploy", console: PM2Console(PM2Options())).run(words)
        } catch is PM2Exit {
            // It was said.
            throw Failure(.failed, lines: [])
        }
    }
}
