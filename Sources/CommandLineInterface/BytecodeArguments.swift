// From a command line to a look at a tree's bytecode: what `verify` and `clean` share.
// Knows: options, and that a cache is no place to begin at. Does not know: what is done.

import BasicTypes
import BuildModel
import Interpreters
import LinuxSystem

/// Where to look, and for whom.
struct BytecodeArguments {
    let common: SessionArguments

    init(_ parsed: ParsedArguments, verb: Verb) throws(UsageError) {
        common = try SessionArguments(parsed, verb: verb)
        for start in starts {
            let path = common.configuration.rootPath.appending(start)
            guard !path.lastComponent.elementsEqual("__pycache__".utf8) else {
                throw UsageError(message: "'\(path)' is a cache; name the folder that it lies in: '\(path.parent)'")
            }
        }
    }

    var rootPath: BytePath { common.configuration.rootPath }
    var starts: [BytePath] { common.configuration.starts }
    var scope: Scope { common.configuration.scope }
    var printer: DiagnosticPrinter { DiagnosticPrinter(root: rootPath, workingDirectory: common.workingDirectory) }

    /// Started and asked what they are.
    func interpreters() throws(InterpreterError) -> [Interpreter] {
        try InterpreterSelection.probe(
            common.configuration.pythons, root: rootPath, relativeTo: common.workingDirectory)
    }

    /// Lines on standard output.
    static func write(_ lines: [String]) {
        if !lines.isEmpty { Host.write(lines.map { $0 + "\n" }.joined(), to: 1) }
    }

    static func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
}
