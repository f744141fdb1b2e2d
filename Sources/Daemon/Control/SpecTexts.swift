import Control
import Foundation
import Model
import Platform

/// Specifications as JSON, kept until they change: encoding them is most of the work of an inventory.
final class SpecTexts {
    private var texts: [InstanceID: (spec: AppSpec, text: Data)] = [:]
    /// More than so many new ones are encoded on a thread: a millisecond of the loop is an app's restart.
    private static let few = 16

    /// Calls back when the text of every entry is there.
    func update(for reply: InventoryReply, on services: Services, _ done: @escaping () -> Void) {
        let missing = reply.entries.filter { texts[$0.instance.id]?.spec != $0.spec }
            .map { (id: $0.instance.id, spec: $0.spec) }
        if texts.count > 2 * reply.entries.count + 64 { texts = [:] }
        guard missing.count > Self.few else {
            for entry in missing { texts[entry.id] = (entry.spec, Self.encode(entry.spec)) }
            return done()
        }
        services.loop.offload(to: services.codec) {
            missing.map { Self.encode($0.spec) }
        } then: { [self] encoded in
            for (entry, text) in zip(missing, encoded) { texts[entry.id] = (entry.spec, text) }
            done()
        }
    }

    func text(of entry: InventoryEntry) -> Data {
        guard let known = texts[entry.instance.id], known.spec == entry.spec else { return Self.encode(entry.spec) }
        return known.text
    }

    private static func encode(_ spec: AppSpec) -> Data {
        // A specification is texts, numbers and lists of them: there is nothing that could not be encoded.
        (try? Varlink.encoder().encode(spec)) ?? Data("null".utf8)
    }
}
