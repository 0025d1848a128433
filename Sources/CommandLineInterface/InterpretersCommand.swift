// `interpreters`: what `--python` can name here.
// Knows: how the list is shown. Does not know: where interpreters are looked for.

import BasicTypes
import BuildModel
import Documents
import Interpreters
import LinuxSystem
import Service

enum InterpretersCommand {
    private struct Document: Encodable {
        let schema = ReportDocument.schema
        let interpreters: [ReportDocument.Python]
    }

    /// - Returns: the exit status.
    static func run(_ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        guard parsed.operands.isEmpty else {
            throw UsageError(message: "interpreters takes no path; see `freshpyc interpreters --help`")
        }
        let format: OutputFormat = try parsed.choice("--format") ?? .text
        if format == .github { throw UsageError(message: "--format github is for check; use text or json") }
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
            Host.write(JSONLine.encode(Document(interpreters: list)), to: 1)
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
            Host.write(table(rows), to: 1)
        }
        return 0
    }

    private static func table(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
