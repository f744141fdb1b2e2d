import Configuration
import Glibc

/// `init`: an ecosystem file to begin with.
struct PM2Template {
    let face: PM2Session

    func write(isSimple: Bool) throws {
        let directory = getenv("PWD").map { String(cString: $0) } ?? CallerHome.workingDirectory() ?? "."
        let path = directory + "/ecosystem.config.js"
        let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard fd >= 0 else {
            face.console.error("\(path): \(FileProbe.describe(errno))")
            throw PM2Exit.failed
        }
        defer { close(fd) }
        try Output.write(Array((isSimple ? Self.simple : Self.full).utf8), to: fd)
        face.console.line("File \(path) generated")
    }

    private static let simple = """
        module.exports = {
          apps: [{
            name: 'app',
            script: './index.js'
          }]
        }

        """

    private static let full = """
        module.exports = {
          apps: [
            {
              name: 'web',
              script: 'index.js',
              env: { NODE_ENV: 'development' },
              env_production: { NODE_ENV: 'production' }
            },
            {
              name: 'worker',
              script: './worker/index.js',
              restart_delay: 1000,
              max_memory_restart: '500M'
            }
          ]
        }

        """
}
