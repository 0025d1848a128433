// `freshpyc watch`

import BasicTypes
import Documents
import LinuxSystem
import Service
import Waves

enum WatchVerb: Verb {
    private static let background = OptionSpecification(
        "--background", "-b", help: "run as a daemon; return once everything is built, or with the error")
    private static let idleTimeout = OptionSpecification(
        "--idle-timeout", value: .seconds("SECONDS"), help: "stop after this long without a change or a request")
    private static let command = OptionSpecification(
        "--exec", value: .text("COMMAND"),
        help:
            "run COMMAND in the root whenever everything compiles: at the start, and after each wave; {changed}, {affected} and {affected-tests} are replaced by file names"
    )
    private static let commandMode = OptionSpecification(
        "--exec-mode", value: .choice("MODE", ImpactCommand.Mode.self),
        help: "if COMMAND is still running when a wave ends: restart it (default), or queue the next run")
    private static let onError = OptionSpecification(
        "--exec-on-error", value: .choice("ACTION", ImpactCommand.OnError.self),
        help: "if COMMAND is still running when a module fails: keep it running (default), or stop it")
    static let bundle = OptionSpecification(
        "--bundle", value: .path("FILE"),
        help:
            "keep this bundle up to date: build it as [tool.freshpyc.bundles] says, at the start and after each wave; may be repeated"
    )
    private static let clear = OptionSpecification(
        "--clear", help: "on a terminal, clear the screen at each wave and show all errors and warnings again")
    private static let logLevel = OptionSpecification(
        "--log-level", value: .choice("LEVEL", LogLevel.self),
        help: "error, warning, info (a line per wave; default) or debug (each module, and why)")

    static let declaration = VerbDeclaration(
        name: "watch",
        summary: "keep the bytecode of a tree up to date while it is edited",
        traits: [.compiles, .analyzesImports, .remembers, .usesStore, .serves],
        description: [
            "Builds the tree, prints 'ready', then compiles whatever changes, one wave after another. The bytecode of deleted sources is removed. Stop it with Ctrl-C or `freshpyc stop`.",
            "In the background it writes to .freshpyc/log, and `build`, `check`, `wait`, `status` and `why` ask it.",
        ],
        options: [
            background, .python, .optimize, .invalidation, .exclude, .gitignore, .jobs, .compileTimeout,
            .stateDirectory, .store, .noStore, idleTimeout, .select, .ignore, .sourceRoot, command, commandMode,
            onError, bundle, clear, logLevel,
            .format("text", "json", help: "text (default) or json (one object per wave)"),
            .quiet, .help,
        ],
        exitStatuses: [
            0: "it was stopped, or is ready in the background", 2: "it could not start, or the tree is gone",
        ],
        examples: [
            .init("freshpyc watch", "the project in the current directory"),
            .init("freshpyc watch src --python 3.12 --python 3.13", "for two interpreters"),
            .init(
                "freshpyc watch --bundle dist/shop.pyz", "build a bundle again whenever a module or data file changes"),
            .init("freshpyc watch --exec 'pytest -q {affected-tests}'", "run the tests that a save may have broken"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let arguments = try SessionArguments(invocation.arguments, for: declaration)
        let parsed = arguments.arguments
        if let given = parsed.last(command.name) { try check(command: given) }
        if parsed.last(command.name) == nil {
            for option in [commandMode.name, onError.name] where invocation.arguments.has(option) {
                throw UsageError(message: "\(option) needs --exec COMMAND")
            }
        }
        let isInBackground = Host.environment(SessionArguments.backgroundVariable) != nil
        let options = WatchDisplay.Options(
            idleTimeout: try parsed.seconds(idleTimeout.name),
            level: parsed.choice(logLevel.name) ?? (arguments.isQuiet ? .warning : .info),
            command: parsed.last(command.name), commandMode: parsed.choice(commandMode.name) ?? .restart,
            commandOnError: parsed.choice(onError.name) ?? .keep, clearsScreen: parsed.has(clear.name))
        if !isInBackground { SessionArguments.warnOfOtherPlace() }
        replaceOtherVersion(arguments)
        if invocation.arguments.has(background.name), !isInBackground { return try goToBackground(arguments) }
        return EventLoop.run { loop in
            let configuration = arguments.configuration
            let place = configuration.stateDirectory ?? configuration.rootPath.appending(".freshpyc")
            WatchDisplay(
                arguments, invocation, options, log: isInBackground ? LogFile(directory: place) : nil, loop: loop
            ).start()
        }
    }

    /// Stops a daemon of another version, so that this one can take its place.
    private static func replaceOtherVersion(_ arguments: SessionArguments) {
        guard let client = DaemonConnection.client(of: arguments),
            let status = try? client.ask(
                ControlRequest(.status), for: StatusDocument.self, timeout: DaemonConnection.patience),
            status.version != FreshpycCommand.version
        else { return }
        DaemonConnection.end(client, of: arguments.configuration)
    }

    /// A daemon that is running already is as good as a new one, if it builds the same with the same options.
    ///
    /// - Returns: the exit status; `nil` if no daemon is running.
    private static func joinRunningDaemon(_ arguments: SessionArguments) throws(UsageError) -> Int32? {
        guard DaemonConnection.exists(arguments.configuration) else { return nil }
        let options: AnswerOptions
        do throws(SessionError) {
            options = try arguments.requiredOptions(declaration)
        } catch {
            throw UsageError(message: error.message)
        }
        let parameters = ControlParameters(
            version: FreshpycCommand.version, options: options,
            starts: arguments.configuration.starts.map(\.description))
        return DaemonConnection.ask(arguments) { client throws(ControlFailure) in
            let status: StatusDocument = try client.ask(
                ControlRequest(.status), for: StatusDocument.self, timeout: DaemonConnection.patience)
            let answer: WaitDocument = try client.ask(ControlRequest(.wait, parameters), timeout: nil)
            if !arguments.isQuiet {
                Host.writeError(
                    "already running (process \(status.process)): \(Plural.count(answer.modules, "module")), \(answer.failed) failed\n"
                )
            }
            return 0
        }
    }

    private static func check(command given: String) throws(UsageError) {
        guard given.contains(where: { !$0.isWhitespace }) else {
            throw UsageError(message: "--exec needs a command, not an empty string")
        }
        // Other words in braces may be meant for the shell or for the program.
        var rest = given[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let word = String(rest[open...close])
            rest = rest[rest.index(after: open)...]
            guard !ImpactCommand.placeholders.contains(word),
                let meant = Suggestion.nearest(to: word, among: ImpactCommand.placeholders)
            else { continue }
            throw UsageError(message: "unknown placeholder \(word) in --exec; did you mean \(meant)?")
        }
    }

    /// Starts this program again as a daemon, and waits for its first line of output.
    private static func goToBackground(_ arguments: SessionArguments) throws(UsageError) -> Int32 {
        if let status = try joinRunningDaemon(arguments) { return status }
        do throws(SystemError) {
            guard let executable = Host.executable else { throw SystemError("exec", code: SystemError.noSuchFile) }
            let words = Host.arguments.filter { !background.names.contains($0.description) }
            // The child starts in `/`; relative paths are still relative to here.
            let variable = Array("\(SessionArguments.backgroundVariable)=".utf8) + arguments.workingDirectory.bytes
            let environment = Host.variables + [BytePath(variable) ?? .empty]
            let child = try ChildProcess(
                executable, arguments: words, environment: environment, sharesErrors: false, isDaemon: true)
            let text = String(decoding: try firstLine(of: child), as: UTF8.self)
            guard text.hasPrefix("ready") else {
                Host.writeError(
                    text.isEmpty
                        ? "freshpyc: the daemon did not start; see its log in \(logPlace(arguments))\n" : text)
                return 2
            }
            if !arguments.isQuiet { Host.writeError(text) }
            return 0
        } catch {
            FreshpycCommand.complain("cannot start the daemon: \(error); see its log in \(logPlace(arguments))")
            return 2
        }
    }

    private static func logPlace(_ arguments: SessionArguments) -> BytePath {
        let configuration = arguments.configuration
        return (configuration.stateDirectory ?? configuration.rootPath.appending(".freshpyc")).appending("log")
    }

    /// Everything up to the first newline, or up to the end.
    private static func firstLine(of child: ChildProcess) throws(SystemError) -> [UInt8] {
        var line: [UInt8] = []
        while !line.contains(UInt8(ascii: "\n")) {
            // There is no limit for the first build.
            try child.output.waitUntilReadable(nanoseconds: 60_000_000_000)
            var buffer = [UInt8](repeating: 0, count: 4096)
            do throws(SystemError) {
                let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in
                    try child.output.read(into: bytes)
                }
                if count == 0 { break }
                line += buffer[..<count]
            } catch  where error.wouldBlock {
                continue
            }
        }
        return line
    }
}
