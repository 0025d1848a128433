// swift-tools-version: 6.2

import PackageDescription

// The house: arrows point at what is imported, and nothing points back up (see ARCHITECTURE.md).
// A release binary carries its own Swift runtime: it starts in half the time, and needs no toolchain
// where it runs. It has a fixed address: with 40,000 addresses in it to be relocated, each start took 4.3 ms and not 3.1.
let release = BuildSettingCondition.when(configuration: .release)
let settings: [SwiftSetting] = [.unsafeFlags(["-static-stdlib"], release)]

let package = Package(
    name: "freshpyc",
    products: [.executable(name: "freshpyc", targets: ["freshpyc"])],
    targets: [
        .executableTarget(
            name: "freshpyc", dependencies: ["CommandLineInterface"], swiftSettings: settings,
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-static-stdlib", "-use-ld=lld", "-Xlinker", "--gc-sections", "-Xlinker", "-z", "-Xlinker",
                        "nostart-stop-gc", "-Xclang-linker", "-no-pie",
                    ], release)
            ]),
        .target(
            name: "CommandLineInterface",
            dependencies: [
                "Service", "BuildEngine", "Interpreters", "BuildDatabase", "ImportGraph", "Bytecode", "BuildModel",
                "LinuxSystem",
            ],
            exclude: ["OUTPUT.md", "COMPILEALL.md"], swiftSettings: settings),
        .target(
            name: "Service",
            dependencies: [
                "BuildEngine", "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph", "Bytecode", "BuildModel",
                "LinuxSystem",
            ],
            exclude: ["PROTOCOL.md"],
            swiftSettings: settings),
        .target(
            name: "BuildEngine",
            dependencies: [
                "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph", "Bytecode", "BuildModel", "LinuxSystem",
            ], swiftSettings: settings),
        .target(name: "FileWatching", dependencies: ["BuildModel", "LinuxSystem"], swiftSettings: settings),
        .target(
            name: "Interpreters", dependencies: ["Bytecode", "BuildModel", "LinuxSystem"],
            resources: [.embedInCode("worker.py"), .embedInCode("questions.py")], swiftSettings: settings),
        .target(
            name: "BuildDatabase", dependencies: ["ImportGraph", "Bytecode", "BuildModel", "LinuxSystem"],
            exclude: ["FORMAT.md", "STORE.md"], swiftSettings: settings),
        .target(name: "ImportGraph", swiftSettings: settings),
        .target(name: "Bytecode", swiftSettings: settings),
        .target(name: "BuildModel", swiftSettings: settings),
        .target(name: "LinuxSystem", dependencies: ["CLinuxShims", "BuildModel"], swiftSettings: settings),
        .target(name: "CLinuxShims"),
        .testTarget(name: "BuildModelTests", dependencies: ["BuildModel"]),
        .testTarget(name: "BytecodeTests", dependencies: ["Bytecode"]),
        .testTarget(name: "ImportGraphTests", dependencies: ["ImportGraph"]),
        .testTarget(name: "LinuxSystemTests", dependencies: ["LinuxSystem", "BuildModel"]),
        .testTarget(
            name: "BuildDatabaseTests", dependencies: ["BuildDatabase", "ImportGraph", "BuildModel", "LinuxSystem"]),
        .testTarget(name: "InterpretersTests", dependencies: ["Interpreters", "BuildModel", "LinuxSystem"]),
        .testTarget(name: "FileWatchingTests", dependencies: ["FileWatching", "BuildModel", "LinuxSystem"]),
        .testTarget(
            name: "BuildEngineTests",
            dependencies: ["BuildEngine", "BuildDatabase", "Interpreters", "Bytecode", "BuildModel", "LinuxSystem"]),
        .testTarget(
            name: "CommandLineInterfaceTests", dependencies: ["CommandLineInterface", "BuildModel", "LinuxSystem"]),
        .testTarget(
            name: "IntegrationTests", dependencies: ["freshpyc", "BuildModel", "LinuxSystem"], path: "integration",
            exclude: ["bench", "conformance", "imports", "oracle.py", "torture"]),
    ],
    swiftLanguageModes: [.v6]
)
