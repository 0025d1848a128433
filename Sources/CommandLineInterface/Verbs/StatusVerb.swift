// `freshpyc status`

import BasicTypes
import BuildDatabase
import BuildModel
import Documents
import LinuxSystem
import Service
import Waves

enum StatusVerb: Verb {
    static let config = OptionSpecification(
        "--config", help: "print the settings that apply here and where each comes from")

    static let declaration = VerbDeclaration(
        name: "status",
        summary: "show what the daemon of a tree is doing",
        arguments: "[OPTIONS] [PATH]",
        traits: [.remembers, .needsNoSettings],
        description: [],
        options: [config, .stateDirectory, .textOrJSON, .help],
        exitStatuses: [
            0: "a daemon is running",
            2: "no daemon is running",
        ],
        examples: [
            .init("freshpyc status", "the daemon of the current directory"),
            .init("freshpyc status --config", "the settings; needs no daemon"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        try invocation.arguments.requireOperands(atMost: 1, for: declaration)
        let arguments = try SessionArguments(invocation.arguments, for: declaration)
        if invocation.arguments.has(config.name) {
            invocation.output.write(settings(arguments))
            return 0
        }
        return DaemonConnection.ask(arguments) { client throws(ControlFailure) in
            let status: StatusDocument = try client.ask(ControlRequest(.status), timeout: DaemonConnection.patience)
            invocation.output.write(arguments.format == .json ? JSONLine.encode(status) : text(status))
            return 0
        }
    }

    private static func text(_ status: StatusDocument) -> String {
        var rows = [
            ("root", status.root),
            ("daemon", "process \(status.process), freshpyc \(status.version), up \(elapsed(status.uptime))"),
        ]
        if let problem = status.problem {
            rows += [("state", "\(status.phase): \(problem)"), ("socket", status.socket)]
            return lines(rows)
        }
        rows += [
            ("state", state(status)),
            ("modules", "\(status.modules), \(status.failed) failed"),
        ]
        if let watched = status.watched, watched != [""] {
            rows.append(("watching", watched.joined(separator: ", ")))
        }
        if let found = status.findings {
            let counts = [(found.errors, "error"), (found.warnings, "warning"), (found.notes, "note")]
            rows.append(("findings", counts.map { Plural.count($0.0, $0.1) }.joined(separator: ", ")))
        }
        rows += [
            (
                "watches",
                "\(Plural.count(status.watches.directories, "directory", "directories")), \(status.watches.used) of \(status.watches.allowed) watches used"
            ),
            (
                "events",
                "\(Plural.count(status.overflows, "overflow")), \(Plural.count(status.rescans, "rescan"))"
            ),
            ("workers", "\(status.workers.running) running, \(status.workers.replaced) replaced"),
            ("memory", "\(status.memory >> 20) MiB"),
        ]
        if let imports = status.imports {
            rows.append(
                (
                    "imports",
                    Plural.count(imports.edges, "import") + " inside the tree"
                ))
        }
        if let reason = status.pollReason, !status.polled.isEmpty {
            let first = status.polled[0].isEmpty ? "the root" : status.polled[0]
            rows.append(("polled", "\(status.polled.count) (\(first)): \(reason)"))
        }
        for interpreter in status.interpreters { rows.append(("python", "\(interpreter.name), \(interpreter.path)")) }
        rows.append(("socket", status.socket))
        return lines(rows)
    }

    /// `idle, last checked 12 s ago`
    private static func state(_ status: StatusDocument) -> String {
        var text = status.phase
        if status.queue > 0 { text += ", \(Plural.count(status.queue, "change")) waiting" }
        if let age = status.sinceLastCheck { text += ", last checked \(elapsed(age)) ago" }
        return text
    }

    /// `12 s`, `3 min`, `2 h 5 min`, `4 days`
    private static func elapsed(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e12)))
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min"
        case ..<86_400: return "\(whole / 3600) h \(whole / 60 % 60) min"
        default: return Plural.count(whole / 86_400, "day")
        }
    }

    private static func lines(_ rows: [(label: String, value: String)]) -> String {
        rows.map { $0.label + String(repeating: " ", count: 10 - $0.label.count) + $0.value + "\n" }.joined()
    }

    /// Every setting with its value, and where that comes from.
    private static func settings(_ arguments: SessionArguments) -> String {
        let rows = SettingKey.allCases.map { key in
            [key.rawValue, value(of: key, arguments), arguments.settings.entries[key]?.origin ?? "default"]
        }
        let affects = arguments.settings.affects.map { ["affects", $0.text, arguments.settings.affectsOrigin] }
        return TextTable.text(
            [["SETTING", "VALUE", "FROM"], ["root", arguments.configuration.rootPath.description, "location"]]
                + rows.sorted { $0[0] < $1[0] } + affects)
    }

    /// The value that applies, for a verb that has the setting.
    private static func value(of key: SettingKey, _ arguments: SessionArguments) -> String {
        let configuration = arguments.configuration
        let words = arguments.settings.entries[key]?.words
        func given(_ standard: String) -> String { words?.joined(separator: ", ") ?? standard }
        switch key {
        case .python:
            let found = (try? Session.candidates(configuration).map(\.path.description)) ?? []
            return words == nil ? found.first ?? "none found" : given("")
        case .gitignore, .strict: return words.map { $0.isEmpty ? "false" : "true" } ?? "false"
        case .optimize: return given("0")
        case .invalidation: return given(configuration.options.invalidation.rawValue)
        case .jobs: return given("\(Processors.available)")
        case .timeout: return given("60")
        case .idleTimeout, .exclude, .ignore, .exec: return given("none")
        case .select: return given("all rules")
        case .sourceRoots: return given("detected")
        case .stateDirectory: return given(configuration.rootPath.appending(".freshpyc").description)
        case .store: return given(BytecodeStore.standardPlace?.description ?? SessionArguments.noStore)
        case .logLevel: return given(LogLevel.info.rawValue)
        case .format: return given(OutputFormat.text.rawValue)
        case .execMode: return given(ImpactCommand.Mode.restart.rawValue)
        case .execOnError: return given(ImpactCommand.OnError.keep.rawValue)
        }
    }
}
