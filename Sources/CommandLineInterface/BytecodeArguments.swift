// The arguments that `verify` and `clean` share: which bytecode to process, and for which interpreters.

import BasicTypes
import BuildModel
import Interpreters
import LinuxSystem

struct BytecodeArguments {
    let common: SessionArguments
    /// The bytecode files that the user named, relative to the root; empty if only directories and sources were named.
    private(set) var files: Set<BytePath> = []

    init(_ parsed: ParsedArguments, for declaration: VerbDeclaration) throws(UsageError) {
        let isBytecode: (BytePath) -> Bool = { $0.hasSuffix(".pyc") || $0.hasSuffix(".pyo") }
        // A bytecode file is in a directory that is walked, and everything else there is left out of the answer.
        common = try SessionArguments(
            parsed.mappingOperands { path in
                guard isBytecode(path) else { return path }
                let directory = path.parent.isEmpty ? BytePath(".") : path.parent
                guard directory.lastComponent.elementsEqual("__pycache__".utf8) else { return directory }
                return directory.parent.isEmpty ? BytePath(".") : directory.parent
            }, for: declaration)
        for path in parsed.operands where isBytecode(path) {
            let absolute = (path.isAbsolute ? path : common.workingDirectory.appending(path)).normalized
            let real = ((try? Host.realPath(absolute.parent)) ?? absolute.parent).appending(absolute.lastComponent)
            guard (try? Host.status(real)) != nil, let file = real.relative(to: rootPath) else {
                throw UsageError(message: "no such file: '\(path)'; check the path")
            }
            files.insert(file)
        }
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
