// Settings from the configuration file and from the environment. The command line overrides both.

import BasicTypes
import BuildModel
import Interpreters
import LinuxSystem
import Service

/// A setting of `freshpyc.json`, `[tool.freshpyc]` or the environment.
enum SettingKey: String, CaseIterable {
    case python, optimize, invalidation, exclude, gitignore, jobs, timeout, select, ignore, strict, format, exec
    case sourceRoots = "source-roots"
    case idleTimeout = "idle-timeout"
    case stateDirectory = "state-dir"
    case logLevel = "log-level"
    case execMode = "exec-mode"
    case execOnError = "exec-on-error"
    case store

    /// The command line option with the same meaning.
    var option: String {
        switch self {
        case .optimize: "-O"
        case .sourceRoots: "--source-root"
        default: "--" + rawValue
        }
    }

    /// `FRESHPYC_IDLE_TIMEOUT`
    var variable: String {
        "FRESHPYC_" + String(rawValue.uppercased().map { $0 == "-" ? "_" : $0 })
    }

    fileprivate var isList: Bool {
        switch self {
        case .python, .optimize, .exclude, .select, .ignore, .sourceRoots: true
        default: false
        }
    }

    fileprivate var expected: String {
        switch self {
        case .select, .ignore:
            "a rule or a list of rules: \(RuleSelection.optional.map(\.rawValue).joined(separator: ", "))"
        case .python, .exclude, .sourceRoots: "a string or a list of strings"
        case .optimize: "0, 1, 2 or a list of these"
        case .invalidation: "timestamp, checked-hash or unchecked-hash"
        case .gitignore, .strict: "true or false"
        case .format: OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
        case .exec: "a command"
        case .execMode: ImpactCommand.Mode.allCases.map(\.rawValue).joined(separator: " or ")
        case .execOnError: ImpactCommand.OnError.allCases.map(\.rawValue).joined(separator: " or ")
        case .jobs: "a number from 1 to 1024"
        case .timeout, .idleTimeout: "a number of seconds above 0"
        case .stateDirectory: "a string"
        case .store: "a directory, or \(SessionArguments.noStore)"
        case .logLevel: "error, warning, info or debug"
        }
    }

    /// The words that mean the same on the command line, or `nil` if the value is not allowed for this key.
    fileprivate func words(_ value: JSONValue) -> [String]? {
        switch (self, value) {
        case (.python, .text(let text)), (.exclude, .text(let text)), (.stateDirectory, .text(let text)),
            (.store, .text(let text)),
            (.exec, .text(let text)), (.sourceRoots, .text(let text)):
            return text.isEmpty ? nil : [text]
        case (.select, .text(let text)), (.ignore, .text(let text)):
            return (try? RuleSelection(selected: [text], ignored: [])) == nil ? nil : [text]
        case (.format, .text(let text)): return OutputFormat(rawValue: text) == nil ? nil : [text]
        case (.execMode, .text(let text)): return ImpactCommand.Mode(rawValue: text) == nil ? nil : [text]
        case (.execOnError, .text(let text)): return ImpactCommand.OnError(rawValue: text) == nil ? nil : [text]
        case (.invalidation, .text(let text)): return InvalidationMode(rawValue: text) == nil ? nil : [text]
        case (.logLevel, .text(let text)): return LogLevel(rawValue: text) == nil ? nil : [text]
        case (.gitignore, .truth(let truth)), (.strict, .truth(let truth)): return truth ? [""] : []
        case (.optimize, .number(let number)): return [0.0, 1, 2].contains(number) ? [String(Int(number))] : nil
        case (.jobs, .number(let number)):
            return number >= 1 && number <= 1024 && number == number.rounded() ? [String(Int(number))] : nil
        case (.timeout, .number(let number)), (.idleTimeout, .number(let number)):
            return number > 0 && number <= 86_400 ? [String(number)] : nil
        case (_, .list(let values)) where isList:
            var words: [String] = []
            for value in values {
                if case .list = value { return nil }
                guard let word = self.words(value) else { return nil }
                words += word
            }
            return words
        default: return nil
        }
    }
}

/// All settings of a root, and where each comes from. The environment overrides the file.
struct Settings {
    struct Entry {
        let words: [String]
        /// `freshpyc.json`, `pyproject.toml`, or the variable's name.
        let origin: String
    }

    private(set) var entries: [SettingKey: Entry] = [:]
    /// The table `affects`, which has no option.
    private(set) var affects: [DeclaredDependency] = []
    /// The file that it is from.
    private(set) var affectsOrigin = ""

    /// The table `bundles`, which has no option: the words of a command line by the path of the bundle.
    private(set) var bundles: [String: [String]] = [:]

    /// The names of the files in the root that settings are read from.
    static let files = ["freshpyc.json", "pyproject.toml"]

    init(root: BytePath, mayRemember: Bool) throws(UsageError) {
        let place = root.appending("freshpyc.json")
        let file: [UInt8]?
        do throws(SystemError) {
            file = try Host.status(place)?.kind == .regular ? try Host.readFile(place) : nil
        } catch {
            throw UsageError(message: "\(place): cannot read the configuration: \(error.reason); make it readable")
        }
        let project = try ProjectFile(root: root)
        let table = project?.mentionsUs == true ? try project?.read(mayRemember: mayRemember).table : nil
        if file != nil, table != nil {
            throw UsageError(
                message:
                    "both freshpyc.json and [tool.freshpyc] in pyproject.toml configure \(root); remove one of them")
        }
        if let contents = file {
            let json: [String: JSONValue]
            do throws(JSONSyntaxError) {
                guard case .table(let table) = try JSONValueReader.read(contents) else {
                    throw JSONSyntaxError(line: 1, column: 1, message: "not an object: the settings belong in { }")
                }
                json = table
            } catch {
                throw UsageError(message: "freshpyc.json:\(error.line):\(error.column): \(error.message)")
            }
            try read(json, from: "freshpyc.json", root: root)
        } else if let table {
            try read(table, from: "pyproject.toml", root: root)
        }
        try readEnvironment()
    }

    private static let keys = (SettingKey.allCases.map(\.rawValue) + ["affects", "bundles"]).sorted().joined(
        separator: ", ")

    /// No settings at all.
    init() {}

    /// Settings from the environment alone.
    static func ofEnvironment() throws(UsageError) -> Settings {
        var settings = Settings()
        try settings.readEnvironment()
        return settings
    }

    private mutating func readEnvironment() throws(UsageError) {
        for key in SettingKey.allCases {
            guard let value = Host.environment(key.variable) else { continue }
            let text = String(decoding: value.bytes, as: UTF8.self)
            guard let words = key.words(Self.value(text, for: key)) else {
                throw UsageError(message: "\(key.variable): '\(text)' is not \(key.expected)")
            }
            entries[key] = Entry(words: words, origin: key.variable)
        }
    }

    /// The value that a variable's text means; items of lists are separated by commas.
    private static func value(_ text: String, for key: SettingKey) -> JSONValue {
        switch key {
        case .gitignore, .strict:
            ["1", "true", "yes"].contains(text)
                ? .truth(true) : ["0", "false", "no"].contains(text) ? .truth(false) : .null
        case .jobs, .timeout, .idleTimeout: Double(text).map { .number($0) } ?? .null
        case .optimize: .list(text.split(separator: ",").map { Double($0).map { .number($0) } ?? .null })
        case .python: .list(VersionSpecifier.separate(text).map { .text($0) })
        case .exclude, .select, .ignore, .sourceRoots:
            .list(text.split(separator: ",").map { .text(String($0)) })
        case .invalidation, .stateDirectory, .logLevel, .store, .format, .exec, .execMode, .execOnError: .text(text)
        }
    }

    private mutating func read(_ table: [String: JSONValue], from file: String, root: BytePath) throws(UsageError) {
        for (name, value) in table.sorted(by: { $0.key < $1.key }) where name != "$schema" {
            if name == "affects" {
                affects = try Self.affects(value, in: file)
                affectsOrigin = file
                continue
            }
            if name == "bundles" {
                bundles = try Self.bundles(value, in: file)
                continue
            }
            guard let key = SettingKey(rawValue: name) else {
                let hint = Suggestion.nearest(
                    to: name, among: SettingKey.allCases.map(\.rawValue) + ["affects", "bundles"])
                throw UsageError(
                    message: "\(file): unknown key '\(name)'"
                        + (hint.map { "; did you mean '\($0)'?" } ?? "; the keys are \(Self.keys)"))
            }
            guard var words = key.words(value) else {
                throw UsageError(message: "\(file): '\(name)' must be \(key.expected)")
            }
            // Paths in a file are relative to the directory of the file.
            if key == .stateDirectory || key == .python || key == .sourceRoots || key == .store {
                words = words.map { word in
                    let isPath =
                        key == .python ? word.contains("/") : key != .store || word != SessionArguments.noStore
                    return isPath && !word.hasPrefix("/") ? root.appending(word).normalized.description : word
                }
            }
            if key == .sourceRoots, let missing = words.first(where: { !Self.isDirectory($0) }) {
                throw UsageError(message: "\(file): '\(name)': there is no directory \(missing)")
            }
            entries[key] = Entry(words: words, origin: file)
        }
    }

    private static func affects(_ value: JSONValue, in file: String) throws(UsageError) -> [DeclaredDependency] {
        guard case .table(let table) = value else {
            throw UsageError(message: "\(file): 'affects' must be a table of patterns")
        }
        var dependencies: [DeclaredDependency] = []
        for (files, sources) in table.sorted(by: { $0.key < $1.key }) {
            guard let patterns = SettingKey.exclude.words(sources),
                let dependency = DeclaredDependency(files: files, sources: patterns)
            else {
                throw UsageError(
                    message: "\(file): affects: the value of '\(files)' must be a pattern or a list of patterns")
            }
            dependencies.append(dependency)
        }
        return dependencies
    }

    private static func bundles(_ value: JSONValue, in file: String) throws(UsageError) -> [String: [String]] {
        guard case .table(let table) = value else {
            throw UsageError(message: "\(file): 'bundles' must be a table of bundles, each with the words that make it")
        }
        var bundles: [String: [String]] = [:]
        for (name, value) in table.sorted(by: { $0.key < $1.key }) {
            switch value {
            case .text(let word): bundles[name] = [word]
            case .list(let values):
                bundles[name] = values.compactMap { if case .text(let word) = $0 { word } else { nil } }
                guard bundles[name]?.count == values.count else { fallthrough }
                if let word = bundles[name]?.first(where: {
                    ["-o", "--output", "--help"].contains($0) || $0.hasPrefix("--output=")
                }) {
                    throw UsageError(
                        message: "\(file): bundles: '\(name)' has \(word); its name says where it is written")
                }
            default:
                throw UsageError(
                    message:
                        "\(file): bundles: the value of '\(name)' must be an entry, or a list of words: [\"-m\", \"shop\"]"
                )
            }
        }
        return bundles
    }

    private static func isDirectory(_ path: String) -> Bool {
        (try? Host.status(BytePath(path)))?.kind == .directory
    }
}
