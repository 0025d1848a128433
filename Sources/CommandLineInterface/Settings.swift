// Settings from the configuration file and from the environment. The command line wins over both.

import BasicTypes
import BuildModel
import FoundationEssentials
import LinuxSystem

/// A setting of `freshpyc.json`, `[tool.freshpyc]` or the environment.
enum SettingKey: String, CaseIterable {
    case python, optimize, invalidation, exclude, gitignore, jobs, timeout, select, ignore
    case sourceRoots = "source-roots"
    case idleTimeout = "idle-timeout"
    case stateDirectory = "state-dir"
    case logLevel = "log-level"
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
        case .python, .exclude, .select, .ignore, .sourceRoots: "a string or a list of strings"
        case .optimize: "0, 1, 2 or a list of these"
        case .invalidation: "timestamp, checked-hash or unchecked-hash"
        case .gitignore: "true or false"
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
            (.select, .text(let text)), (.ignore, .text(let text)), (.sourceRoots, .text(let text)):
            return text.isEmpty ? nil : [text]
        case (.invalidation, .text(let text)): return InvalidationMode(rawValue: text) == nil ? nil : [text]
        case (.logLevel, .text(let text)): return LogLevel(rawValue: text) == nil ? nil : [text]
        case (.gitignore, .truth(let truth)): return truth ? [""] : []
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

/// Any JSON value.
enum JSONValue: Decodable {
    case null
    case truth(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case table([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let truth = try? container.decode(Bool.self) {
            self = .truth(truth)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .table(try container.decode([String: JSONValue].self))
        }
    }
}

/// All settings of a root, and where each comes from. The environment wins over the file.
struct Settings {
    struct Entry {
        let words: [String]
        /// `freshpyc.json`, `pyproject.toml`, or the variable's name.
        let origin: String
    }

    private(set) var entries: [SettingKey: Entry] = [:]

    init(root: BytePath, mayRemember: Bool) throws(UsageError) {
        let place = root.appending("freshpyc.json")
        let file: [UInt8]?
        do throws(SystemError) {
            file = try Host.status(place)?.kind == .regular ? try Host.readFile(place) : nil
        } catch {
            throw UsageError(message: "\(place): cannot read the configuration: \(error.reason); make it readable")
        }
        let project = ProjectFile(root: root)
        if file != nil, project != nil {
            throw UsageError(
                message:
                    "both freshpyc.json and [tool.freshpyc] in pyproject.toml configure \(root); remove one of them")
        }
        if let contents = file {
            guard case .table(let table)? = try? JSONDecoder().decode(JSONValue.self, from: Data(contents)) else {
                throw UsageError(message: "freshpyc.json: not a JSON object; see config/freshpyc.schema.json")
            }
            try read(table, from: "freshpyc.json", root: root)
        } else if let project {
            try read(try project.table(mayRemember: mayRemember), from: "pyproject.toml", root: root)
        }
        try readEnvironment()
    }

    /// No settings at all.
    init() {}

    /// Without any file.
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
        case .gitignore:
            ["1", "true", "yes"].contains(text)
                ? .truth(true) : ["0", "false", "no"].contains(text) ? .truth(false) : .null
        case .jobs, .timeout, .idleTimeout: Double(text).map { .number($0) } ?? .null
        case .optimize: .list(text.split(separator: ",").map { Double($0).map { .number($0) } ?? .null })
        case .python, .exclude, .select, .ignore, .sourceRoots:
            .list(text.split(separator: ",").map { .text(String($0)) })
        case .invalidation, .stateDirectory, .logLevel, .store: .text(text)
        }
    }

    private mutating func read(_ table: [String: JSONValue], from file: String, root: BytePath) throws(UsageError) {
        for (name, value) in table.sorted(by: { $0.key < $1.key }) where name != "$schema" {
            guard let key = SettingKey(rawValue: name) else {
                let hint = Suggestion.nearest(to: name, among: SettingKey.allCases.map(\.rawValue))
                throw UsageError(
                    message: "\(file): unknown key '\(name)'"
                        + (hint.map { "; did you mean '\($0)'?" } ?? "; see config/freshpyc.schema.json"))
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
            entries[key] = Entry(words: words, origin: file)
        }
    }
}
