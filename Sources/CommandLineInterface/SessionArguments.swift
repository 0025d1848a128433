// Makes the configuration of a session from a command line, a configuration file and the environment.

import BasicTypes
import BuildDatabase
import BuildModel
import Interpreters
import LinuxSystem
import Waves

/// The formats of results. Each verb declares which of them it supports.
enum OutputFormat: String, CaseIterable {
    case text, json, github
}

/// The arguments that all verbs for a tree share.
struct SessionArguments {
    var configuration: SessionConfiguration
    let format: OutputFormat
    let isQuiet: Bool
    let rules: RuleSelection
    let workingDirectory: BytePath

    /// The value of `--store` that turns sharing off.
    static let noStore = "none"

    /// Set for a process in the background, which runs in `/`: the directory that its arguments are relative to.
    static let backgroundVariable = "FRESHPYC_IN_BACKGROUND_OF"

    /// From `--bundle`.
    let bundles: [BundleRecipe]
    /// From the configuration file and the environment.
    let settings: Settings
    /// The command line, completed by the settings.
    let arguments: ParsedArguments

    init(_ commandLine: ParsedArguments, for verb: VerbDeclaration) throws(UsageError) {
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
        settings = try Self.settings(commandLine, verb, root: located.root)
        var arguments = commandLine
        arguments.fill(settings, options: verb.options)
        try Self.honourRequiredPython(&arguments, root: located.root)
        self.arguments = arguments
        format = arguments.choice("--format") ?? .text
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
            invalidation: arguments.choice("--invalidation") ?? standard, isForced: arguments.has("--force"),
            isCheckOnly: verb.traits.contains(.checksOnly))
        let directory = workingDirectory
        configuration = SessionConfiguration(
            rootPath: located.root, starts: located.starts,
            scope: Scope(excludes: arguments.all("--exclude"), honoursGitignore: arguments.has("--gitignore")),
            options: options, pythons: arguments.all("--python"), workingDirectory: directory,
            jobs: try arguments.count("--jobs") ?? (verb.traits.contains(.compiles) ? Processors.available : 1),
            deadline: try arguments.seconds("--timeout") ?? 60_000_000_000,
            stateDirectory: arguments.lastPath("--state-dir").map {
                ($0.isAbsolute ? $0 : directory.appending($0)).normalized
            }, holder: "freshpyc \(verb.name)")
        if verb.traits.contains(.serves) { configuration.lifetime = .service }
        configuration.declaredDependencies = settings.affects
        configuration.configurationFiles = Settings.files
        configuration.analyzesImports = verb.traits.contains(.analyzesImports)
        configuration.storePlace = Self.storePlace(arguments, verb, directory)
        let settings = settings
        bundles = try arguments.paths(WatchVerb.bundle.name).map { (path) throws(UsageError) in
            let place = (path.isAbsolute ? path : directory.appending(path)).normalized
            return try BundleRecipe.find(place, in: settings, root: located.root)
        }
        configuration.watchesData = !bundles.isEmpty
        // What `bundle` writes is no source of the project. The same for all verbs: a daemon answers them.
        let outputs = settings.bundles.keys.sorted().compactMap {
            BundleRecipe.place($0, located.root).relative(to: located.root)?.exactText
        }
        if !outputs.isEmpty {
            configuration.scope = Scope(
                excludes: configuration.scope.excludeTexts + outputs.map { "/\($0)" },
                honoursGitignore: configuration.scope.honoursGitignore)
        }
        for path in arguments.paths("--source-root") {
            let absolute = (path.isAbsolute ? path : directory.appending(path)).normalized
            let place = (try? Host.realPath(absolute)) ?? absolute
            guard let relative = place.relative(to: located.root) else {
                throw UsageError(
                    message: "\(path) is not in \(located.root) (--source-root); name a directory of this tree")
            }
            configuration.sourceRoots.append(relative)
        }
    }

    private static func settings(
        _ commandLine: ParsedArguments, _ verb: VerbDeclaration, root: BytePath
    ) throws(UsageError) -> Settings {
        if commandLine.has(CheckVerb.untrusted.name) { return try Settings.ofEnvironment() }
        do throws(UsageError) {
            return try Settings(root: root, mayRemember: verb.traits.contains(.remembers))
        } catch {
            guard verb.traits.contains(.needsNoSettings), !commandLine.has(StatusVerb.config.name) else { throw error }
            FreshpycCommand.complain("\(error.message); the configuration is ignored")
            return Settings()
        }
    }

    /// A message where the environment makes Python look for bytecode in another place than ours.
    static func warnOfOtherPlace() {
        guard let prefix = Host.environment("PYTHONPYCACHEPREFIX"), !prefix.isEmpty else { return }
        FreshpycCommand.complain(
            "PYTHONPYCACHEPREFIX is set: Python looks for bytecode in \(prefix), but this command writes it to __pycache__"
        )
    }

    /// `--python all` means all that the project supports (`requires-python` in pyproject.toml).
    private static func honourRequiredPython(
        _ arguments: inout ParsedArguments, root: BytePath
    ) throws(UsageError) {
        let option = OptionSpecification.python.name
        guard arguments.all(option).contains(InterpreterFinder.everything), !arguments.has(CheckVerb.untrusted.name),
            let project = try ProjectFile(root: root), project.mentionsRequiredPython,
            let required = try project.read(mayRemember: false).requiredPython
        else { return }
        guard VersionSpecifier(required) != nil else {
            return FreshpycCommand.complain(
                "pyproject.toml: requires-python '\(required)' is not a version specifier; all Pythons are used")
        }
        arguments.replace(InterpreterFinder.everything, by: required, in: option)
    }

    /// The path of the store for compiled code; `nil` if the verb or the user does not use one.
    private static func storePlace(
        _ arguments: ParsedArguments, _ verb: VerbDeclaration, _ directory: BytePath
    ) -> BytePath? {
        guard verb.traits.contains(.usesStore), !arguments.has("--no-store") else { return nil }
        guard let named = arguments.lastPath("--store") else { return BytecodeStore.standardPlace }
        if named == BytePath(noStore) { return nil }
        return (named.isAbsolute ? named : directory.appending(named)).normalized
    }
}
