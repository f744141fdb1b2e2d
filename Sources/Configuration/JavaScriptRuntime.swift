package import Model

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Evaluates an app file that is a program: with the user's own node (or bun, or deno), in a child with limits.
package enum JavaScriptRuntime {
    /// How long a file may take; HEARTH_CONFIG_TIMEOUT_MS changes it.
    package static func timeout() -> Milliseconds {
        guard let text = getenv("HEARTH_CONFIG_TIMEOUT_MS"), let time = Int64(String(cString: text)), time > 0 else {
            return Milliseconds(10_000)
        }
        return Milliseconds(min(time, 600_000))
    }

    /// What the file at `path` exports, as JSON.
    ///
    /// - Parameters:
    ///   - name: the file in messages.
    ///   - search: where the runtime is looked for.
    ///   - arguments: what the file finds in `process.argv` after the program: files look for `--env` there.
    static func json(
        of path: String, name: String, search: String? = nil, arguments: [String], timeout: Milliseconds
    ) throws(ConfigurationError) -> [UInt8] {
        let search = search ?? getenv("PATH").map { String(cString: $0) } ?? Paths.defaultSearchPath
        let directory = currentDirectory()
        guard let runtime = Runtime.allCases.first(where: { $0.find(search, directory) != nil }),
            let program = runtime.find(search, directory)
        else {
            throw ConfigurationError(
                "is a program in JavaScript, and neither node nor bun nor deno is in PATH ('\(search)') to run it",
                hint: "run 'hearth convert' on a machine with node, or write it as JSON", location: name, subject: .file
            )
        }
        let full = Paths.absolute(path, base: directory, home: nil)
        let child = BoundedChild(
            program: program, arguments: runtime.arguments(loader(file: full, arguments: arguments)), answersOn: 3,
            timeout: timeout)
        let answer: BoundedChild.Answer
        do throws(BoundedChild.Failure) {
            answer = try child.run()
        } catch {
            switch error {
            case .cannotStart(let code):
                throw failure("can't be run by '\(program)': \(FileProbe.describe(code))", "", hint: nil, name)
            case .timedOut(let complaint):
                throw failure(
                    "did not come to an end within \(timeout.rawValue) ms", complaint,
                    hint: "an app file may only describe; is there a loop, a server, a connection in it?", name)
            case .answerTooLarge:
                throw failure("exports more than \(child.largestAnswer >> 20) MiB", "", hint: nil, name)
            }
        }
        return try export(of: answer, program, name)
    }

    /// Takes the loader's answer apart: a letter, then JSON or a message.
    private static func export(
        of answer: BoundedChild.Answer, _ program: String, _ name: String
    ) throws(ConfigurationError) -> [UInt8] {
        let rest = answer.bytes.dropFirst()
        switch answer.bytes.first {
        case UInt8(ascii: "v"): return Array(rest)
        case UInt8(ascii: "e"):
            throw failure("failed: \(String(decoding: rest, as: UTF8.self))", answer.complaint, hint: nil, name)
        default:
            let end = answer.code.map { "exit code \($0)" } ?? "signal \(answer.signal)"
            throw failure(
                "ended '\(program)' with \(end) before it exported anything", answer.complaint, hint: nil, name)
        }
    }

    private static func failure(
        _ message: String, _ complaint: String, hint: String?, _ name: String
    ) -> ConfigurationError {
        var message = message
        if !complaint.isEmpty {
            // The end is where the reason stands.
            let lines = complaint.split(separator: "\n").suffix(5).map { $0.prefix(300) }
            message += "; its standard error: \(lines.joined(separator: " | "))"
        }
        return ConfigurationError(message, hint: hint, location: name, subject: .file)
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    private enum Runtime: String, CaseIterable {
        case node
        case bun
        case deno

        func find(_ search: String, _ directory: String) -> String? {
            Paths.program(rawValue, path: search, base: directory)
        }

        func arguments(_ loader: String) -> [String] {
            switch self {
            case .node, .bun: ["-e", loader]
            case .deno: ["eval", loader]
            }
        }
    }

    /// The program that loads the file. It answers on descriptor 3, so that whatever the file prints disturbs nobody.
    private static func loader(file: String, arguments: [String]) -> String {
        let file = JSONValue.string(file).text
        let arguments = JSONValue.array(arguments.map { .string($0) }).text
        return """
            (async () => {
              // Without require (deno) there is only import, which costs node 20 ms to set up.
              const get = async (name) => typeof require === "function" ? require(name) : await import("node:" + name);
              const process = globalThis.process ?? (await get("process")).default;
              const fs = await get("fs");
              const { createRequire } = await get("module");
              const file = \(file);
              const answer = (text) => { fs.writeFileSync("/proc/self/fd/3", text); process.exit(0); };
              try {
                process.argv = [process.execPath, "hearth", ...\(arguments)];
                const load = async () => await import((await get("url")).pathToFileURL(file).href);
                let value;
                if (/\\.mjs/.test(file)) value = await load();
                else {
                  try { value = createRequire(file)(file); }
                  catch (error) {
                    const isModule = error && (error.code === "ERR_REQUIRE_ESM" || error.code === "ERR_REQUIRE_ASYNC_MODULE"
                      || (error instanceof SyntaxError && /import|export/.test(error.message)));
                    if (!isModule) throw error;
                    value = await load();
                  }
                }
                if (value && typeof value === "object" && "default" in value
                    && (value.__esModule || value[Symbol.toStringTag] === "Module")) value = value.default;
                value = await value;
                if (typeof value === "function") value = await value();
                const text = JSON.stringify(value);
                if (text === undefined) throw new Error("it exports nothing; write module.exports = { apps: [...] }");
                answer("v" + text);
              } catch (error) {
                let text = String(error && error.message || error).split("\\n")[0];
                const place = String(error && error.stack || "").split("\\n").map((line) => line.indexOf(file) < 0 ? null
                  : /^:(\\d+)(?::(\\d+))?/.exec(line.slice(line.indexOf(file) + file.length))).find((found) => found);
                if (/circular|cyclic/i.test(text)) text = "it exports an object that contains itself";
                else if (error && error.name && error.name !== "Error") text = error.name + ": " + text;
                if (place) text += " (line " + place[1] + (place[2] ? ", column " + place[2] : "") + ")";
                answer("e" + text);
              }
            })();
            """
    }
}
