import Foundation
import TestSupport
import Testing

/// `pm2 deploy` through an `ssh` that notes its arguments and does here what it is asked to do there.
@Suite("Deployments by ssh", .waiting)
struct DeployRemoteTests {
    /// One call of ssh: its arguments without the last, which is the command.
    private func calls(_ pm2: PM2Home) -> [[String]] {
        pm2.read("ssh.log").components(separatedBy: "=\n").dropLast().map { call in
            Array(call.split(separator: "\n").map(String.init))
        }
    }

    private func installSSH(_ pm2: PM2Home) throws {
        try pm2.write(
            """
            #!/bin/sh
            while [ $# -gt 1 ]; do printf '%s\\n' "$1" >>"$HOME/ssh.log"; shift; done
            printf '=\\n' >>"$HOME/ssh.log"
            printf '%s\\n' "$1" >>"$HOME/commands.log"
            case $(tail -n 2 "$HOME/ssh.log" | head -n 1) in *unreachable*) exit 255 ;; esac
            cd "$HOME" && exec "${REMOTE_SHELL:-sh}" -c "$1"

            """, to: "bin/ssh", executable: true)
    }

    @Test("hosts one after the other, each with its own settings; key, port and options are arguments of ssh")
    func arguments() throws {
        try withPM2 { pm2 in
            try installSSH(pm2)
            let site = try DeploySite(pm2, root: "srv it's \"here\"")
            try site.configure([
                "user": "web",
                "host": ["one.example.org", ["host": "two.example.org", "port": "2202", "user": "other"]],
                "key": "~/.ssh/id odd", "port": 22, "ssh_options": ["StrictHostKeyChecking=no", "ProxyCommand=a b"],
                "forward-agent": "yes", "post-deploy": "echo \"token $TOKEN\"", "env": ["token": "s3cret"],
                "repo": pm2.file("origin.git"),
            ])
            try site.release("1")
            let first = try site.deploy("production setup")
            // The second host is the same machine, where the clone is already.
            #expect(first.code == 1 && first.errors.contains("\n  failed to clone\n"), "\(first)")
            #expect(
                first.output.contains("--> on host one.example.org\n")
                    && first.output.contains("--> on host two.example.org\n"))
            let update = try site.deployed("production")
            #expect(update.components(separatedBy: "token s3cret\n").count == 3, "\(update)")
            let options = [
                "-o", "StrictHostKeyChecking=no", "-o", "ProxyCommand=a b", "-p", "22", "-i",
                pm2.file(".ssh/id odd"), "-A", "web@one.example.org",
            ]
            var other = options
            other[5] = "2202"
            other[9] = "other@two.example.org"
            #expect(calls(pm2) == [options, other, options, other])
            #expect(site.version == "1")
            // Variables and paths go on standard input: command lines can be read by everybody.
            #expect(!pm2.read("commands.log").contains("s3cret"))
        }
    }

    @Test("`needs_tty` asks for a terminal and leaves standard input alone; one option may be a string")
    func terminal() throws {
        try withPM2 { pm2 in
            try installSSH(pm2)
            let site = try DeploySite(pm2, root: "srv it's \"here\"")
            try site.configure([
                "host": "one.example.org", "needs_tty": true, "ssh_options": "BatchMode=yes",
                "post-deploy": "read answer; echo \"answer: $answer\"", "path": "~/srv it's \"here\"",
            ])
            try site.release("1")
            try site.deployed("production setup")
            let result = try pm2.sh("cd work && echo yes | pm2 deploy production")
            #expect(result.code == 0 && result.output.contains("answer: yes\n"), "\(result)")
            #expect(calls(pm2).allSatisfy { $0 == ["-o", "BatchMode=yes", "-t", "one.example.org"] })
            #expect(calls(pm2).count == 2)
            #expect(site.version == "1")
        }
    }

    @Test("a home directory in a path is the host's; a login shell may be any; a host that fails is the last")
    func paths() throws {
        try withPM2 { pm2 in
            try installSSH(pm2)
            let site = try DeploySite(pm2)
            try site.release("1")
            for (index, path) in ["~/a b", "$HOME/c", "relative/d"].enumerated() {
                try site.configure(["host": "one.example.org", "path": path, "post-deploy": "true"])
                let result = try pm2.sh(
                    "cd work && pm2 deploy production setup && pm2 deploy production -F",
                    environment: ["REMOTE_SHELL": index == 0 ? "bash" : "sh"])
                #expect(result.code == 0, "\(path): \(result)")
            }
            for name in ["a b", "c", "relative/d"] { #expect(pm2.read("\(name)/current/version") == "1\n", "\(name)") }

            try pm2.write("echo \"script got $# $1\"; cat\n", to: "work/prepare.sh")
            try site.configure([
                "host": ["one.example.org", "unreachable", "three.example.org"], "pre-setup": "./prepare.sh a;b",
                "path": "e",
            ])
            let failed = try site.deploy("production setup")
            #expect(failed.code == 1 && failed.output.contains("  ○ hook pre-setup\nscript got 1 a;b\n"), "\(failed)")
            #expect(failed.errors.hasSuffix("Deploy failed\nDeploy failed with exit code: 255 (host unreachable)\n"))
            #expect(!failed.output.contains("three.example.org"))
            #expect(pm2.read("e/current/version") == "1\n")
        }
    }
}
