// `wait`, `status`, `why` and `stop`: questions to the daemon of a tree.
// Knows: what is printed, and exit statuses. Does not know: how the daemon finds its answers.

import BasicTypes
import BuildModel
import Documents
import LinuxSystem
import Service
import Waves

enum DaemonCommand {
    private static let patience: Int64 = 10_000_000_000

    /// - Returns: the exit status.
    static func run(_ verb: Verb, _ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        let arguments = try SessionArguments(parsed, verb: verb)
        if verb == .why, parsed.operands.count != 1 {
            throw UsageError(message: "why takes one file: freshpyc why FILE")
        }
        guard parsed.operands.count <= 1 else {
            throw UsageError(message: "\(verb.rawValue) takes one path; see `freshpyc \(verb.rawValue) --help`")
        }
        let configuration = arguments.configuration
        if verb == .status, parsed.has("--config") {
            showSettings(arguments)
            return 0
        }
        let client =
            parsed.has("--no-daemon")
            ? nil : ControlClient.connect(root: configuration.rootPath, stateDirectory: configuration.stateDirectory)
        let timeout = try parsed.seconds("--timeout")
        if verb == .why { return try why(client, arguments) }
        guard let client else {
            FreshpycCommand.complain(
                "no daemon keeps \(configuration.rootPath); start one with `freshpyc watch --background`")
            return 2
        }
        let parameters = try waitParameters(arguments, parsed)
        do throws(ControlFailure) {
            switch verb {
            case .wait: return try wait(client, arguments, parameters, timeout: timeout)
            case .status: return try status(client, arguments)
            default: return try stop(client, arguments)
            }
        } catch {
            FreshpycCommand.complain(message(error))
            return 2
        }
    }

    private static func message(_ failure: ControlFailure) -> String {
        switch failure {
        case .timeout: "the daemon has not answered in time; see `freshpyc status`, or give a longer --timeout"
        case .disconnected: "the daemon went away; start it again with `freshpyc watch --background`"
        case .refused(let error): "\(error.message); `freshpyc stop` ends it"
        }
    }

    /// A `wait` is for what the command line names: the daemon must keep that path, with these options.
    private static func waitParameters(
        _ arguments: SessionArguments, _ parsed: ParsedArguments
    ) throws(UsageError) -> ControlParameters {
        do throws(SessionError) {
            let starts = parsed.operands.isEmpty ? nil : arguments.configuration.starts.map(\.description)
            return ControlParameters(
                version: FreshpycCommand.version, options: try arguments.namedOptions(parsed), starts: starts)
        } catch {
            throw UsageError(message: error.message)
        }
    }

    private static func wait(
        _ client: ControlClient, _ arguments: SessionArguments, _ parameters: ControlParameters, timeout: Int64?
    ) throws(ControlFailure) -> Int32 {
        let answer: WaitDocument = try client.ask(ControlRequest(.wait, parameters), timeout: timeout)
        if arguments.format == .json { Host.write(JSONLine.encode(answer), to: 1) }
        if answer.failed > 0, !arguments.isQuiet {
            FreshpycCommand.complain("\(answer.failed) of \(answer.modules) modules failed; see `freshpyc check`")
        }
        return answer.failed > 0 ? 1 : 0
    }

    private static func stop(_ client: ControlClient, _ arguments: SessionArguments) throws(ControlFailure) -> Int32 {
        _ = try client.ask(ControlRequest(.stop), for: Acknowledgement.self, timeout: patience)
        guard waitForEnd(arguments.configuration, nanoseconds: patience) else { throw .timeout }
        if !arguments.isQuiet { Host.write("stopped\n", to: 2) }
        return 0
    }

    /// Waits until nobody answers for a root any more.
    @discardableResult
    static func waitForEnd(_ configuration: SessionConfiguration, nanoseconds: Int64) -> Bool {
        let begun = Host.monotonic
        while Host.monotonic - begun < nanoseconds {
            let client = ControlClient.connect(
                root: configuration.rootPath, stateDirectory: configuration.stateDirectory)
            if client == nil { return true }
            Host.sleep(nanoseconds: 5_000_000)
        }
        return false
    }

    private static func status(_ client: ControlClient, _ arguments: SessionArguments) throws(ControlFailure) -> Int32 {
        let status: StatusDocument = try client.ask(ControlRequest(.status), timeout: patience)
        guard arguments.format == .text else {
            Host.write(JSONLine.encode(status), to: 1)
            return 0
        }
        var rows = [
            ("root", status.root),
            ("daemon", "process \(status.process), freshpyc \(status.version), up \(Int(status.uptime)) s"),
            ("state", "\(status.phase), wave \(status.clock), \(status.queue) waiting"),
            ("modules", "\(status.modules), \(status.failed) failed"),
            (
                "watches",
                "\(status.watches.directories) directories, \(status.watches.used) of \(status.watches.allowed) watches"
            ),
            ("events", "\(status.overflows) overflows, \(status.rescans) rescans"),
            ("workers", "\(status.workers.running) running, \(status.workers.replaced) replaced"),
            ("memory", "\(status.memory >> 20) MiB"),
        ]
        if let imports = status.imports {
            rows.append(
                (
                    "imports",
                    "\(imports.edges) edges, \(imports.findings) findings, last looked at in \(imports.lastMicroseconds) µs"
                ))
        }
        if let reason = status.pollReason, !status.polled.isEmpty {
            let first = status.polled[0].isEmpty ? "the root" : status.polled[0]
            rows.append(("polled", "\(status.polled.count) (\(first)): \(reason)"))
        }
        for interpreter in status.interpreters { rows.append(("python", "\(interpreter.name), \(interpreter.path)")) }
        rows.append(("socket", status.socket))
        Host.write(rows.map { $0.0 + String(repeating: " ", count: 10 - $0.0.count) + $0.1 + "\n" }.joined(), to: 1)
        return 0
    }

    /// What holds for this root, and from where; what is not named is as `--help` says.
    private static func showSettings(_ arguments: SessionArguments) {
        var text = "root = \(arguments.configuration.rootPath)\n"
        for key in SettingKey.allCases {
            guard let entry = arguments.settings.entries[key] else {
                text += "\(key.rawValue): default\n"
                continue
            }
            let value =
                key == .gitignore ? (entry.words.isEmpty ? "false" : "true") : entry.words.joined(separator: ", ")
            text += "\(key.rawValue) = \(value)    (\(entry.origin))\n"
        }
        Host.write(text, to: 1)
    }

    // MARK: why

    private static func why(_ client: ControlClient?, _ arguments: SessionArguments) throws(UsageError) -> Int32 {
        let file = arguments.configuration.starts[0]
        guard file.hasSuffix(".py") else { throw UsageError(message: "why takes one file: freshpyc why FILE") }
        if let client, let text = file.exactText, let options = try? arguments.requiredOptions(.why),
            let answer = try? client.ask(
                ControlRequest(
                    .why,
                    ControlParameters(version: FreshpycCommand.version, options: options, starts: [text], path: text)),
                for: WhyDocument.self)
        {
            return show(answer, arguments)
        }
        return EventLoop.run { loop in
            do throws(SessionError) {
                var configuration = arguments.configuration
                configuration.isReadOnly = true
                configuration.analyzesImports = true
                let session = try Session(configuration, loop: loop)
                session.scanImports()
                let status = show(WhyDocument(session.explanation(of: file)), arguments)
                _ = session.close()
                loop.stop(status)
            } catch {
                FreshpycCommand.complain(error.message)
                loop.stop(2)
            }
        }
    }

    private static func show(_ answer: WhyDocument, _ arguments: SessionArguments) -> Int32 {
        guard arguments.format == .text else {
            Host.write(JSONLine.encode(answer), to: 1)
            return 0
        }
        var text = "\(answer.path): \(answer.state)\n"
        for artifact in answer.artifacts {
            text += "  \(artifact.path)\n    \(artifact.interpreter), level \(artifact.level): \(artifact.state)"
            if let reason = artifact.reason { text += " (\(reason))" }
            if let mode = artifact.mode { text += ", \(mode)" }
            if artifact.isGuarded { text += ", guarded: saved within the second in which it was read" }
            if artifact.clock > 0 {
                text +=
                    "\n    built in wave \(artifact.clock), compiled in \(WaveReport.seconds(Int64(artifact.microseconds) * 1000))"
            }
            text += "\n"
        }
        for finding in answer.diagnostics {
            text += "  " + finding.located.diagnostic.rendered(path: BytePath(answer.path)) + "\n"
        }
        text += "  imports \(answer.imports.count), imported by \(answer.importedBy.count)\n"
        for kept in answer.imports {
            let kind = kept.kind == "eager" ? "" : "\(kept.kind) "
            let target = kept.to.isEmpty ? kept.state : kept.to.joined(separator: ", ")
            text += "    \(kept.line): \(kind)\(kept.statement): \(target)\n"
        }
        for importer in answer.importedBy { text += "    by \(importer)\n" }
        Host.write(text, to: 1)
        return 0
    }
}
