import Model
import Platform
import Supervision

/// Tells the service manager, through the keeper, how many apps are online: `systemctl status` shows it.
///
/// Outside a service nothing is observed.
final class ServiceStatus {
    /// Many changes at once (a restore) are one message.
    private static let quietTime = Milliseconds(300)

    private let services: Services
    private let fleet: Fleet
    private var isDue = false

    init(_ services: Services, _ fleet: Fleet) {
        self.services = services
        self.fleet = fleet
    }

    func begin() {
        guard services.unit != nil else { return }
        _ = fleet.observe { [unowned self] _ in self.tellSoon() }
        tellSoon()
    }

    /// Also for a keeper that is new.
    func tellSoon() {
        guard services.unit != nil, !isDue else { return }
        isDue = true
        services.loop.schedule(after: Self.quietTime) { [unowned self] in
            self.isDue = false
            self.tell()
        }
    }

    private func tell() {
        let machines = fleet.ids.compactMap { fleet[$0]?.machine }
        services.vault.tell(
            online: machines.count { $0.status == .online }, wanted: machines.count { $0.wanted == .running },
            errored: machines.count { $0.status == .errored })
    }
}
