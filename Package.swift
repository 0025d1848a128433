// swift-tools-version: 6.2

import PackageDescription

// The house: arrows point at what is imported, and nothing points back up (see ARCHITECTURE.md).
// A release binary carries its own Swift runtime: it starts in half the time, and needs no toolchain
// where it runs. It has a fixed address: with 40,000 addresses in it to be relocated, each start took 4.3 ms and not 3.1.
let release = BuildSettingCondition.when(configuration: .release)
let settings: [SwiftSetting] = [.unsafeFlags(["-static-stdlib"], release)]
// Rooms with loops over every byte are optimized in debug builds, too: tests hash, scan and compress megabytes.
let loopSettings = settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
    name: "freshpyc",
    products: [
        .executable(name: "freshpyc", targets: ["freshpyc"]),
        .executable(name: "freshpyc-launcher", targets: ["freshpyc-launcher"]),
    ],
    targets: [
        .executableTarget(
            name: "freshpyc", dependencies: ["CommandLineInterface"], exclude: ["Documentation.docc"],
            swiftSettings: settings,
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-static-stdlib", "-use-ld=lld", "-Xlinker", "--gc-sections", "-Xlinker", "-z", "-Xlinker",
                        "nostart-stop-gc", "-Xclang-linker", "-no-pie",
                    ], release)
            ]),
        // The beginning of `bundle --form executable`. Without a C library it is 10 kB, and runs on any Linux.
        .executableTarget(
            name: "freshpyc-launcher",
            cSettings: [
                .unsafeFlags([
                    "-Os", "-ffreestanding", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fno-pic",
                    "-g0",
                ])
            ],
            linkerSettings: [
                .unsafeFlags([
                    "-nostartfiles", "-static-stdlib", "-use-ld=lld", "-Xclang-linker", "-nostdlib", "-Xclang-linker",
                    "-static",
                    "-Xclang-linker", "-Wno-unused-command-line-argument", "-Xlinker", "--strip-all", "-Xlinker",
                    "--build-id=none",
                ])
            ]),
        .target(
            name: "CommandLineInterface",
            dependencies: [
                "Service", "Documents", "ContinuousBuilds", "Bundling", "Waves", "Impact", "BytecodeCare", "Batches",
                "Compilation",
                "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph", "Bytecode", "BuildModel", "LinuxSystem",
                "BasicTypes",
            ], swiftSettings: settings),
        .target(
            name: "Service",
            dependencies: [
                "Documents", "ContinuousBuilds", "Waves", "Impact", "Compilation", "FileWatching", "Interpreters",
                "BuildDatabase", "ImportGraph", "Bytecode", "BuildModel", "LinuxSystem", "BasicTypes",
            ], exclude: ["PROTOCOL.md"], swiftSettings: settings),
        .target(
            name: "Documents", dependencies: ["ImportGraph", "Bytecode", "BuildModel", "BasicTypes"],
            swiftSettings: settings),
        .target(
            name: "ContinuousBuilds",
            dependencies: [
                "Waves", "Impact", "Compilation", "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph",
                "Bytecode", "BuildModel", "LinuxSystem", "BasicTypes",
            ], swiftSettings: settings),
        .target(
            name: "Bundling",
            dependencies: [
                "Archive", "Waves", "Impact", "Compilation", "FileWatching", "Interpreters", "BuildDatabase",
                "ImportGraph", "Bytecode", "BuildModel", "LinuxSystem", "BasicTypes",
            ],
            resources: [
                .embedInCode("importer.py"), .embedInCode("importer_resources.py"), .embedInCode("importer_cache.py"),
                .embedInCode("importer_files.py"), .embedInCode("bootstrap.py"), .embedInCode("script.py"),
            ],
            swiftSettings: settings),
        .target(
            name: "Waves",
            dependencies: [
                "Impact", "Compilation", "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph", "Bytecode",
                "BuildModel", "LinuxSystem", "BasicTypes",
            ], swiftSettings: settings),
        .target(
            name: "Impact",
            dependencies: [
                "Compilation", "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph", "Bytecode", "BuildModel",
                "LinuxSystem", "BasicTypes",
            ], swiftSettings: settings),
        .target(
            name: "Batches",
            dependencies: [
                "BytecodeCare", "Compilation", "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph",
                "Bytecode", "BuildModel",
                "LinuxSystem", "BasicTypes",
            ], swiftSettings: settings),
        .target(
            name: "BytecodeCare",
            dependencies: [
                "Compilation", "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph", "Bytecode",
                "BuildModel", "LinuxSystem", "BasicTypes",
            ], swiftSettings: settings),
        .target(
            name: "Compilation",
            dependencies: [
                "FileWatching", "Interpreters", "BuildDatabase", "ImportGraph", "Bytecode", "BuildModel", "LinuxSystem",
                "BasicTypes",
            ], swiftSettings: settings),
        .target(
            name: "FileWatching", dependencies: ["BuildModel", "LinuxSystem", "BasicTypes"], swiftSettings: settings),
        .target(
            name: "Interpreters", dependencies: ["Bytecode", "BuildModel", "LinuxSystem", "BasicTypes"],
            resources: [.embedInCode("worker.py"), .embedInCode("questions.py")], swiftSettings: settings),
        .target(
            name: "BuildDatabase",
            dependencies: ["ImportGraph", "Bytecode", "BuildModel", "LinuxSystem", "BasicTypes"],
            exclude: ["FORMAT.md", "STORE.md"], swiftSettings: settings),
        .target(
            name: "ImportGraph", dependencies: ["BasicTypes"], swiftSettings: loopSettings),
        .target(
            name: "Bytecode", dependencies: ["BasicTypes"], swiftSettings: loopSettings),
        .target(
            name: "Archive", dependencies: ["BasicTypes"], swiftSettings: loopSettings),
        .target(
            name: "BuildModel", dependencies: ["BasicTypes"], swiftSettings: settings),
        .target(
            name: "LinuxSystem", dependencies: ["CLinuxShims", "BasicTypes"], swiftSettings: settings),
        .target(name: "BasicTypes", swiftSettings: loopSettings),
        .target(name: "CLinuxShims"),
        .testTarget(
            name: "BuildModelTests", dependencies: ["BuildModel", "BasicTypes"]),
        .testTarget(
            name: "BytecodeTests", dependencies: ["Bytecode", "BasicTypes"]),
        .testTarget(
            name: "ImportGraphTests", dependencies: ["ImportGraph", "BasicTypes"]),
        .testTarget(
            name: "LinuxSystemTests", dependencies: ["LinuxSystem", "BuildModel", "BasicTypes"]),
        .testTarget(
            name: "BuildDatabaseTests",
            dependencies: ["BuildDatabase", "ImportGraph", "BuildModel", "LinuxSystem", "BasicTypes"]),
        .testTarget(
            name: "InterpretersTests", dependencies: ["Interpreters", "BuildModel", "LinuxSystem", "BasicTypes"]),
        .testTarget(
            name: "FileWatchingTests", dependencies: ["FileWatching", "BuildModel", "LinuxSystem", "BasicTypes"]),
        .testTarget(name: "ArchiveTests", dependencies: ["Archive"]),
        .testTarget(name: "BundlingTests", dependencies: ["Bundling", "BuildModel", "LinuxSystem", "BasicTypes"]),
        .testTarget(name: "ImpactTests", dependencies: ["Impact", "BasicTypes"]),
        .testTarget(name: "ContinuousBuildsTests", dependencies: ["ContinuousBuilds", "BasicTypes"]),
        .testTarget(
            name: "ServiceTests", dependencies: ["Service", "BasicTypes"]),
        .testTarget(
            name: "WavesTests",
            dependencies: [
                "Waves", "Impact", "Compilation", "BuildDatabase", "Interpreters", "Bytecode", "BuildModel",
                "LinuxSystem", "BasicTypes",
            ]),
        .testTarget(
            name: "CommandLineInterfaceTests",
            dependencies: ["CommandLineInterface", "BuildModel", "LinuxSystem", "BasicTypes"]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["freshpyc", "freshpyc-launcher", "BuildModel", "LinuxSystem", "BasicTypes"],
            path: "integration",
            exclude: [
                "SCENARIOS.md", "bench", "bundles", "conformance", "imports", "oracle.py", "faults", "torture",
                "wheels",
                "affected",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
