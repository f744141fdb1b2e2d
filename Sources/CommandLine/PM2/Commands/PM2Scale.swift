import Control
import Model

/// `scale APP N`, `+N` or `-N`.
struct PM2Scale {
    let face: PM2Session
    private var console: PM2Console { face.console }

    func run(_ name: String, _ word: String) throws {
        let entries = try face.inventory().entries.filter { $0.instance.name == name }
        guard !entries.isEmpty else {
            console.error("Application \(name) not found")
            throw PM2Exit.failed
        }
        let isRelative = word.hasPrefix("+") || word.hasPrefix("-")
        guard let number = Int(word), abs(number) <= 1024 else {
            console.error("'\(word)' is not a number of instances")
            throw PM2Exit.failed
        }
        let target = isRelative ? entries.count + number : number
        guard target != entries.count else {
            console.error("Nothing to do")
            throw PM2Exit.failed
        }
        guard target >= 0 else {
            console.error("\(name) has \(entries.count) instances, \(word) cannot be taken away")
            throw PM2Exit.failed
        }
        try face.connect()
        if target > entries.count {
            for _ in entries.count..<target { console.say("Scaling up application") }
            let _: InstancesReply = try face.session.change(
                .scale, ScaleParameters(name: name, count: target, change: nil, origin: face.origin), repeats: true)
        } else {
            // PM2 takes away the lowest ids.
            let surplus = entries.map(\.instance.id).sorted().prefix(entries.count - target)
            try PM2Actions(face: face, verb: .delete).act(
                on: entries.filter { surplus.contains($0.instance.id) }, named: name)
        }
        try PM2Lists(face: face).table()
    }
}
