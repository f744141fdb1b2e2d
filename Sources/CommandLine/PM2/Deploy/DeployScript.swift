/// The shell scripts of a deployment.
///
/// Everything that comes from the file stands in single quotes: a path with blanks or quotes is a path, not a command.
/// Only hooks are commands, and each runs in a subshell of its own, so that an `exit`, a `cd` or a syntax error in it
/// ends that hook and nothing else. No step stands left of `||` or `&&` when it contains a hook: there `set -e` of the
/// hook would not count.
enum DeployScript {
    /// One word of a shell, whatever is in it.
    static func quote(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }

    /// A path of the host as one word; a home directory in front of it is the one there.
    static func path(_ path: String) -> String {
        for home in ["~", "$HOME", "${HOME}"] where path == home || path.hasPrefix(home + "/") {
            return "\"$HOME\"" + (path == home ? "" : quote(String(path.dropFirst(home.count))))
        }
        if path.hasPrefix("~") {
            let name = path.dropFirst().prefix { $0 != "/" }
            // Another user's home: known to the shell there, and only when the name is not quoted.
            let isName = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            if isName { return "~\(name)" + quote(String(path.dropFirst(name.count + 1))) }
        }
        return quote(path)
    }

    // MARK: - On the host

    /// What `task` does on the host of `target`.
    static func remote(_ task: DeployWords.Task, _ target: DeployTarget, runsPreSetup: Bool = true) -> String {
        let body =
            switch task {
            case .setup: setup(target, runsPreSetup: runsPreSetup)
            case .update(let ref): update(target, ref: ref ?? target.ref)
            case .revert(let count): revert(target, count)
            case .current: ["cd \"$deploy_source\" || deploy_fail \(quote(notSetUp))", "git rev-parse --short HEAD"]
            case .previous:
                ["deploy_nth 1", "[ -n \"$deploy_commit\" ] || deploy_fail 'there is no previous deployment'"]
                    + ["printf '%s\\n' \"$deploy_commit\""]
            case .list:
                [
                    "[ ! -f \"$deploy_root/.deploys\" ] || "
                        + "awk '{ line[NR] = $0 } "
                        + "END { for (i = NR; i > 0; i--) printf \"%d\\t%s\\n\", NR - i, line[i] }' "
                        + "\"$deploy_root/.deploys\""
                ]
            case .execute(let command): ["deploy_hook \(quote(command))"]
            }
        return function(prelude(target) + body, readsTerminal: target.needsTerminal)
    }

    private static let notSetUp = "there is no clone yet: run `setup` first"

    /// As a function, which the shell has read completely before it begins: a hook that reads its standard input
    /// cannot swallow the rest of the script.
    private static func function(_ lines: [String], readsTerminal: Bool) -> String {
        "deploy_main() {\n" + lines.joined(separator: "\n") + "\n}\n"
            + "deploy_main\(readsTerminal ? "" : " </dev/null"); exit $?\n"
    }

    private static func prelude(_ target: DeployTarget) -> [String] {
        [
            "deploy_say() { printf '  ○ %s\\n' \"$*\"; }",
            "deploy_fail() { printf '\\n  %s\\n\\n' \"$*\" >&2; exit 1; }",
            "deploy_check() { [ \"$1\" -eq 0 ] || deploy_fail \"$2\"; }",
            // A blank in front: a command may begin with `-`.
            "deploy_hook() { ( export SHARED=\"$deploy_root/shared\"; cd \"$deploy_root/current\" || exit 1; eval \" $1\" ) }",
            // The commit of so many deployments ago; 0 is the present one.
            "deploy_nth() { deploy_commit=; [ -f \"$deploy_root/.deploys\" ] || return 0",
            "  deploy_commit=$(awk -v back=\"$1\" '{ c[NR] = $1 } END { if (NR > back) print c[NR - back] }'"
                + " \"$deploy_root/.deploys\"); }",
            "deploy_root=\(path(target.path))",
            "case $deploy_root in /*) ;; *) deploy_root=$PWD/$deploy_root ;; esac",
            "deploy_source=$deploy_root/source",
            // A deployment that a hook of git's started has them, and they mean another repository.
            "unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE",
        ]
    }

    private static func setup(_ target: DeployTarget, runsPreSetup: Bool) -> [String] {
        var lines: [String] = []
        if let command = target.hooks[.preSetup], runsPreSetup {
            lines += [
                "deploy_say 'hook pre-setup'",
                // There is no `current` yet.
                "( export SHARED=\"$deploy_root/shared\"; eval \(quote(" " + command)) )",
                "deploy_check $? 'pre-setup hook failed'",
            ]
        }
        let commit = isCommit(target.ref)
        let branch = target.ref.isEmpty || commit ? "" : " --branch \(quote(branch(target.ref)))"
        // Without the other branches a later `ref` on one of them would not be found.
        let depth = target.isShallow && !commit ? " --depth=5 --no-single-branch" : ""
        lines += [
            "deploy_say 'running setup'",
            "mkdir -p \"$deploy_root/shared/logs\" \"$deploy_root/shared/pids\" \"$deploy_source\" || "
                + "deploy_fail 'setup paths failed'",
            "deploy_say \(quote("cloning \(target.repository)"))",
            "deploy_say '\(target.isShallow ? "fast" : "full") fetch'",
            "git clone\(branch)\(depth) -- \(quote(target.repository)) \"$deploy_source\" || "
                + "deploy_fail 'failed to clone'",
        ]
        if commit {
            lines.append(
                "( cd \"$deploy_source\" && git reset --hard \(quote(target.ref)) -- ) || deploy_fail 'reset failed'")
        }
        lines.append(link)
        if let command = target.hooks[.postSetup] {
            lines += [
                "deploy_say 'hook post-setup'", "deploy_hook \(quote(command))",
                "deploy_check $? 'post-setup hook failed'",
            ]
        }
        return lines + ["deploy_say 'setup complete'"]
    }

    private static let link = "ln -sfn \"$deploy_source\" \"$deploy_root/current\" || deploy_fail 'symlink failed'"

    private static func update(_ target: DeployTarget, ref: String) -> [String] {
        var choice: [String]
        if ref.isEmpty {
            choice = [
                "deploy_ref=$(git describe --tags \"$(git rev-list --tags --max-count=1)\" 2>/dev/null)",
                "[ -n \"$deploy_ref\" ] || deploy_fail 'there is no tag to deploy'",
            ]
        } else {
            choice = ["deploy_ref=\(quote(ref))"]
        }
        choice += [
            "deploy_commit=$deploy_ref",
            // A branch without its remote means the one that was fetched, not the local one that `clone` left.
            "! git rev-parse -q --verify \"refs/remotes/origin/$deploy_ref^{commit}\" >/dev/null || "
                + "deploy_commit=origin/$deploy_ref",
        ]
        return deployment(target, title: quote(ref.isEmpty ? "latest tag" : ref), fetches: true, choice)
    }

    private static func revert(_ target: DeployTarget, _ count: Int) -> [String] {
        let choice = [
            "deploy_nth \(count)",
            "[ -n \"$deploy_commit\" ] || deploy_fail 'there are not so many deployments: see `list`'",
            "deploy_ref=$deploy_commit",
        ]
        // The commit is here already: a git server that does not answer is no reason to stay with what is broken.
        return deployment(target, title: quote("revert \(count)"), fetches: false, choice)
    }

    private static func deployment(
        _ target: DeployTarget, title: String, fetches: Bool, _ choice: [String]
    ) -> [String] {
        var lines = [
            "deploy_say \"deploying \"\(title)",
            "[ -d \"$deploy_source/.git\" ] || deploy_fail \(quote(notSetUp))",
        ]
        if let command = target.hooks[.preDeploy] {
            lines += [
                "deploy_say 'hook pre-deploy'", "deploy_hook \(quote(command))",
                "deploy_check $? 'pre-deploy hook failed'",
            ]
        }
        lines.append("cd \"$deploy_source\" || deploy_fail \(quote(notSetUp))")
        if fetches {
            lines += [
                "deploy_say 'fetching updates'", "deploy_say '\(target.isShallow ? "fast" : "full") fetch'",
                "git fetch\(target.isShallow ? " --depth=5" : "") --all --tags || deploy_fail 'fetch failed'",
            ]
        }
        lines += choice
        lines += [
            "deploy_say \"resetting HEAD to $deploy_ref\"",
            "git reset --hard \"$deploy_commit\" -- || deploy_fail 'reset failed'",
            link,
            "git rev-parse --short HEAD >>\"$deploy_root/.deploys\" || deploy_fail 'append deploy log failed'",
        ]
        if let command = target.hooks[.postDeploy] {
            let exports = target.environment.sorted { $0.key < $1.key }.map { "export \($0.key)=\(quote($0.value)); " }
            lines += [
                "deploy_say \(quote("executing post-deploy `\(command)`"))",
                "deploy_hook \(quote(exports.joined() + command))", "deploy_check $? 'post-deploy hook failed'",
            ]
        }
        return lines + ["deploy_say \"successfully deployed $deploy_ref\""]
    }

    /// `main` of `origin/main`: a clone knows its branches by their own names.
    private static func branch(_ ref: String) -> String {
        for prefix in ["refs/remotes/origin/", "remotes/origin/", "origin/", "refs/heads/", "refs/tags/"]
        where ref.hasPrefix(prefix) {
            return String(ref.dropFirst(prefix.count))
        }
        return ref
    }

    /// What `git clone --branch` does not take.
    private static func isCommit(_ ref: String) -> Bool {
        (7...64).contains(ref.utf8.count)
            && ref.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }

    // MARK: - Here

    /// What comes before an update, where the command was typed; nil: nothing.
    static func local(_ task: DeployWords.Task, _ target: DeployTarget, isForced: Bool) -> String? {
        var lines: [String] = []
        switch task {
        case .update where !isForced:
            lines += [
                "deploy_fail() { printf '\\n  %s\\n\\n' \"$*\" >&2; exit 1; }",
                "git rev-parse --git-dir >/dev/null 2>&1 || "
                    + "deploy_fail 'this is no git repository whose changes could be looked at: use --force'",
                "git --no-pager diff --exit-code --quiet || "
                    + "deploy_fail 'commit or stash your changes before deploying'",
                "git --no-pager diff --exit-code --quiet --cached || "
                    + "deploy_fail 'commit your staged changes before deploying'",
                // A branch that follows none has nothing to compare with.
                "[ -z \"$(git rev-list '@{upstream}..' -n 1 2>/dev/null)\" ] || "
                    + "deploy_fail 'push your changes before deploying'",
            ]
        case .update, .revert: break
        default: return nil
        }
        if let command = target.hooks[.preDeployLocal] {
            lines += [
                "printf '  ○ %s\\n' 'executing pre-deploy-local'", "( eval \(quote(" " + command)) )",
                "[ $? -eq 0 ] || { printf '\\n  %s\\n\\n' 'pre-deploy-local hook failed' >&2; exit 1; }",
            ]
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
    }
}
