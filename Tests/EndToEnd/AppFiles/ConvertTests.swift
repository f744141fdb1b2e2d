import Foundation
import TestSupport
import Testing

@Suite("convert", .waiting)
struct ConvertTests {
    private static let javaScript = """
        // Comments are not kept.
        const names = ["EU", "US"];
        module.exports = {
          apps: [
            {
              env: { NODE_ENV: "development", PORT: 3000, YES: "yes", N: "0x10", EMPTY: "", TEXT: "a: b\\n\\"c\\" # d" },
              env_production: { NODE_ENV: "production" },
              name: "api", script: "./app.sh", args: ["--region", names[0], "two words"], instances: 2,
              max_memory_restart: "1G", exec_mode: "fork", ignoreWatch: ["node_modules"], minUptime: "10s",
              stop_exit_codes: [0, 143], watch: false, wait_ready: true,
            },
            { script: "/bin/sleep", name: "no", args: "100000", cwd: ".", autorestart: false, env: { Ü: "ß €" } },
          ],
          deploy: { production: { host: ["a", "b"], env: { X: "1" } } },
        };

        """

    @Test("every format of a file means the same", arguments: ["yaml", "toml", "json"])
    func roundTrip(format: String) throws {
        try withHome { home in
            try home.write("#!/bin/sh\nexec sleep 100000\n", to: "app.sh", executable: true)
            try home.write(Self.javaScript, to: "eco.config.js")
            try home.expect(0, "hearth apply eco.config.js --env production")
            let text = try home.expect(0, "hearth convert eco.config.js --to \(format) 2>/dev/null")
            try home.write(text, to: "apps.\(format)")
            #expect(
                try home.expect(0, "hearth plan apps.\(format) --env production").hasPrefix("no changes\n"), "\(text)")
            // From there to the two others, and back.
            for other in ["yaml", "toml", "json"] {
                try home.expect(0, "hearth convert apps.\(format) --to \(other) --output again.\(other) --force")
                #expect(
                    try home.expect(0, "hearth plan again.\(other) --env production").hasPrefix("no changes\n"))
            }
            let specs = try JSON(try home.shellRun("hearth validate eco.config.js --json").output)["apps"]
            #expect(specs.array.count == 2)
            #expect(try JSON(try home.shellRun("hearth validate apps.\(format) --json").output)["apps"] == specs)
        }
    }

    @Test("the name comes first, spellings stay as they are, and a file is not overwritten by accident")
    func order() throws {
        try withHome(starting: false) { home in
            try home.write("#!/bin/sh\nexec sleep 100000\n", to: "app.sh", executable: true)
            try home.write(Self.javaScript, to: "eco.config.js")
            let yaml = try home.expect(0, "hearth convert eco.config.js --to yaml 2>/dev/null")
            #expect(yaml.hasPrefix("apps:\n  - name: api\n    script: ./app.sh\n    args: "), "\(yaml)")
            #expect(yaml.contains("    minUptime: \"10s\"\n") && yaml.contains("  - name: \"no\"\n"))
            try home.expect(0, "hearth convert eco.config.js --to json -o out.json")
            #expect(try home.expect(1, "hearth convert eco.config.js --to json -o out.json").contains("--force"))
            #expect(try home.expect(0, "stat -c %a out.json") == "600\n")
            #expect(try home.expect(1, "hearth convert none.json --to yaml").contains("cannot read 'none.json'"))
            #expect(
                try home.expect(1, "echo '{\"apps\": []}' | hearth convert - --to yaml").contains("there are no apps"))
            try home.expect(2, "hearth convert eco.config.js --to xml")
        }
    }
}
