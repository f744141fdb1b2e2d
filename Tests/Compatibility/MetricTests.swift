import Foundation
import PM2Format
import Records
import TestSupport
import Testing

@Suite("pm2: metrics and actions of apps")
struct MetricTests {
    private static let app = """
        const send = (type, data) => process.send({ type, data });
        process.send({ node_version: '1.2.3' });
        send('axm:option:configuration', { module_name: 'api' });
        send('axm:monitor', { Users: { value: 42, unit: 'people', type: 'users', historic: true } });
        for (const name of ['greet', 'end']) send('axm:action', { action_name: name, action_type: 'custom', arity: 0 });
        process.on('message', message => {
            if (message === 'end') process.exit(3);
            send('axm:reply', { at: 1, action_name: 'greet', return: { hello: message.opts || [1, 'x'] } });
        });
        setInterval(() => {}, 1000);
        """

    @Test("jlist, describe and trigger have what an app registered")
    func registered() throws {
        try withPM2 { pm2 in
            try pm2.write(Self.app, to: "api.js")
            try pm2.sh("pm2 -s start api.js; pm2 -s start api.js -f --name other --namespace jobs --no-autorestart")
            try pm2.home.eventually("both have registered") {
                let list = try pm2.sh("pm2 jlist").output
                return list.components(separatedBy: "\"action_name\":\"end\"").count == 3
            }
            let list = try pm2.sh("pm2 jlist").output
            for text in [
                #""node_version":"1.2.3""#, #""axm_options":{"module_name":"api"}"#,
                #""axm_monitor":{"Users":{"value":42,"type":"users","unit":"people","historic":true}}"#,
                #""axm_actions":[{"action_name":"greet","action_type":"custom","arity":0},"#,
            ] { #expect(list.contains(text), "\(text) in \(list)") }
            #expect(try pm2.sh("pm2 prettylist").output.contains("action_name: 'greet'"))

            let described = PM2Home.lines(of: try pm2.sh("pm2 describe api").output)
            let actions = try #require(described.firstIndex(of: " Actions available "))
            #expect(
                described[actions...].prefix(8) == [
                    " Actions available ", "┌───────┐", "│ greet │", "│ end   │", "└───────┘",
                    " Trigger via: pm2 trigger api <action_name>", "", " Code metrics value ",
                ])
            #expect(described.contains("│ Users │ 42 people │"))

            try pm2.check([
                Row(
                    "pm2 trigger api greet",
                    says: ["1 processes have received command greet", #"[api:0:default]={"hello":[1,"x"]}"#]),
                Row(
                    "pm2 trigger 1 greet 'to you'",
                    says: ["1 processes have received command greet", #"[other:1:jobs]={"hello":"to you"}"#]),
                Row("pm2 trigger jobs greet", says: ["1 processes*", "[other:1:jobs]=*"]),
                Row("pm2 trigger all greet", says: ["2 processes have received command greet", "[*", "[*"]),
                Row("pm2 trigger api.js greet", says: ["2 processes*", "[*", "[*"]),
                Row("pm2 trigger 0 nosuch", 1, errors: ["Action doesn't exist nosuch for api"]),
                Row(
                    "pm2 trigger api nosuch", 1,
                    errors: ["Not any process has received a command (offline or unexistent)"]),
                Row("pm2 trigger 9 greet", 1, errors: ["9 id unknown"]),
                Row(
                    "pm2 trigger other end", 1, says: ["1 processes have received command end"],
                    errors: ["[PM2][ERROR] [other] has ended before it answered"]),
                Row(
                    "pm2 trigger other greet", 1,
                    errors: ["Not any process has received a command (offline or unexistent)"]),
            ])
            try pm2.sh("pm2 -s stop api")
            #expect(try pm2.sh("pm2 jlist").output.contains("\"axm_actions\":[],\"axm_monitor\":{},\"axm_options\":{}"))
        }
    }
}
