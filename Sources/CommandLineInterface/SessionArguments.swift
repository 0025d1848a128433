// From a command line to what a session is asked to do.
// Knows: options of the verbs that build. Does not know: how it is done.

import BasicTypes
import BuildDatabase
import BuildModel
import LinuxSystem
import Waves

/// How results are written.
enum OutputFormat: String, CaseIterable {
    case text, json, github
}

/// The parts of a command line that all building verbs share.
struct SessionArguments {
    var configuration: SessionConfiguration
    let format: OutputFormat
    let isQuiet: Bool
    let rules: RuleSelection
    let workingDirectory: BytePath

    /// What stands in the place of a directory where no store is wanted.
    static let noStore = "none"

    /// Set in the environment of a process that was sent to the background, which runs in `/`: the directory that its
    /// arguments are relative to.
    static let backgroundVariable = "FRESHPYC_IN_BACKGROUND_OF"

    /// What the configuration file and the environment say, used or not.
    let settings: Settings
    /// With the settings filled in.
    let arguments: ParsedArguments

    init(_ commandLine: ParsedArguments, verb: Verb) throws(UsageError) {
        do throws(SystemError) {
            if let given = Host.environment(Self.backgroundVariable) {
                workingDirectory = given
            } else {
                workingDirectory = try Host.workingDirectory()
            }
        } catch {
            throw UsageError(message: "the current directory is gone: \(error.reason); change to one that exists")
        }
        let located = try RootLocator.locate(commandLine.operands, workingDirectory: workingDirectory)
        settings = try Settings(
            root: located.root, mayRemember: verb != .check && verb != .precompile && !verb.isAboutBytecode)
        var arguments = commandLine
        arguments.fill(settings, options: verb.options)
        self.arguments = arguments
        // Graphs have formats of their own.
        format = verb.isAboutGraph ? .text : try arguments.choice("--format") ?? .text
        if format == .github, verb != .check {
            throw UsageError(message: "--format github is for check; use text or json")
        }
        isQuiet = arguments.has("--quiet")
        rules = try RuleSelection(selected: arguments.all("--select"), ignored: arguments.all("--ignore"))
        var levels: Set<OptimizationLevel> = []
        for word in arguments.all("-O") {
            guard let number = UInt8(word), let level = OptimizationLevel(rawValue: number) else {
                throw UsageError(message: "'\(word)' is not an optimization level; use 0, 1 or 2 (-O)")
            }
            levels.insert(level)
        }
        let standard: InvalidationMode = Host.environment("SOURCE_DATE_EPOCH") == nil ? .timestamp : .checkedHash
        let options = BuildOptions(
            levels: levels.isEmpty ? [.none] : levels.sorted(),
            invalidation: try arguments.choice("--invalidation") ?? standard, isForced: arguments.has("--force"),
            isCheckOnly: verb == .check)
        let directory = workingDirectory
        configuration = SessionConfiguration(
            rootPath: located.root, starts: located.starts,
            scope: Scope(excludes: arguments.all("--exclude"), honoursGitignore: arguments.has("--gitignore")),
            options: options, pythons: arguments.all("--python"), workingDirectory: directory,
            jobs: try arguments.count("--jobs") ?? (verb.builds ? Processors.available : 1),
            deadline: try arguments.seconds("--timeout") ?? 60_000_000_000,
            stateDirectory: arguments.lastPath("--state-dir").map {
                ($0.isAbsolute ? $0 : directory.appending($0)).normalized
            }, holder: "freshpyc \(verb.rawValue)")
        if verb == .watch { configuration.lifetime = .service }
        configuration.analyzesImports = verb.analyzesImports
        configuration.storePlace = Self.storePlace(arguments, verb, directory)
        for path in arguments.paths("--source-root") {
            let absolute = (path.isAbsolute ? path : directory.appending(path)).normalized
            let place = (try? Host.realPath(absolute)) ?? absolute
            guard let relative = place.relative(to: located.root) else {
                throw UsageError(
                    message: "\(path) is not in \(located.root) (--source-root); name a folder of the tree")
            }
            configuration.sourceRoots.append(relative)
        }
    }

    /// Where compiled code is shared. A check writes nothing, and the drop-ins write what Python's modules write.
    private static func storePlace(_ arguments: ParsedArguments, _ verb: Verb, _ directory: BytePath) -> BytePath? {
        guard verb == .build || verb == .watch || verb == .precompile, !arguments.has("--no-store") else { return nil }
        guard let named = arguments.lastPath("--store") else { return BytecodeStore.standardPlace }
        if named == BytePath(noStore) { return nil }
        return (named.isAbsolute ? named : directory.appending(named)).normalized
    }
}
