// `freshpyc why`

import BasicTypes
import BuildModel
import Documents
import LinuxSystem
import Service
import Waves

enum WhyVerb: Verb {
    static let declaration = VerbDeclaration(
        name: "why",
        summary: "explain the state of one source file",
        arguments: "[OPTIONS] FILE",
        traits: [.remembers],
        description: [
            "Shows whether each bytecode file of a source is up to date and why, its errors, and its imports in both directions. Asks the daemon of the tree if one runs. Writes nothing."
        ],
        options: [
            .python, .optimize, .invalidation, .exclude, .gitignore, .sourceRoot, .noDaemon, .stateDirectory,
            .textOrJSON, .help,
        ],
        exitStatuses: [
            0: "shown",
            2: "the file or an interpreter could not be found",
        ],
        examples: [.init("freshpyc why pkg/module.py", "its state, and the reason")])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        guard parsed.operands.count == 1 else { throw UsageError(message: "why takes one file: freshpyc why FILE") }
        let arguments = try SessionArguments(parsed, for: declaration)
        let file = arguments.configuration.starts[0]
        guard Scope.isSource(named: file.lastComponent) else {
            throw UsageError(
                message: "'\(parsed.operands[0])' is not a source; why takes one .py file: freshpyc why FILE")
        }
        let printer = DiagnosticPrinter(
            root: arguments.configuration.rootPath, workingDirectory: arguments.workingDirectory)
        let output = invocation.output
        let isJSON = arguments.format == .json
        if let client = DaemonConnection.client(of: arguments), let path = file.exactText,
            let options = try? arguments.requiredOptions(declaration),
            let answer = DaemonConnection.answer(
                of: client,
                to: ControlRequest(
                    .why,
                    ControlParameters(version: FreshpycCommand.version, options: options, starts: [path], path: path)),
                as: WhyDocument.self)
        {
            output.write(isJSON ? JSONLine.encode(answer) : text(answer, printer))
            return 0
        }
        return EventLoop.run { loop in
            do throws(SessionError) {
                var configuration = arguments.configuration
                configuration.isReadOnly = true
                configuration.analyzesImports = true
                let session = try Session(configuration, loop: loop)
                _ = session.scanImports()
                let answer = WhyDocument(session.explanation(of: file))
                output.write(isJSON ? JSONLine.encode(answer) : text(answer, printer))
                _ = session.close()
                loop.stop(0)
            } catch {
                FreshpycCommand.complain(error.message)
                loop.stop(2)
            }
        }
    }

    private static func text(_ answer: WhyDocument, _ printer: DiagnosticPrinter) -> String {
        func shown(_ path: String) -> String { printer.shown(BytePath(path)).description }
        var text = "\(shown(answer.path)): \(summary(answer))\n"
        for artifact in answer.artifacts {
            text +=
                "  \(shown(artifact.path))\n    \(artifact.interpreter), level \(artifact.level): \(words(artifact.state))"
            if let reason = artifact.reason { text += ": \(words(reason: reason))" }
            if let mode = artifact.mode { text += ", validated by \(mode)" }
            if artifact.isGuarded { text += " (by timestamp from the next second on)" }
            if artifact.clock > 0 {
                let time = WaveReport.seconds(Int64(artifact.microseconds) * 1000)
                text += "\n    compiling it took \(time)"
            }
            text += "\n"
        }
        for finding in answer.diagnostics {
            text += "  " + finding.located.diagnostic.rendered(path: printer.shown(BytePath(answer.path))) + "\n"
        }
        text += "  imports \(answer.imports.count), imported by \(answer.importedBy.count)\n"
        for kept in answer.imports {
            let kind = kept.kind == "eager" ? "" : "\(kept.kind) "
            let target = kept.to.isEmpty ? kept.state : kept.to.map(shown).joined(separator: ", ")
            text += "    line \(kept.line): \(kind)\(kept.statement) → \(target)\n"
        }
        for importer in answer.importedBy { text += "    imported by \(shown(importer))\n" }
        return text
    }

    /// The first line: the most important fact about the source.
    private static func summary(_ answer: WhyDocument) -> String {
        switch answer.state {
        case "missing": return "there is no such source"
        case "out-of-scope": return "out of scope: excluded by the rules of this tree"
        case "unknown": return "not built yet"
        default:
            let states = answer.artifacts.map(\.state)
            let worst = ["failed", "discard", "recompile", "restamp"].first(where: states.contains) ?? "up-to-date"
            return words(worst)
        }
    }

    /// A reason as text.
    private static func words(reason: String) -> String {
        switch StalenessReason(rawValue: reason) {
        case .noBytecode: "there is no bytecode"
        case .neverBuilt: "freshpyc has not compiled this source before"
        case .forced: "recompiling was requested"
        case .interpreterChanged: "the bytecode is of another interpreter"
        case .modeChanged: "the bytecode is validated in another way (--invalidation)"
        case .sizeDiffers, .contentsDiffer: "the source has changed"
        case .headerDiffers, .truncated, .damaged: "something has changed the bytecode"
        case .touched: "only the time of the source has changed"
        case .retried: "the compiler was stopped last time: it ran out of time or memory, or was killed"
        case .guardOver: "it can be validated by timestamp now"
        case nil: reason
        }
    }

    /// A state as text.
    private static func words(_ state: String) -> String {
        switch state {
        case "up-to-date": "up to date"
        case "restamp": "needs a new header"
        case "recompile": "needs compiling"
        case "discard": "its bytecode must be removed"
        case "failed": "does not compile"
        default: state
        }
    }
}
