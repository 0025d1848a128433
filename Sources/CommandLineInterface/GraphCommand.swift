// `graph`, `affected` and `cycles`: questions about imports.
// Knows: whom to ask, and what is printed. Does not know: how imports are found or resolved.

import BasicTypes
import Documents
import ImportGraph
import LinuxSystem
import Service
import Waves

/// One question, to a daemon or to a session of its own.
struct GraphCommand {
    private let verb: Verb
    private let arguments: SessionArguments
    private let parsed: ParsedArguments
    private let parameters: ControlParameters
    private let kinds: Set<ImportKind>
    private let printer: DiagnosticPrinter

    /// - Returns: the exit status.
    static func run(_ verb: Verb, _ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        // Files that are gone are fine for `affected`, and the root is found without them.
        let operands = verb == .cycles ? parsed : parsed.withoutOperands
        let arguments = try SessionArguments(operands, verb: verb)
        return try GraphCommand(verb, arguments, parsed).run()
    }

    private init(_ verb: Verb, _ arguments: SessionArguments, _ parsed: ParsedArguments) throws(UsageError) {
        self.verb = verb
        self.arguments = arguments
        self.parsed = parsed
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
        var kinds: Set<ImportKind> = []
        for word in parsed.all("--kinds").flatMap({ $0.split(separator: ",") }).map(String.init) {
            guard let kind = ImportKind(rawValue: word) else {
                let known = ImportKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError(message: "'\(word)' is not a kind of import; there are \(known) (--kinds)")
            }
            kinds.insert(kind)
        }
        self.kinds = kinds.isEmpty ? Set(ImportKind.allCases) : kinds
        // The daemon must keep the whole tree, and with these options. Without interpreters nobody can answer, and working
        // alone says why.
        var parameters = ControlParameters(
            version: FreshpycCommand.version, options: try? arguments.requiredOptions(verb), starts: [""])
        parameters.paths = try Self.paths(verb, arguments, parsed).map { path throws(UsageError) in
            guard let text = path.exactText else {
                throw UsageError(message: "'\(path)' is not UTF-8, and cannot be asked about")
            }
            return text
        }
        if let word = parsed.last("--direction") {
            guard GraphSelection.Direction(rawValue: word) != nil else {
                throw UsageError(message: "'\(word)' is not one of dependencies, dependents (--direction)")
            }
            parameters.direction = word
        }
        parameters.depth = try parsed.count("--depth")
        parameters.kinds = self.kinds.map(\.rawValue).sorted()
        parameters.tests = parsed.has("--tests")
        self.parameters = parameters
    }

    private func run() throws(UsageError) -> Int32 {
        let format = try parsed.choice("--format", GraphFormat.self) ?? .text
        guard verb == .graph || format == .text || format == .json else {
            throw UsageError(message: "--format \(format.rawValue) is for graph; use text or json")
        }
        if verb == .affected, parameters.paths?.isEmpty ?? true {
            // Nothing has changed, and so nothing is affected.
            return show(AffectedDocument(changed: [], AffectedAnswer()), format)
        }
        let configuration = arguments.configuration
        let client =
            parsed.has("--no-daemon")
            ? nil : ControlClient.connect(root: configuration.rootPath, stateDirectory: configuration.stateDirectory)
        if let client, parameters.options != nil, let status = answer(of: client, format) { return status }
        return alone(isDaemonThere: client != nil, format)
    }

    // MARK: Whom to ask

    /// - Returns: `nil` where the daemon cannot answer this.
    private func answer(of client: ControlClient, _ format: GraphFormat) -> Int32? {
        do throws(ControlFailure) {
            switch verb {
            case .graph:
                return show(try client.ask(ControlRequest(.graph, parameters), for: GraphDocument.self), format)
            case .affected:
                return show(try client.ask(ControlRequest(.affected, parameters), for: AffectedDocument.self), format)
            default:
                return show(try client.ask(ControlRequest(.cycles, parameters), for: CyclesDocument.self), format)
            }
        } catch {
            return nil
        }
    }

    private func alone(isDaemonThere: Bool, _ format: GraphFormat) -> Int32 {
        var configuration = arguments.configuration
        configuration.options.isCheckOnly = true
        configuration.starts = [.empty]
        let place = configuration.stateDirectory ?? configuration.rootPath.appending(".freshpyc")
        // A tree in which nobody uses freshpyc is left as it is.
        configuration.writesGraph = !isDaemonThere && (try? Host.status(place)) ?? nil != nil
        let settled = configuration
        return EventLoop.run { loop in
            do throws(SessionError) {
                let session = try Session(settled, loop: loop)
                session.scanImports()
                let status: Int32 =
                    switch verb {
                    case .graph: show(ControlAnswers.graph(session, parameters), format)
                    case .affected: show(ControlAnswers.affected(session, parameters), format)
                    default: show(ControlAnswers.cycles(session), format)
                    }
                _ = session.close()
                loop.stop(status)
            } catch {
                FreshpycCommand.complain(error.message)
                loop.stop(2)
            }
        }
    }

    // MARK: What is asked about

    /// Relative to the root; they need not exist.
    private static func paths(
        _ verb: Verb, _ arguments: SessionArguments, _ parsed: ParsedArguments
    ) throws(UsageError) -> [BytePath] {
        let root = arguments.configuration.rootPath
        func relative(_ given: BytePath) throws(UsageError) -> BytePath {
            let absolute = (given.isAbsolute ? given : arguments.workingDirectory.appending(given)).normalized
            let folder = (try? Host.realPath(absolute.parent)) ?? absolute.parent
            guard let path = folder.appending(absolute.lastComponent).relative(to: root) ?? absolute.relative(to: root)
            else { throw UsageError(message: "'\(given)' does not lie in \(root); name a file of this tree") }
            return path
        }
        switch verb {
        case .graph:
            return try parsed.paths("--from").map(relative)
        case .affected:
            if let revision = parsed.last("--since") {
                guard parsed.operands.isEmpty else { throw UsageError(message: "name files or --since REV, not both") }
                return try ChangedFiles.since(revision, root: root)
            }
            guard !parsed.operands.isEmpty else {
                throw UsageError(message: "affected needs files, `-` for a list on standard input, or --since REV")
            }
            let named = parsed.operands == [BytePath("-")] ? ChangedFiles.listed() : parsed.operands
            return try named.map(relative)
        default: return []
        }
    }

    // MARK: What is printed

    private func shown(_ path: String) -> String {
        // Seen from the root itself, a path is as it is.
        printer.root == printer.workingDirectory ? path : printer.shown(BytePath(path)).description
    }

    private func show(_ document: GraphDocument, _ format: GraphFormat) -> Int32 {
        if document.modules.isEmpty {
            FreshpycCommand.complain(
                parameters.paths?.isEmpty ?? true
                    ? "nothing in scope: no .py file that is not excluded; name another directory"
                    : "no source of this tree is meant by --from; see `freshpyc graph` for all")
            return 2
        }
        if format == .json {
            Host.write(String(decoding: document.line, as: UTF8.self) + "\n", to: 1)
        } else {
            Host.write(
                GraphPrinter(document, showsExternal: parsed.has("--external"), shown: shown).text(format), to: 1)
        }
        return 0
    }

    private func show(_ document: AffectedDocument, _ format: GraphFormat) -> Int32 {
        if format == .json {
            Host.write(JSONLine.encode(document), to: 1)
            return 0
        }
        for widening in document.widened { FreshpycCommand.complain("\(shown(widening.path)) \(widening.reason)") }
        var text = ""
        for source in document.affected {
            text += shown(source.path)
            if parsed.has("--why") {
                for (step, next) in zip(source.chain, source.chain.dropFirst()) {
                    let how =
                        switch step.link {
                        case "imports": "imports \(shown(next.path)) (line \(step.line))"
                        case "package": "lies in the package of \(shown(next.path))"
                        default: "is a test below \(shown(next.path))"
                        }
                    text += step.path == source.path ? ": \(how)" : ", which \(how)"
                }
                if source.chain.count == 1 { text += ": changed" }
            }
            text += "\n"
        }
        Host.write(text, to: 1)
        return 0
    }

    private func show(_ document: CyclesDocument, _ format: GraphFormat) -> Int32 {
        let status: Int32 = document.cycles.contains(where: \.eager) ? 1 : 0
        if format == .json {
            Host.write(JSONLine.encode(document), to: 1)
            return status
        }
        var text = ""
        for cycle in document.cycles {
            let word = cycle.members.count == cycle.chain.count ? "" : ", shortest way round"
            text += "\(cycle.eager ? "eager" : "not eager"): \(cycle.members.count) modules\(word)\n"
            for (index, step) in cycle.chain.enumerated() {
                let next = cycle.chain[(index + 1) % cycle.chain.count]
                text += "  \(shown(step.path)):\(step.line): \(step.kind) import of \(shown(next.path))\n"
            }
        }
        Host.write(text, to: 1)
        let eager = document.cycles.count(where: \.eager)
        Host.write("\(eager) eager cycles, \(document.cycles.count - eager) that need a deferred import\n", to: 2)
        return status
    }
}
