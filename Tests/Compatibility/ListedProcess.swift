import PM2Format
import Records
import TestSupport
import Testing

/// An element of `jlist`, as scripts read it.
struct ListedProcess {
    let json: OrderedObject

    var name: String { json["name"]?.text ?? "" }
    var id: Int { Self.number(json["pm_id"]) ?? -1 }
    var pid: Int32 { Int32(Self.number(json["pid"]) ?? -1) }
    var settings: OrderedObject { json["pm2_env"]?.object ?? OrderedObject() }
    var status: String { settings["status"]?.text ?? "" }
    var restarts: Int { Self.number(settings["restart_time"]) ?? -1 }
    var unstableRestarts: Int { Self.number(settings["unstable_restarts"]) ?? -1 }

    /// A setting that is a number.
    func number(_ key: String) -> Int? { Self.number(settings[key]) }
    /// A setting as text: strings, numbers and booleans.
    func text(_ key: String) -> String? { settings[key]?.scalarText }
    /// A variable of the stored environment.
    func variable(_ key: String) -> String? { settings["env"]?.object?[key]?.scalarText }

    private static func number(_ value: OrderedJSON?) -> Int? {
        if case .integer(let number)? = value { return Int(number) }
        return nil
    }
}

extension PM2Home {
    /// The list as `pm2 jlist` has it.
    func list() throws -> [ListedProcess] {
        let result = try sh("pm2 jlist")
        guard case .array(let items) = try OrderedJSON.parse(Array(result.output.utf8)) else {
            throw Unexpected("jlist is no array: \(result.output)", in: home)
        }
        return items.compactMap { $0.object.map(ListedProcess.init) }
    }

    func process(_ name: String) throws -> ListedProcess {
        try #require(try list().first { $0.name == name }, "no process is called '\(name)'")
    }

    /// Names in the order of ids.
    var names: [String] { get throws { try list().map(\.name) } }

    /// Waits until a process is as wanted.
    func eventually(
        _ name: String, _ what: String, within seconds: Double = 30, _ condition: (ListedProcess) throws -> Bool
    ) throws {
        try home.eventually("'\(name)' \(what)", within: seconds, every: 50) { try condition(try process(name)) }
    }

    /// What an app of `Apps` told of itself, once it has: the last time it started.
    func told(_ name: String, log: String? = nil, starts: Int = 1) throws -> OrderedObject {
        let path = paths.logs + "/" + (log ?? "\(name)-out.log")
        var told: OrderedObject?
        try home.eventually("'\(name)' tells of itself in \(path)") {
            let lines = read(path).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            guard lines.count >= starts, let line = lines.last else { return false }
            told = try OrderedJSON.parse(Array(line.utf8)).object
            return told != nil
        }
        return try #require(told)
    }

    /// The environment that an app saw when it last started.
    func environment(of name: String, log: String? = nil, starts: Int = 1) throws -> [String: String] {
        let members = try told(name, log: log, starts: starts)["env"]?.object?.dictionary ?? [:]
        return members.compactMapValues(\.text)
    }
}

/// Programs that tell their environment, arguments and directory in one line of JSON, and go on.
enum Apps {
    static func write(in pm2: PM2Home) throws {
        try pm2.write("exec sleep 100000\n", to: "app.sh")
        try pm2.write("exec sleep 100000\n", to: "other.sh")
        try pm2.write(node, to: "tell.js")
        try pm2.write(python, to: "tell.py")
        try pm2.write(php, to: "tell.php")
    }

    private static let node = """
        console.log(JSON.stringify({ env: process.env, args: process.argv.slice(2), cwd: process.cwd() }))
        setInterval(() => {}, 1000)

        """
    private static let python = """
        import json, os, sys, time
        print(json.dumps({ "env": dict(os.environ), "args": sys.argv[1:], "cwd": os.getcwd() }))
        time.sleep(100000)

        """
    private static let php = """
        <?php
        echo json_encode(["env" => getenv(), "args" => array_slice($argv, 1), "cwd" => getcwd()]), "\\n";
        sleep(100000);

        """
}
