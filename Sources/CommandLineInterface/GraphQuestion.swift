// The part that `graph`, `affected` and `cycles` share: a question about imports, for the daemon or for a session of their
// own.

import BasicTypes
import BuildModel
import Documents
import ImportGraph
import LinuxSystem
import Service
import Waves

/// One question about the imports of a tree.
struct GraphQuestion {
    let arguments: SessionArguments
    let printer: DiagnosticPrinter
    private(set) var parameters: ControlParameters

    /// - Parameter asksForFiles: whether the operands are files to ask about, which need not exist, and not paths to work in.
    init(_ invocation: Invocation, _ declaration: VerbDeclaration, asksForFiles: Bool) throws(UsageError) {
        let parsed = invocation.arguments
        arguments = try SessionArguments(asksForFiles ? parsed.withoutOperands : parsed, for: declaration)
        printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
        var kinds: Set<ImportKind> = []
        for word in parsed.all(OptionSpecification.kinds.name).flatMap({ $0.split(separator: ",") }).map(String.init) {
            guard let kind = ImportKind(rawValue: word) else {
                let known = ImportKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError(message: "'\(word)' is not a kind of import; use one of \(known) (--kinds)")
            }
            kinds.insert(kind)
        }
        // The daemon must keep the whole tree up to date with these options. If no interpreter is found, it cannot be asked,
        // and our own session reports why.
        parameters = ControlParameters(
            version: FreshpycCommand.version, options: try? arguments.requiredOptions(declaration), starts: [""])
        parameters.kinds = (kinds.isEmpty ? Set(ImportKind.allCases) : kinds).map(\.rawValue).sorted()
        parameters.depth = try parsed.count("--depth")
    }

    /// The places that the operands name; empty for the whole tree.
    var places: [BytePath] {
        let starts = arguments.configuration.starts
        return arguments.arguments.operands.isEmpty || starts.contains(.empty) ? [] : starts
    }

    /// Follows no import: the answer shows the modules of the named paths alone.
    mutating func showOnlyPlaces() { parameters.depth = places.isEmpty ? nil : 0 }

    /// Sets the files that the question is about.
    ///
    /// - Parameter paths: as the user gave them, or relative to the root.
    mutating func ask(about paths: [BytePath]) throws(UsageError) {
        var texts: [String] = []
        for path in paths {
            guard let text = path.exactText else {
                throw UsageError(message: "'\(path)' is not UTF-8, and imports of such files are not tracked")
            }
            texts.append(text)
        }
        parameters.paths = texts
    }

    mutating func ask(direction: String?, onlyTests: Bool, showsChains: Bool = false) {
        parameters.direction = direction
        parameters.chains = showsChains
        parameters.tests = onlyTests
    }

    /// A path that the user gave, relative to the root. The file need not exist.
    func relative(_ given: BytePath) throws(UsageError) -> BytePath {
        guard !given.isEmpty else { throw UsageError(message: "the name of a file is empty; name a file of this tree") }
        let root = arguments.configuration.rootPath
        let absolute = (given.isAbsolute ? given : arguments.workingDirectory.appending(given)).normalized
        let folder = (try? Host.realPath(absolute.parent)) ?? absolute.parent
        if let module = ModuleLocator.path(of: given, root: root, workingDirectory: arguments.workingDirectory),
            let path = module.relative(to: root)
        {
            return path
        }
        guard let path = folder.appending(absolute.lastComponent).relative(to: root) ?? absolute.relative(to: root)
        else { throw UsageError(message: "'\(given)' is not in \(root); name a file of this tree") }
        return path
    }

    /// Prints an answer, and the files that could not be read for it.
    ///
    /// - Returns: 2 if something could not be read: the answer may lack modules, which must not look like success.
    private func finish<Answer: ImportsDocument>(_ answer: Answer, _ show: (Answer) -> Int32) -> Int32 {
        let status = show(answer)
        let unread = answer.unread ?? []
        for finding in unread {
            let located = finding.located
            FreshpycCommand.complain(located.diagnostic.rendered(path: printer.shown(located.path)))
        }
        return unread.isEmpty ? status : 2
    }

    /// A path of an answer, relative to the current directory, for another program.
    func exact(_ path: String) -> String { printer.shown(BytePath(path)).text }

    /// A path of an answer, relative to the current directory.
    func shown(_ path: String) -> String {
        printer.root == printer.workingDirectory ? BytePath.shown(path) : printer.shown(BytePath(path)).description
    }

    /// Asks the daemon, or else scans the sources that have changed since the last scan.
    ///
    /// - Parameters:
    ///   - alone: answers from a session.
    ///   - show: prints the answer.
    /// - Returns: the exit status, which `show` decides.
    func answer<Answer: ImportsDocument>(
        _ method: ControlMethod, alone: @escaping @Sendable (Session, ControlParameters) -> Answer,
        show: @escaping @Sendable (Answer) -> Int32
    ) -> Int32 {
        let client = DaemonConnection.client(of: arguments)
        if let client, parameters.options != nil,
            let answer = DaemonConnection.answer(of: client, to: ControlRequest(method, parameters), as: Answer.self)
        {
            return finish(answer, show)
        }
        var configuration = arguments.configuration
        configuration.options.isCheckOnly = true
        configuration.starts = [.empty]
        let place = configuration.stateDirectory ?? configuration.rootPath.appending(".freshpyc")
        // Do not write to a tree in which freshpyc has not been used.
        configuration.writesGraph = client == nil && (try? Host.status(place)) ?? nil != nil
        let settled = configuration
        let parameters = parameters
        return EventLoop.run { loop in
            do throws(SessionError) {
                let session = try Session(settled, loop: loop)
                let problems = session.scanImports()
                var answer = alone(session, parameters)
                answer.note(problems)
                let status = finish(answer, show)
                _ = session.close()
                loop.stop(status)
            } catch {
                FreshpycCommand.complain(error.message)
                loop.stop(2)
            }
        }
    }
}
