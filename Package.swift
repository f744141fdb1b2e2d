// swift-tools-version: 6.2
import PackageDescription

// Every target of ours: Swift 6 mode, upcoming features on, a warning is an error.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let cSettings: [CSetting] = [
    .define("_GNU_SOURCE"),
    .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]),
]

// The keeper is Embedded Swift: no runtime, no metadata, no heap growth.
// `-no-static-stdlib` keeps it linkable when the other products are linked with `--static-swift-stdlib`.
let keeperSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(["-wmo", "-no-static-stdlib", "-parse-as-library"]),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

/// The fixture of the end-to-end tests: an ordinary target, so that several test targets can share it.
func testLibrary(_ name: String, _ dependencies: [Target.Dependency], path: String) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

let package = Package(
    name: "Hearth",
    products: [
        .executable(name: "hearth", targets: ["hearth"]),
        .executable(name: "hearthd", targets: ["hearthd"]),
        .executable(name: "hearth-keeper", targets: ["hearth-keeper"]),
        .executable(name: "hearth-companion", targets: ["hearth-companion"]),
        .executable(name: "hearth-serve", targets: ["hearth-serve"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        // The companion's alone: the command line and the daemon stay small.
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
        // Only for hearth-serve: command line, daemon and keeper stay without it.
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    ],
    targets: [
        // What Swift cannot see or must not run: system calls without wrappers, code between clone and exec.
        .target(name: "CLinux", cSettings: cSettings),

        // Values, no I/O, no Foundation.
        library("Model"),
        // The pure core: state machines, restart policy.
        library("Supervision", ["Model"]),
        // Node's protocol between processes, without Node: texts to messages and back. No I/O, no Foundation.
        library("NodeBridge"),
        // Linux: descriptors, event loop, spawn, process table, sockets.
        library("Platform", ["CLinux", "Model"]),
        // What is on disk: homes, desired state, instance table, snapshots.
        library("Records", ["CLinux", "Model", "Platform"]),
        // The control socket: Varlink wire types, framing, client, interface text.
        library("Control", ["CLinux", "Model", "Platform"]),
        // Application files and command lines to AppSpec.
        library("Configuration", ["CLinux", "Model", "Supervision", "Platform"]),
        // Text from outside on its way to a terminal.
        library("DisplayText"),
        // PM2's formats: its records, its dump, its tables, its configuration store.
        library("PM2Format", ["DisplayText", "Model", "Platform", "Records", "Control", "Configuration"]),
        library(
            "Daemon",
            [
                "CLinux", "Model", "NodeBridge", "Supervision", "Platform", "Records", "Control", "Configuration",
                "PM2Format",
            ]),
        library(
            "CommandLine",
            [
                "CLinux", "DisplayText", "Model", "Platform", "Records", "Control", "Configuration", "PM2Format",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .executableTarget(name: "hearth", dependencies: ["CommandLine"], swiftSettings: settings),
        .executableTarget(name: "hearthd", dependencies: ["Daemon"], swiftSettings: settings),
        .executableTarget(
            name: "hearth-keeper", dependencies: ["CLinux"], path: "Sources/Keeper", swiftSettings: keeperSettings,
            linkerSettings: [.unsafeFlags(["-no-static-stdlib"])]),

        .executableTarget(
            name: "hearth-companion",
            dependencies: [
                "Configuration", .product(name: "Yams", package: "Yams"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ], path: "Sources/Companion", swiftSettings: settings),
        // The web server of `serve`: static files over HTTP.
        library(
            "StaticSite",
            [
                "CLinux",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "hearth-serve", dependencies: ["StaticSite"], path: "Sources/Serve", swiftSettings: settings),

        tests("ModelTests", ["Model"]),
        tests("NodeBridgeTests", ["NodeBridge"]),
        tests("SupervisionTests", ["Model", "Supervision"]),
        // Drives the built hearth-companion, and node where there is one.
        tests("ConfigurationTests", ["Configuration", "Model"]),
        tests("ControlTests", ["TestSupport", "CLinux", "Control", "Model"]),
        tests(
            "CommandLineTests",
            [
                "TestSupport", "CLinux", "CommandLine", "DisplayText", "Configuration", "Control", "Model", "Platform",
                "Records",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests("PM2Tests", ["TestSupport", "PM2Format", "Configuration", "Control", "Model", "Platform", "Records"]),
        tests("SpawnTests", ["CLinux"]),
        // Drives the built hearth-keeper.
        tests("KeeperTests", ["CLinux"]),
        tests("InspectionTests", ["Platform", "Model", "CLinux"]),
        testLibrary("TestSupport", ["CLinux", "Control", "Model", "Platform", "Records"], path: "Tests/Support"),
        tests("StaticSiteTests", ["StaticSite"]),
        // Drives the built binaries.
        tests("EndToEnd", ["TestSupport", "CLinux", "Control", "Model", "Platform", "Records"]),
        // Drives the built binaries under the name `pm2`.
        tests("Compatibility", ["TestSupport", "CLinux", "Control", "Model", "Platform", "PM2Format", "Records"]),
        // Runs the commands of the documents with the built binaries.
        tests("DocumentationTests", ["TestSupport"]),
    ]
)
