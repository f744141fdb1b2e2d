import CLinux

/// The version of PM2 that the `pm2` name stands for.
enum PM2Version {
    static let text = KEEPER_PM2_VERSION
}
