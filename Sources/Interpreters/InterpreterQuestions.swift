// What is asked of an interpreter besides compiling: its directories, and what a regular expression finds.
// Knows: questions.py. Does not know: why anybody asks.

import BasicTypes
import BuildModel
import LinuxSystem

/// Where an interpreter has its modules.
package struct InterpreterPaths: Sendable {
    package let standardLibrary: [BytePath]
    /// `site-packages` and the like; they need not exist.
    package let packages: [BytePath]
    /// `sys.path`, without the user's own additions.
    package let searchPath: [BytePath]
}

package enum InterpreterQuestions {
    private static let program = BytePath(String(decoding: PackageResources.questions_py, as: UTF8.self))

    /// Asks where modules are. No `.pth` file is looked at.
    package static func paths(of interpreter: Interpreter) throws(InterpreterError) -> InterpreterPaths {
        // `site`, which would find the environment, is off.
        let environment = interpreter.path.parent.parent
        let isVirtual = ((try? Host.status(environment.appending("pyvenv.cfg"))) ?? nil) != nil
        let answer = try ask(interpreter, [BytePath("paths")] + (isVirtual ? [environment] : []), input: [])
        let groups = split(answer).map { $0.compactMap { BytePath($0) } }
        guard groups.count == 3 else {
            throw .notPython(interpreter.path, reason: "it does not say where its modules are")
        }
        return InterpreterPaths(standardLibrary: groups[0], packages: groups[1], searchPath: groups[2])
    }

    /// `sys.path` of whoever starts the interpreter in a directory with `-m`. As then, `.pth` files are executed.
    package static func searchPath(
        of interpreter: Interpreter, workingDirectory: BytePath
    ) throws(InterpreterError) -> [BytePath] {
        // The question is asked in `/`: nothing may be relative.
        let name = Array("PYTHONPATH=".utf8)
        let environment = Host.variables.compactMap { variable in
            guard variable.bytes.starts(with: name), variable.count > name.count else { return variable }
            let entries = variable.bytes.dropFirst(name.count)
                .split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { $0.first == UInt8(ascii: "/") ? Array($0) : Array(workingDirectory.appending($0).bytes) }
            return BytePath(name + entries.joined(separator: [UInt8(ascii: ":")]))
        }
        let answer = try ask(
            interpreter, [BytePath("search")], input: [], flags: ["-B"], environment: environment)
        // What is empty stands for the directory of the program, where that is looked at.
        let entries = (split(answer).last ?? []).compactMap { BytePath($0) }
        let isSafe = Host.environment("PYTHONSAFEPATH") != nil
        return (isSafe ? [] : [workingDirectory]) + entries
    }

    /// In which names a regular expression of Python is found (`re.search`).
    ///
    /// - Returns: a truth for each name, or what is wrong with the expression.
    package static func matches(
        of expression: BytePath, in names: [BytePath], by interpreter: Interpreter
    ) throws(InterpreterError) -> Result<[Bool], ExpressionError> {
        let input = Array(names.map(\.bytes).joined(separator: [0]))
        let answer = try ask(interpreter, [BytePath("match"), expression], input: input)
        if answer.first == UInt8(ascii: "!") {
            return .failure(ExpressionError(message: String(decoding: answer.dropFirst(), as: UTF8.self)))
        }
        guard answer.count == names.count || names.isEmpty else {
            throw .notPython(interpreter.path, reason: "it does not answer what it was asked")
        }
        return .success(answer.map { $0 == UInt8(ascii: "1") })
    }

    package struct ExpressionError: Error {
        package let message: String
    }

    /// Two NULs part groups.
    private static func split(_ answer: [UInt8]) -> [[ArraySlice<UInt8>]] {
        var groups: [[ArraySlice<UInt8>]] = [[]]
        for part in answer.split(separator: 0, omittingEmptySubsequences: false) {
            if part.isEmpty { groups.append([]) } else { groups[groups.count - 1].append(part) }
        }
        return groups
    }

    private static func ask(
        _ interpreter: Interpreter, _ words: [BytePath], input: [UInt8],
        flags: [String] = ["-E", "-s", "-S", "-B"], environment: [BytePath] = WorkerProcess.environment
    ) throws(InterpreterError) -> [UInt8] {
        do throws(SystemError) {
            let child = try ChildProcess(
                interpreter.path,
                arguments: (flags + ["-c"]).map { BytePath($0) } + [program] + words, environment: environment,
                sharesErrors: false)
            let begun = Host.monotonic
            var unsent = input[...]
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                guard Host.monotonic - begun < InterpreterProbe.deadline else {
                    throw SystemError.timedOut
                }
                if unsent.isEmpty { child.closeInput() } else { try send(&unsent, to: child) }
                try child.output.waitUntilReadable(nanoseconds: unsent.isEmpty ? 100_000_000 : 1_000_000)
                do throws(SystemError) {
                    let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in
                        try child.output.read(into: bytes)
                    }
                    if count == 0 { break }
                    answer += buffer[..<count]
                } catch  where error.wouldBlock {
                    continue
                }
            }
            guard child.wait() == .status(0) else {
                throw SystemError("exec", interpreter.path, code: SystemError.noSuchFile)
            }
            return answer
        } catch {
            throw .notPython(interpreter.path, reason: error.reason)
        }
    }

    /// Sends what the pipe takes.
    private static func send(_ rest: inout ArraySlice<UInt8>, to child: ChildProcess) throws(SystemError) {
        do throws(SystemError) {
            let sent = try Array(rest.prefix(65_536)).withRawBytes { bytes throws(SystemError) in
                try child.input.writeSome(bytes)
            }
            rest = rest.dropFirst(sent)
        } catch  where error.wouldBlock {
            return
        } catch  where error.isBrokenPipe {
            rest = []
        }
    }
}
