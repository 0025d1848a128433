// What `verify` and `clean` share: which bytecode to look at, and for which interpreters.

import BasicTypes
import BuildModel
import Interpreters

struct BytecodeArguments {
    let common: SessionArguments

    init(_ parsed: ParsedArguments, for declaration: VerbDeclaration) throws(UsageError) {
        common = try SessionArguments(parsed, for: declaration)
        for start in starts {
            let path = common.configuration.rootPath.appending(start)
            guard !path.lastComponent.elementsEqual("__pycache__".utf8) else {
                throw UsageError(
                    message: "'\(path)' is a bytecode directory; name the directory that contains it: '\(path.parent)'")
            }
        }
    }

    var rootPath: BytePath { common.configuration.rootPath }
    var starts: [BytePath] { common.configuration.starts }
    var scope: Scope { common.configuration.scope }
    var printer: DiagnosticPrinter { DiagnosticPrinter(root: rootPath, workingDirectory: common.workingDirectory) }

    /// Starts the selected interpreters and asks them for their version, magic number and cache tag.
    func interpreters() throws(InterpreterError) -> [Interpreter] {
        try InterpreterSelection.probe(
            common.configuration.pythons, root: rootPath, relativeTo: common.workingDirectory)
    }
}
