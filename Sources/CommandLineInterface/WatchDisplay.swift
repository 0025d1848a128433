// One run of `watch`: prints what the service reports, on the terminal or to a log, until it ends.

import BasicTypes
import BuildModel
import Documents
import LinuxSystem
import Service
import Waves

/// Shows one watch.
final class WatchDisplay {
    /// Options that only `watch` has.
    struct Options: Sendable {
        /// Nanoseconds.
        let idleTimeout: Int64?
        let level: LogLevel
        /// From `--exec`.
        let command: String?
        let commandMode: ImpactCommand.Mode
        let commandOnError: ImpactCommand.OnError
        /// Whether each wave begins on an empty screen, and shows all findings again.
        let clearsScreen: Bool
    }

    private let arguments: SessionArguments
    private let invocation: Invocation
    private let options: Options
    private let loop: EventLoop
    private let printer: DiagnosticPrinter
    private let progress: ProgressBar
    private var service: WatchService?
    /// In the background: where everything goes after the first line.
    private let log: LogFile?
    private var hasAnnounced = false
    /// Whether the tree is ours. Until then, the log may be that of another daemon.
    private var isOpen = false
    private var standing = StandingFindings()
    private var rules: RuleSelection
    /// All findings there are now, whatever the rules select.
    private var everything: [LocatedDiagnostic] = []
    /// Settings that are read only when the watch starts.
    private static let keysOfStart: [SettingKey] = [.exec, .execMode, .execOnError, .format, .idleTimeout, .logLevel]
    /// Of these, those that have changed since.
    private var changedKeys: [SettingKey] = []
    /// Files named in one line.
    private static let mostNames = 5
    /// Findings that are shown after one wave. Removing one module can break hundreds of imports.
    private static let mostFindings = 50
    /// Characters of a command that are shown: a list of files may be long.
    private static let mostOfCommand = 100

    private var clearsScreen: Bool {
        options.clearsScreen && log == nil && arguments.format == .text && Host.isTerminal(1) && Host.isTerminal(2)
    }

    private var output: StandardOutput { invocation.output }

    init(_ arguments: SessionArguments, _ invocation: Invocation, _ options: Options, log: LogFile?, loop: EventLoop) {
        self.arguments = arguments
        rules = arguments.rules
        self.invocation = invocation
        self.options = options
        self.log = log
        self.loop = loop
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath,
            // A log is read anywhere.
            workingDirectory: log == nil ? arguments.workingDirectory : arguments.configuration.rootPath)
        progress = ProgressBar(isQuiet: arguments.isQuiet || arguments.format == .json || log != nil)
    }

    func start() {
        do throws(SessionError) {
            let service = try WatchService(
                arguments.configuration, version: FreshpycCommand.version, idleTimeout: options.idleTimeout, loop: loop,
                reconfigure: { [self] () throws(SessionError) in try readConfiguration() }
            ) { [self] in show($0) }
            self.service = service
            isOpen = true
            if let command = options.command {
                service.run(
                    command, mode: options.commandMode, onError: options.commandOnError, environment: environment,
                    sharesOutput: log == nil)
            }
            for bundle in arguments.bundles { keepUpToDate(bundle, service) }
            service.start { [self] in progress.update($0, $1) }
        } catch {
            end("freshpyc: \(error.message)", status: 2)
        }
    }

    private func keepUpToDate(_ bundle: BundleRecipe, _ service: WatchService) {
        guard let executable = Host.executable else { return }
        var words = [executable.description, "bundle", "--quiet", "-o", bundle.operand]
        // What this watch was told, the bundle is built with.
        let given = invocation.arguments
        for option in [OptionSpecification.python, .store, .jobs, .compileTimeout, .sourceRoot]
        where given.has(option.name) && !bundle.words.contains(where: { option.names.contains($0) }) {
            for value in arguments.arguments.all(option.name) { words += [option.name, value] }
        }
        if given.has(OptionSpecification.noStore.name) { words.append(OptionSpecification.noStore.name) }
        service.keepUpToDate(
            bundle.output, outputs: arguments.bundles.flatMap { $0.outputs(root: arguments.configuration.rootPath) },
            included: bundle.included,
            command: words.map(ImpactCommand.quoted).joined(separator: " "), environment: environment)
    }

    /// That of a command. Unlike a daemon, it does not run in `/`: its relative paths are relative to the root.
    private var environment: [BytePath] {
        let own = Array("\(SessionArguments.backgroundVariable)=".utf8)
        return Host.variables.filter { !$0.bytes.starts(with: own) }
    }

    /// Reads the configuration files again.
    private func readConfiguration() throws(SessionError) -> SessionConfiguration {
        do throws(UsageError) {
            let current = try SessionArguments(invocation.arguments, for: WatchVerb.declaration)
            if current.rules != rules {
                rules = current.rules
                showAnew()
            }
            let changed = Self.keysOfStart.filter { key in
                !invocation.arguments.has(key.option)
                    && current.settings.entries[key]?.words != arguments.settings.entries[key]?.words
            }
            if !changed.isEmpty, changed != changedKeys {
                let list = changed.map(\.rawValue).joined(separator: ", ")
                say("freshpyc: changed: \(list); stop freshpyc and start it again to use the new values", .warning)
            }
            changedKeys = changed
            return current.configuration
        } catch {
            throw .root(error.message)
        }
    }

    private func show(_ event: WatchEvent) {
        switch event {
        case .ready(let report, let standing, let directories):
            progress.clear()
            let before = update(standing)
            show(report)
            if hasAnnounced { sayFixed(since: before, except: report.gone) }
            let modules = Plural.count(report.modules, "module")
            let imports = self.standing.all.count { $0.diagnostic.severity == .error && $0.diagnostic.rule.isOfImports }
            let wrong = imports == 0 ? "" : ", \(Plural.count(imports, "import error"))"
            let watched = Plural.count(directories, "directory", "directories")
            let line = "ready: \(modules), \(report.failed) failed\(wrong), watching \(watched)"
            say(line, .info)
            if log != nil, !hasAnnounced { output.write(line + "\n") }
            hasAnnounced = true
        case .wave(let report, let standing):
            let before = update(standing)
            show(report)
            sayFixed(since: before, except: report.gone)
            let summary = [
                report.hasChanges ? line(report) : nil, self.standing.standing(since: before),
            ].compactMap { $0 }
            if !summary.isEmpty { sayWithClock(summary.joined(separator: "; "), .info) }
        case .command(let event): show(event)
        case .bundle(let bundle, let event): show(event, of: bundle)
        case .notice(let text):
            progress.clear()
            say("freshpyc: \(text)", .warning)
        case .stopped(let ending):
            progress.clear()
            switch ending {
            case .interrupted, .asked: end(nil, status: 0)
            case .idle:
                let seconds = WaveReport.seconds(options.idleTimeout ?? 0)
                say("freshpyc: stopped after \(seconds) without changes or requests", .info)
                end(nil, status: 0)
            case .rootGone:
                end(
                    "freshpyc: \(arguments.configuration.rootPath) was removed; start freshpyc again once it exists",
                    status: 2)
            case .failed(let message): end("freshpyc: \(message)", status: 2)
            }
        }
    }

    /// - Returns: the findings of the wave before.
    private func update(_ findings: [LocatedDiagnostic]) -> StandingFindings {
        let before = standing
        everything = findings
        standing = StandingFindings(rules.filter(findings))
        return before
    }

    /// Shows what other rules select of the findings that there are.
    private func showAnew() {
        guard hasAnnounced else { return }
        let before = update(everything)
        var report = WaveReport(clock: 0)
        report.diagnostics = everything
        show(report)
        sayFixed(since: before, except: [])
        sayWithClock("other findings are selected; \(standing.standing(since: before) ?? "no errors")", .info)
    }

    /// `fixed: a.py, b.py and 3 more`
    private func sayFixed(since before: StandingFindings, except gone: [BytePath]) {
        let removed = Set(gone)
        let fixed = standing.fixed(since: before).filter { !removed.contains($0) }
        guard !fixed.isEmpty else { return }
        let names = fixed.prefix(Self.mostNames).map { printer.shown($0).description }.joined(separator: ", ")
        let more = fixed.count > Self.mostNames ? " and \(fixed.count - Self.mostNames) more" : ""
        // Who sees only errors must see that they are gone.
        sayWithClock("fixed: \(names)\(more)", .warning)
    }

    private func show(_ event: CommandEvent) {
        switch event {
        case .started(let command):
            let text = command.count > Self.mostOfCommand ? command.prefix(Self.mostOfCommand) + "…" : command[...]
            sayWithClock("running: \(text)", .info)
        case .notNeeded: sayWithClock("no test is affected, so the command was not run", .info)
        case .stopped: sayWithClock("the command was stopped", .info)
        case .ended(.status(0), let duration):
            sayWithClock("the command succeeded after \(WaveReport.seconds(duration))", .info)
        case .ended(.status(let status), let duration):
            sayWithClock(
                "the command failed with exit status \(status) after \(WaveReport.seconds(duration))", .warning)
        case .ended(.signal(let number), let duration):
            sayWithClock("the command was killed by signal \(number) after \(WaveReport.seconds(duration))", .warning)
        case .failedToStart(let error): sayWithClock("cannot run the command: \(error)", .warning)
        }
    }

    private func show(_ event: CommandEvent, of bundle: BytePath) {
        let name = printer.shown(bundle.relative(to: arguments.configuration.rootPath) ?? bundle)
        switch event {
        case .started, .notNeeded, .stopped: return
        case .ended(.status(0), let duration):
            sayWithClock("\(name) built in \(WaveReport.seconds(duration))", .info)
        case .ended:
            let hint = log == nil ? "" : "; `freshpyc bundle -o \(name)` shows why"
            sayWithClock("\(name) could not be built\(hint)", .warning)
        case .failedToStart(let error): sayWithClock("cannot build \(name): \(error)", .warning)
        }
    }

    /// With the time of day, which a log has anyway.
    private func sayWithClock(_ line: String, _ level: LogLevel) {
        say(log == nil ? "[\(Host.clockTime)] \(line)" : line, level)
    }

    private func end(_ line: String?, status: Int32) {
        if let line {
            if isOpen || log == nil { say(line, .error) }
            // The process that waits for the first line gets the reason instead.
            if log != nil, !hasAnnounced { output.write(line + "\n") }
        }
        loop.stop(status)
    }

    private func say(_ line: String, _ lineLevel: LogLevel) {
        guard lineLevel <= options.level else { return }
        if let log { return log.write(line) }
        Host.writeError(line + "\n")
    }

    private func show(_ everything: WaveReport) {
        var report = rules.filter(everything)
        if arguments.isQuiet { report.diagnostics.removeAll { $0.diagnostic.severity == .note } }
        if clearsScreen {
            // Moves to the top left corner, and clears the screen (ECMA-48).
            Host.writeError("\u{1B}[H\u{1B}[2J")
            report.diagnostics = standing.all.filter { $0.diagnostic.severity != .note }
        }
        report.diagnostics.sort { $0.isBefore($1) }
        for change in report.changes where options.level == .debug {
            let reason = change.reason.map { " (\($0.rawValue))" } ?? ""
            say("  \(printer.shown(change.path)) \(change.result.rawValue)\(reason)", .debug)
        }
        let shown = report.diagnostics.prefix(hasAnnounced ? Self.mostFindings : .max)
        let more = report.diagnostics.count - shown.count
        let rest = more == 0 ? [] : ["and \(Plural.count(more, "more finding")); `freshpyc check` lists all"]
        if log != nil {
            for line in shown.map({ printer.text($0) }) + rest { say(line, .info) }
        } else if arguments.format == .json {
            let document = ReportDocument(
                report, verb: WatchVerb.declaration.name, root: arguments.configuration.rootPath, interpreters: [],
                exitStatus: 0)
            output.write(JSONLine.encode(document))
        } else {
            output.write(lines: shown.map { printer.text($0) } + rest)
        }
        // Stop if the results can no longer be written. `FreshpycCommand` reports why.
        if log == nil, output.failure != nil { loop.later { [self] in service?.end() } }
    }

    /// `pkg/a.py compiled, pkg/b.py removed in 0.012 s`; counts if there were many modules: `12 compiled, 1 failed in 0.1 s`.
    private func line(_ report: WaveReport) -> String {
        let results: [(String, [BytePath], Int)] = [
            ("compiled", report.paths(.compiled), report.compiled),
            // Its code was in the store, so nothing was compiled.
            ("taken from the store", report.paths(.restored), report.restored),
            ("restamped", report.paths(.restamped), report.restamped), ("removed", report.gone, report.removed),
            ("failed", report.paths(.failed), report.failed),
        ]
        let namesAll = report.changes.count + report.gone.count <= Self.mostNames
        let parts = results.filter { $0.2 > 0 }.enumerated().map { index, row in
            let (result, paths, count) = row
            guard namesAll, paths.count == count else {
                return (index == 0 ? Plural.count(count, "module") : "\(count)") + " \(result)"
            }
            return paths.sorted().map { printer.shown($0).description }.joined(separator: ", ") + " \(result)"
        }
        return "\(parts.joined(separator: "; ")) in \(WaveReport.seconds(report.duration))"
    }
}
