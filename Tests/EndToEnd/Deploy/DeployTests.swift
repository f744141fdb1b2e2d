import Foundation
import Glibc
import Records
import TestSupport
import Testing

/// `pm2 deploy` to this machine, with real repositories.
@Suite("Deployments", .waiting)
struct DeployTests {
    @Test("setup, update with an app that then answers the new version, revert, list")
    func wholeLife() throws {
        try withPM2 { pm2 in
            let site = try DeploySite(pm2)
            let port = try freePort()
            try pm2.write(
                "const version = require('fs').readFileSync('version', 'utf8');\n"
                    + "require('http').createServer((q, r) => r.end(process.env.NODE_ENV + ' ' + version))"
                    + ".listen(\(port), '127.0.0.1');\n",
                to: "work/server.js")
            try pm2.write(
                """
                module.exports = {
                  apps: [{ name: 'shop', script: 'server.js', env_production: { NODE_ENV: 'production' } }],
                  deploy: {
                    production: {
                      host: 'localhost', repo: '\(pm2.file("origin.git"))', ref: 'origin/main', path: '\(site.root)',
                      'pre-deploy-local': 'echo "here in $(basename $PWD)"',
                      'pre-deploy': 'echo "shared is $SHARED"',
                      'post-setup': 'ls -a',
                      'post-deploy': 'pm2 startOrRestart ecosystem.config.js --env production'
                    }
                  }
                };
                """, to: "work/ecosystem.config.js")
            let first = try site.release("1")

            let setup = try site.deployed("ecosystem.config.js production setup")
            #expect(setup.hasPrefix("--> Deploying to production environment\n--> on host localhost\n"), "\(setup)")
            #expect(setup.contains("  ○ running setup\n") && setup.contains("  ○ hook post-setup\n"), "\(setup)")
            #expect(setup.contains("server.js\n"), "\(setup)")
            #expect(setup.hasSuffix("  ○ setup complete\n--> Success\n"), "\(setup)")
            #expect(site.exists("shared/logs") && site.exists("shared/pids") && site.exists("source/.git"))
            #expect(site.version == "1")
            #expect(!site.exists(".deploys"))

            func body() throws -> String { try pm2.sh("curl -sS http://127.0.0.1:\(port)/").output }
            let update = try site.deployed("production")
            let steps = update.split(separator: "\n").filter { $0.hasPrefix("  ○ ") }
            #expect(
                steps == [
                    "  ○ executing pre-deploy-local", "  ○ deploying origin/main", "  ○ hook pre-deploy",
                    "  ○ fetching updates", "  ○ full fetch", "  ○ resetting HEAD to origin/main",
                    "  ○ executing post-deploy `pm2 startOrRestart ecosystem.config.js --env production`",
                    "  ○ successfully deployed origin/main",
                ], "\(update)")
            #expect(update.contains("here in work\n") && update.contains("shared is \(site.root)/shared\n"))
            #expect(update.hasSuffix("--> Success\n"))
            try pm2.home.eventually("the first version answers") { try body() == "production 1\n" }

            let second = try site.release("2")
            try site.deployed("production update")
            try pm2.home.eventually("the second version answers") { try body() == "production 2\n" }
            #expect(pm2.read(site.root + "/.deploys") == "\(first)\n\(second)\n")
            #expect(try site.deployed("production list").contains("0\t\(second)\n1\t\(first)\n"))
            #expect(try site.deployed("production curr").contains("\n\(second)\n"))
            #expect(try site.deployed("production previous").contains("\n\(first)\n"))

            // A rollback needs neither a clean tree nor the repository.
            try pm2.write("3\n", to: "work/version")
            try site.run("mv origin.git gone.git")
            try site.deployed("production revert 1")
            try pm2.home.eventually("the first version answers again") { try body() == "production 1\n" }
            #expect(try site.deployed("production current").contains("\n\(first)\n"))
            let far = try site.deploy("production revert 9")
            #expect(far.code == 1 && far.errors.contains("there are not so many deployments"), "\(far.errors)")
        }
    }

    @Test("changes that are not committed, staged or pushed stop an update, unless it is forced")
    func localChanges() throws {
        try withPM2 { pm2 in
            let site = try DeploySite(pm2)
            try site.configure(["post-deploy": "echo done"])
            try site.release("1")
            try site.deployed("production setup")

            func refused(_ message: String) throws {
                let result = try site.deploy("production")
                #expect(result.code == 1)
                #expect(result.errors.hasPrefix("\n  \(message) before deploying\n\nDeploy failed\n"), "\(result)")
                #expect(!result.output.contains("○") && !result.output.contains("--> Success"), "\(result.output)")
            }
            try pm2.write("2\n", to: "work/version")
            try refused("commit or stash your changes")
            try site.run("cd work && git add version")
            try refused("commit your staged changes")
            try site.run("cd work && git commit -qm 2")
            try refused("push your changes")
            for force in ["production --force", "--force production", "production update -F"] {
                #expect(try site.deployed(force).hasSuffix("--> Success\n"))
            }
            #expect(site.version == "1")
            try site.run("cd work && git push -q 2>/dev/null")
            try site.deployed("production")
            #expect(site.version == "2")

            let outside = try pm2.sh("cp work/ecosystem.json . && pm2 deploy production")
            #expect(outside.code == 1 && outside.errors.contains("no git repository"), "\(outside.errors)")
            #expect(try pm2.sh("pm2 deploy ecosystem.json production -C work").code == 0)
        }
    }

    @Test("what a file lacks is said in PM2's words")
    func messages() throws {
        try withPM2 { pm2 in
            let site = try DeploySite(pm2)
            let none = try site.deploy("production")
            #expect(none.code == 1)
            #expect(
                none.errors == "Not any default deployment file exists. Allowed default config file names are: "
                    + "ecosystem.json, ecosystem.yml, ecosystem.yaml, ecosystem.config.js, ecosystem.config.cjs, "
                    + "ecosystem.config.mjs, ecosystem.json5, package.json\n")
            try site.configure([:])
            let unknown = try site.deploy("staging setup")
            #expect(unknown.code == 1)
            #expect(unknown.errors == "staging environment is not defined in ecosystem.json file\n")
            for words in ["help", "ecosystem.json", "ecosystem.json help", "-h", "production --help"] {
                let help = try site.deploy(words)
                #expect(help.code == 0 && help.output.contains("Usage: pm2 deploy"), "\(words): \(help)")
            }
            let missing = try site.deploy("other.json production")
            #expect(missing.code == 1 && missing.errors == "[PM2][ERROR] File other.json not found\n")
            try site.configure(["repo": NSNull(), "path": NSNull()])
            let keys = try site.deploy("production")
            #expect(keys.code == 1)
            #expect(
                keys.errors == "Deploy failed\nMissing required property: repo\nMissing required property: path\n")
            try site.configure(["ref": 7])
            #expect(
                try site.deploy("production").errors
                    == "Deploy failed\nInvalid type: number (expected string): ref\n")
            for host in ["-oProxyCommand=touch\u{20}x", "-lroot", "a b", "a;b"] {
                try site.configure(["host": host])
                let result = try site.deploy("production --force")
                #expect(result.code == 1 && result.errors.contains("is no name for ssh"), "\(result.errors)")
            }
            try site.configure(["env": ["A-B": "1"]])
            #expect(try site.deploy("production").errors.contains("env: 'A-B' is no name of a variable"))
            #expect(try site.deploy("production --frobnicate").errors.contains("unknown option `--frobnicate'"))
            try site.configure([:])
            let early = try site.deploy("production --force")
            #expect(early.code == 1 && early.errors.contains("there is no clone yet: run `setup` first"))
            #expect(early.errors.hasSuffix("Deploy failed\nDeploy failed with exit code: 1 (host localhost)\n"))
        }
    }

    @Test("paths, repositories, refs and variables are words, whatever is in them")
    func oddWords() throws {
        try withPM2 { pm2 in
            let odd = "it's $(touch pwned) \"a\" `b`; & é\\"
            let site = try DeploySite(pm2, root: "srv \(odd)")
            try site.run("mv origin.git 'odd '\\''$(touch pwned) repo.git'")
            let repository = pm2.file("odd '$(touch pwned) repo.git")
            try pm2.sh("cd work && git remote set-url origin \"$REPO\"", environment: ["REPO": repository])
            try site.configure([
                "repo": repository, "env": ["odd_value": odd, "number": 5],
                "post-deploy": "printf '%s|%s|%s' \"$ODD_VALUE\" \"$NUMBER\" \"$SHARED\" > ../result",
            ])
            try site.release("1")
            try site.deployed("production setup")
            try site.deployed("production")
            #expect(site.version == "1")
            #expect(pm2.read(site.root + "/result") == "\(odd)|5|\(site.root)/shared")
            let bad = try site.deploy("production ref 'x; touch pwned $(touch pwned)'")
            #expect(bad.code == 1 && bad.errors.contains("reset failed"), "\(bad)")
            #expect(try site.run("find . -name 'pwned*'") == "")
        }
    }

    @Test("hooks: one that fails ends the deployment; an exit, `set -e` and standard input stay the hook's own")
    func hooks() throws {
        try withPM2 { pm2 in
            let site = try DeploySite(pm2)
            func configure(_ postDeploy: String) throws {
                try site.configure([
                    "pre-deploy": "cat; cd /; exit 0", "pre-setup": "echo \"before $SHARED\"",
                    "post-deploy": postDeploy,
                ])
            }
            try configure("true")
            try site.release("1")
            #expect(try site.deployed("production setup").contains("  ○ hook pre-setup\nbefore \(site.root)/shared\n"))
            for failing in ["set -e; false; true", "exit 3", "no-such-program-here", "if then"] {
                try configure(failing)
                let result = try site.deploy("production --force")
                #expect(result.code == 1, "\(failing)")
                #expect(result.errors.contains("\n  post-deploy hook failed\n\nDeploy failed\n"), "\(result.errors)")
                #expect(!result.output.contains("successfully"))
            }
            try configure("echo fine")
            #expect(try site.deployed("production --force").contains("fine\n"))

            // `exec` has all words behind it.
            let executed = try site.deployed("production exec echo -F --force '$SHARED' '\"a  b\"'")
            #expect(executed.contains("\n-F --force \(site.root)/shared a  b\n"), "\(executed)")
            #expect(try site.deployed("production run pwd").contains("\n\(site.root)/current\n"))
            let failed = try site.deploy("production run 'exit 7'")
            #expect(failed.code == 1 && failed.errors.contains("Deploy failed with exit code: 7"))

            // A pre-setup that names a file here: its contents are run.
            try pm2.write("echo \"script got $1\"\n", to: "work/prepare.sh")
            try site.configure(["pre-setup": "prepare.sh 'one", "path": pm2.file("other")])
            #expect(try site.deployed("production setup").contains("  ○ hook pre-setup\nscript got 'one\n"))
        }
    }

    @Test("a branch by its own name is the fetched one; an empty ref is the latest tag; a commit is itself")
    func refs() throws {
        try withPM2 { pm2 in
            let site = try DeploySite(pm2)
            try site.configure(["ref": "main", "post-deploy": "true", "fetch": "fast"])
            let first = try site.release("1")
            try site.deployed("production setup")
            try site.release("2")
            try site.run("cd work && git tag v2 && git push -q --tags 2>/dev/null")
            #expect(try site.deployed("production").contains("  ○ fast fetch\n"))
            #expect(site.version == "2")
            try site.release("3")
            try site.deployed("production")
            #expect(site.version == "3")
            try site.deployed("production ref v2")
            #expect(site.version == "2")
            try site.deployed("production \(first)")
            #expect(site.version == "1")
            try site.configure(["ref": "", "post-deploy": "true"])
            #expect(try site.deployed("production -F").contains("  ○ resetting HEAD to v2\n"))
            #expect(site.version == "2")
            try site.configure(["ref": first, "path": pm2.file("other")])
            try site.deployed("production setup")
            #expect(pm2.read("other/current/version") == "1\n")
        }
    }

    @Test("without a post-deploy the apps of the file are started with the environment's variables")
    func defaultHook() throws {
        try withPM2 { pm2 in
            let site = try DeploySite(pm2)
            try pm2.write("setInterval(() => {}, 1000)\n", to: "work/app.js")
            try site.configure(
                ["env": ["LOWEST": "yes"]],
                apps: [["name": "web", "script": "app.js", "env_production": ["NODE_ENV": "production"]]])
            try site.release("1")
            try site.deployed("production setup")
            let update = try site.deployed("ecosystem.json production")
            #expect(
                update.contains("  ○ executing post-deploy `pm2 startOrRestart ecosystem.json --env production`\n"))
            let variables = try site.run("pm2 env 0")
            #expect(variables.contains("NODE_ENV: production\n") && variables.contains("LOWEST: yes\n"))
        }
    }

    @Test("an interrupted deployment takes what it started with it")
    func interruption() throws {
        try withPM2 { pm2 in
            let site = try DeploySite(pm2)
            try site.configure(["pre-deploy": "echo $BASHPID > ../pid; sleep 987654"])
            try site.release("1")
            try site.deployed("production setup")
            let run = try pm2.start("cd work && exec pm2 deploy production -F")
            let file = site.root + "/pid"
            try pm2.home.eventually("the hook runs") { pm2.read(file).hasSuffix("\n") }
            let hook = try #require(Int32(pm2.read(file).trimmingCharacters(in: .newlines)))
            kill(run.pid, SIGINT)
            #expect(try pm2.home.result(of: run).code == -SIGINT)
            try pm2.home.eventually("the hook is gone") { kill(hook, 0) != 0 }
        }
    }

    @Test("`hearth deploy` is the same")
    func hearthFace() throws {
        try withPM2 { pm2 in
            let site = try DeploySite(pm2)
            try site.configure(["post-deploy": "true"])
            let first = try site.release("1")
            try FileManager.default.createSymbolicLink(
                atPath: pm2.file("bin/hearth"), withDestinationPath: try Programs.hearth())
            func deploy(_ words: String) throws -> CommandResult { try pm2.sh("cd work && hearth deploy \(words)") }
            #expect(try deploy("production setup").code == 0)
            #expect(try deploy("production --force").output.hasSuffix("--> Success\n"))
            #expect(try deploy("production exec echo --help").output.contains("\n--help\n"))
            #expect(try deploy("production curr").output.contains(first))
            #expect(try deploy("--help").output.contains("Usage: hearth deploy"))
            let unknown = try deploy("staging")
            #expect(unknown.code == 1 && unknown.errors.contains("staging environment is not defined"))
        }
    }
}
