// `freshpyc interpreters`

import BasicTypes
import BuildModel
import Documents
import Interpreters
import LinuxSystem

enum InterpretersVerb: Verb {
    static let declaration = VerbDeclaration(
        name: "interpreters",
        summary: "list the Python interpreters that can be used",
        arguments: "[OPTIONS]",
        description: ["Every one of them can be named with --python. Without --python, the first one is used."],
        options: [.textOrJSON, .help],
        exitStatuses: [0: "listed", 2: "no interpreter was found"],
        examples: [.init("freshpyc interpreters", "the values for --python")])

    private struct Document: Encodable {
        let schema = ReportDocument.schema
        let interpreters: [ReportDocument.Python]
    }

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        try parsed.requireOperands(atMost: 0, for: declaration)
        let format: OutputFormat = parsed.choice("--format") ?? .text
        let root = (try? Host.workingDirectory()) ?? BytePath("/")
        var found: [(interpreter: Interpreter, origin: InterpreterOrigin)] = []
        for candidate in InterpreterFinder(root: root).all() {
            do throws(InterpreterError) {
                found.append((try InterpreterProbe.run(candidate.path).interpreter, candidate.origin))
            } catch {
                FreshpycCommand.complain(error.message)
            }
        }
        guard !found.isEmpty else {
            FreshpycCommand.complain(InterpreterError.noneFound.message)
            return 2
        }
        switch format {
        case .json:
            let list = found.map { ReportDocument.Python($0.interpreter, origin: $0.origin.rawValue) }
            invocation.output.write(JSONLine.encode(Document(interpreters: list)))
        default:
            let rows =
                [["PYTHON", "CACHE TAG", "MAGIC", "HEADER", "SOURCE HASH", "FOUND BY", "PATH"]]
                + found.map { interpreter, origin in
                    [
                        interpreter.name, interpreter.cacheTag.isEmpty ? "-" : interpreter.cacheTag,
                        String(interpreter.magic & 0xFFFF), "\(interpreter.layout.rawValue) bytes",
                        interpreter.sourceHash?.rawValue ?? "-", origin.rawValue, interpreter.path.description,
                    ]
                }
            invocation.output.write(TextTable.text(rows))
        }
        return 0
    }
}
