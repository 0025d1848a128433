// The command line of CPython's compileall (Lib/compileall.py of 3.13).

import BasicTypes
import BuildModel

/// The arguments of compileall.
struct CompileAllArguments {
    /// In the order of compileall's help.
    enum Option: String, ArgparseOption {
        case help = "-h"
        case noRecursion = "-l"
        case recursion = "-r"
        case force = "-f"
        case quiet = "-q"
        case legacy = "-b"
        case destination = "-d"
        case strip = "-s"
        case prepend = "-p"
        case expression = "-x"
        case list = "-i"
        case workers = "-j"
        case invalidation = "--invalidation-mode"
        case level = "-o"
        case linkLimit = "-e"
        case linksDuplicates = "--hardlink-dupes"

        var names: [String] {
            switch self {
            case .help: [rawValue, "--help"]
            case .workers: [rawValue, "--workers"]
            default: [rawValue]
            }
        }

        var takesValue: Bool {
            switch self {
            case .help, .noRecursion, .force, .quiet, .legacy, .linksDuplicates: false
            default: true
            }
        }
    }

    /// `-r`, else 0 for `-l`; `nil` for all levels.
    var maximumLevels: Int?
    var isForced = false
    /// The number of times that `-q` was given.
    var quiet = 0
    var isLegacy = false
    var destination: BytePath?
    var strip: BytePath?
    var prepend: BytePath?
    var expression: BytePath?
    var list: BytePath?
    /// As given: 0 means one worker per processor. A negative number is an error, which is reported at the first directory.
    var workers: Int?
    var invalidation: InvalidationMode?
    /// Ascending, without duplicates; -1 means the interpreter's own level. They may include invalid levels.
    var levels: [Int] = [-1]
    var linkLimit: BytePath?
    var linksDuplicates = false
    var operands: [BytePath] = []

    private init() {}

    /// - Returns: `nil` if help was requested.
    static func read(_ words: [Argument]) throws(UsageError) -> CompileAllArguments? {
        var arguments = CompileAllArguments()
        var levels: [Int] = []
        var recursion: Int?
        let operands = try ArgparseReader<Option>.read(words) { option, value throws(UsageError) in
            switch option {
            case .help: return false
            case .noRecursion: arguments.maximumLevels = 0
            case .recursion: recursion = try integer(value, option)
            case .force: arguments.isForced = true
            case .quiet: arguments.quiet += 1
            case .legacy: arguments.isLegacy = true
            case .destination: arguments.destination = value
            case .strip: arguments.strip = value
            case .prepend: arguments.prepend = value
            case .expression: arguments.expression = value
            case .list: arguments.list = value
            case .workers: arguments.workers = try integer(value, option)
            case .invalidation: arguments.invalidation = try mode(value, option)
            case .level: levels.append(try integer(value, option))
            case .linkLimit: arguments.linkLimit = value
            case .linksDuplicates: arguments.linksDuplicates = true
            }
            return true
        }
        guard let operands else { return nil }
        arguments.operands = operands
        if let recursion { arguments.maximumLevels = recursion }
        if levels.count <= 1, arguments.linksDuplicates {
            throw UsageError(
                message: "Hardlinking of duplicated bytecode makes sense only for more than one optimization level.")
        }
        if arguments.destination != nil, arguments.strip != nil || arguments.prepend != nil {
            throw UsageError(message: "-d cannot be used in combination with -s or -p")
        }
        if !levels.isEmpty { arguments.levels = Set(levels).sorted() }
        if arguments.linkLimit?.isEmpty == true { arguments.linkLimit = nil }
        return arguments
    }

    /// The arguments that apply if no path is given: compileall passes only these to `compile_path`.
    var ofSearchPath: CompileAllArguments {
        var arguments = CompileAllArguments()
        arguments.isForced = isForced
        arguments.quiet = quiet
        arguments.isLegacy = isLegacy
        arguments.invalidation = invalidation
        return arguments
    }

    private static func integer(_ value: BytePath?, _ option: Option) throws(UsageError) -> Int {
        guard let number = PythonText.integer((value ?? .empty).description) else {
            throw UsageError(message: "\(option.label): invalid int value: \(PythonText.repr(value ?? .empty))")
        }
        return number
    }

    private static func mode(_ value: BytePath?, _ option: Option) throws(UsageError) -> InvalidationMode {
        if let mode = InvalidationMode(rawValue: (value ?? .empty).description) { return mode }
        let choices = InvalidationMode.allCases.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        throw UsageError(
            message: "\(option.label): invalid choice: \(PythonText.repr(value ?? .empty)) (choose from \(choices))")
    }
}
