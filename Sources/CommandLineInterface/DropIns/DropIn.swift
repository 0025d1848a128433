// The behavior of Python's own tools that `compileall` and `py-compile` share.

import BasicTypes
import Batches
import BuildModel
import Interpreters
import LinuxSystem

enum DropIn {
    /// The default of `py_compile` (`_get_default_invalidation_mode`).
    static var standardInvalidation: InvalidationMode {
        Host.environment("SOURCE_DATE_EPOCH") == nil ? .timestamp : .checkedHash
    }

    /// The level of an interpreter that is started here without `-O`: the number in PYTHONOPTIMIZE, or 1 if it has any
    /// other text.
    static var ownLevel: OptimizationLevel {
        guard let text = Host.environment("PYTHONOPTIMIZE")?.description else { return .none }
        let number = PythonText.integer(text) ?? 1
        return OptimizationLevel(rawValue: UInt8(min(2, number < 0 ? 1 : number))) ?? .none
    }

    /// The options of every job: everything is compiled, and messages are those of Python.
    static func options(_ mode: InvalidationMode) -> BatchOptions {
        var options = BatchOptions(mode: mode, reuse: .none)
        options.warningOptions = Host.environment("PYTHONWARNINGS") ?? .empty
        options.removesRefused = false
        options.makesDirectories = true
        return options
    }

    /// A compiler for the first interpreter that the settings select.
    static func compiler(
        _ session: SessionArguments, jobs: Int, loop: EventLoop
    ) throws(UsageError) -> BatchCompiler {
        let configuration = session.configuration
        do throws(InterpreterError) {
            let named = Host.environment("FRESHPYC_PYTHON").map { [$0.description] } ?? configuration.pythons
            let candidates = try InterpreterFinder(root: configuration.rootPath)
                .candidates(named, relativeTo: configuration.workingDirectory)
            return try BatchCompiler(
                loop: loop, candidates: Array(candidates.prefix(1)), jobs: jobs, deadline: configuration.deadline)
        } catch {
            throw UsageError(message: error.message(option: SettingKey.python.variable))
        }
    }

    static func places(
        for interpreter: Interpreter, _ session: SessionArguments
    ) throws(UsageError) -> DropInPlaces {
        do throws(SystemError) {
            return try DropInPlaces(interpreter: interpreter, workingDirectory: session.workingDirectory)
        } catch {
            throw UsageError(message: "cannot open \(error)")
        }
    }

    /// The `sys.path` of a module that is started with `-m` in the working directory.
    static func searchPath(
        of interpreter: Interpreter, workingDirectory: BytePath
    ) throws(UsageError) -> [BytePath] {
        do throws(InterpreterError) {
            return try InterpreterQuestions.searchPath(of: interpreter, workingDirectory: workingDirectory)
        } catch {
            throw UsageError(message: error.message(option: SettingKey.python.variable))
        }
    }

    /// The names in which the interpreter's `re` finds the expression.
    static func matches(
        of expression: BytePath, in names: [BytePath], by interpreter: Interpreter
    ) throws(UsageError) -> Result<Set<BytePath>, InterpreterQuestions.ExpressionError> {
        do throws(InterpreterError) {
            return try InterpreterQuestions.matches(of: expression, in: names, by: interpreter).map { found in
                Set(zip(names, found).filter { $0.1 }.map { $0.0 })
            }
        } catch {
            throw UsageError(message: error.message(option: SettingKey.python.variable))
        }
    }

    /// Splits text into lines, which end with a newline, a carriage return, or both.
    static func lines(_ contents: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = contents[...]
        while let end = rest.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) {
            lines.append(rest[..<end])
            let isPair = rest[end] == 0x0D && end + 1 < rest.endIndex && rest[end + 1] == 0x0A
            rest = rest[(end + (isPair ? 2 : 1))...]
        }
        return rest.isEmpty ? lines : lines + [rest]
    }

    /// `str.strip` for ASCII white space.
    static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || (0x09...0x0D).contains(byte) || (0x1C...0x1F).contains(byte)
        }
        var line = line
        while let first = line.first, isSpace(first) { line = line.dropFirst() }
        while let last = line.last, isSpace(last) { line = line.dropLast() }
        return line
    }

    /// Prints a warning as `warnings.showwarning` does. The worker has appended the source line to the message.
    static func warn(_ warning: Diagnostic, of job: BatchJob) {
        let name = PythonText.shown(job.fileName)
        Host.writeError("\(name):\(warning.line): \(warning.type): \(warning.message)\n")
    }
}
