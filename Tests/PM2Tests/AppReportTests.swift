import Control
import Testing

@testable import PM2Format

@Suite("What apps report in the words of PM2's libraries")
struct AppReportTests {
    private func noted(_ packets: (type: String, data: String)...) throws -> AppReport {
        var report = AppReport()
        for packet in packets { _ = report.note(type: packet.type, try OrderedJSON.parse(Array(packet.data.utf8))) }
        return report
    }

    @Test("metrics keep the place of their first value; numbers stay numbers")
    func metrics() throws {
        let report = try noted(
            (
                "axm:monitor",
                #"{"Users":{"value":3,"unit":"","type":"u/n","historic":true},"Delay":{"value":"1.25 ms"}}"#
            ),
            ("axm:monitor", #"{"Load":{"value":0.5,"unit":"%"},"Users":{"value":4,"unit":"p"}}"#),
            ("axm:monitor", #"{"plain":7,"flag":{"value":true},"deep":{"value":{"a":[1]}},"none":{"value":null},"":1}"#)
        )
        #expect(report.metrics.map(\.name) == ["Users", "Delay", "Load", "plain", "flag", "deep"])
        #expect(
            report.metrics.map(\.value)
                == [.integer(4), .text("1.25 ms"), .number(0.5), .integer(7), .flag(true), .text(#"{"a":[1]}"#)])
        #expect(report.metrics[0] == AppMetric(name: "Users", value: .integer(4), unit: "p"))
        #expect(
            report.axmMonitor.compactText
                == #"{"Users":{"value":4,"unit":"p"},"Delay":{"value":"1.25 ms"},"Load":{"value":0.5,"unit":"%"},"#
                + #""plain":{"value":7},"flag":{"value":true},"deep":{"value":"{\"a\":[1]}"}}"#)
    }

    @Test("an action is noted once, options are merged")
    func actions() throws {
        let report = try noted(
            ("axm:action", #"{"action_name":"gc","action_type":"internal","arity":2,"opts":{"comment":"c"}}"#),
            ("axm:action", #"{"action_name":"gc","action_type":"custom"}"#),
            ("axm:action", #"{"action_name":7}"#), ("axm:action", "[]"),
            ("axm:option:configuration", #"{"module_name":"a","n":1}"#), ("axm:option:configuration", #"{"n":2}"#))
        #expect(
            report.actions == [AppAction(name: "gc", type: "internal", arity: 2, options: #"{"comment":"c"}"#)])
        #expect(
            report.axmActions.compactText
                == #"[{"action_name":"gc","action_type":"internal","opts":{"comment":"c"},"arity":2}]"#)
        #expect(report.axmOptions.compactText == #"{"module_name":"a","n":2}"#)
    }

    @Test("whatever is sent, little is kept")
    func bounds() throws {
        var report = AppReport()
        let long = String(repeating: "ä", count: 10_000)
        for number in 0..<100 {
            let value = OrderedJSON.object(["value": .string(long), "unit": .string(long), "type": .string(long)])
            _ = report.note(type: "axm:monitor", .object(["m\(number)": value, long: .integer(1)]))
            _ = report.note(
                type: "axm:action",
                .object(["action_name": .string("a\(number)"), "opts": .string(long), "action_type": .string(long)]))
            _ = report.note(type: "axm:option:configuration", .object([long: .string(long)]))
        }
        #expect(report.metrics.count == 64 && report.actions.count == 64 && report.options == nil)
        let widest = report.metrics.map { $0.value.shown.utf8.count + ($0.unit?.utf8.count ?? 0) }.max()
        #expect(widest == 256 + 64)
        #expect(report.actions.allSatisfy { $0.options == nil && ($0.type?.utf8.count ?? 0) <= 64 })
    }

    @Test("what is none of these is left to others")
    func others() throws {
        var report = AppReport()
        let outcomes = [
            report.note(type: "human:event", .emptyObject), report.note(type: "axm:monitor", .array([.null])),
            report.note(type: "axm:option:setPID", .integer(1)),
        ]
        #expect(outcomes == [.other, .metrics, .description])
        #expect(report.isEmpty)
    }
}
