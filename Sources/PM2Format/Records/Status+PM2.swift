package import Model

extension Status {
    /// The word that PM2 has for it: who reads its lists knows no other.
    package var pm2Name: String { self == .waiting ? Status.waitingRestart.rawValue : rawValue }
}
