// Asks an interpreter things other than compiling: where its modules are, and which names match a regular expression.
// questions.py answers.

import BasicTypes
import BuildModel
import LinuxSystem

/// Where an interpreter finds its modules.
package struct InterpreterPaths: Sendable {
    package let standardLibrary: [BytePath]
    /// `site-packages` and the like; may not exist.
    package let packages: [BytePath]
    /// `sys.path` without the user's additions.
    package let searchPath: [BytePath]
}

/// What an interpreter runs from.
package struct InterpreterFiles: Sendable {
    /// The program itself, with links resolved.
    package let program: BytePath
    package let standardLibrary: BytePath
    /// Directories of the standard library's extension modules.
    package let extensions: [BytePath]
}

package enum InterpreterQuestions {
    private static let program = BytePath(String(decoding: PackageResources.questions_py, as: UTF8.self))

    /// Asks where the modules are. `.pth` files are not read.
    package static func paths(of interpreter: Interpreter) throws(InterpreterError) -> InterpreterPaths {
        // `site`, which would detect a virtual environment, is disabled.
        let environment = interpreter.path.parent.parent
        let isVirtual = ((try? Host.status(environment.appending("pyvenv.cfg"))) ?? nil) != nil
        let answer = try ask(interpreter, [BytePath("paths")] + (isVirtual ? [environment] : []), input: [])
        let groups = split(answer).map { $0.compactMap { BytePath($0) } }
        guard groups.count == 3 else {
            throw .notPython(interpreter.path, reason: "it does not report where its modules are")
        }
        return InterpreterPaths(standardLibrary: groups[0], packages: groups[1], searchPath: groups[2])
    }

    /// Asks for the files that the interpreter cannot run without.
    package static func files(of interpreter: Interpreter) throws(InterpreterError) -> InterpreterFiles {
        let parts = split(try ask(interpreter, [BytePath("runtime")], input: [])).joined().compactMap { BytePath($0) }
        guard parts.count >= 2 else {
            throw .notPython(interpreter.path, reason: "it does not report where its standard library is")
        }
        return InterpreterFiles(program: parts[0], standardLibrary: parts[1], extensions: Array(parts[2...]))
    }

    /// `sys.path` of a program started in a directory with `-m`. As for that program, `.pth` files are executed.
    package static func searchPath(
        of interpreter: Interpreter, workingDirectory: BytePath
    ) throws(InterpreterError) -> [BytePath] {
        // The interpreter runs in `/`, so all paths must be absolute.
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
        // Python puts the program's directory first, unless PYTHONSAFEPATH is set.
        let entries = (split(answer).last ?? []).compactMap { BytePath($0) }
        let isSafe = Host.environment("PYTHONSAFEPATH") != nil
        return (isSafe ? [] : [workingDirectory]) + entries
    }

    /// Searches names for a Python regular expression (`re.search`).
    ///
    /// - Returns: whether each name matches, or the error in the expression.
    package static func matches(
        of expression: BytePath, in names: [BytePath], by interpreter: Interpreter
    ) throws(InterpreterError) -> Result<[Bool], ExpressionError> {
        let input = Array(names.map(\.bytes).joined(separator: [0]))
        let answer = try ask(interpreter, [BytePath("match"), expression], input: input)
        if answer.first == UInt8(ascii: "!") {
            return .failure(ExpressionError(message: String(decoding: answer.dropFirst(), as: UTF8.self)))
        }
        guard answer.count == names.count || names.isEmpty else {
            throw .notPython(interpreter.path, reason: "it gave an unexpected answer")
        }
        return .success(answer.map { $0 == UInt8(ascii: "1") })
    }

    /// Compresses with the interpreter's zlib (raw Deflate).
    ///
    /// - Returns: `nil` if the interpreter has no zlib.
    package static func deflated(
        _ contents: [[UInt8]], by interpreter: Interpreter
    ) throws(InterpreterError) -> [[UInt8]]? {
        var input: [UInt8] = []
        input.reserveCapacity(contents.reduce(0) { $0 + $1.count + 4 })
        for item in contents {
            withUnsafeBytes(of: UInt32(clamping: item.count).bigEndian) { input.append(contentsOf: $0) }
            input += item
        }
        // At least 100 kB a second: zlib at its slowest, on a machine that does other things.
        let answer = try ask(
            interpreter, [BytePath("deflate")], input: input, outputLimit: input.count * 2 + (1 << 20),
            deadline: InterpreterProbe.deadline + Int64(input.count) * 10_000)
        if answer.isEmpty, !contents.isEmpty { return nil }
        var found: [[UInt8]] = []
        var position = 0
        while position + 4 <= answer.count {
            let size = answer[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard size <= answer.count - position - 4 else { break }
            found.append(Array(answer[(position + 4)..<(position + 4 + size)]))
            position += 4 + size
        }
        guard found.count == contents.count, position == answer.count else {
            throw .notPython(interpreter.path, reason: "it gave an unexpected answer")
        }
        return found
    }

    package struct ExpressionError: Error {
        package let message: String
    }

    /// Groups are separated by two NULs, the items within a group by one.
    private static func split(_ answer: [UInt8]) -> [[ArraySlice<UInt8>]] {
        var groups: [[ArraySlice<UInt8>]] = [[]]
        for part in answer.split(separator: 0, omittingEmptySubsequences: false) {
            if part.isEmpty { groups.append([]) } else { groups[groups.count - 1].append(part) }
        }
        return groups
    }

    private static func ask(
        _ interpreter: Interpreter, _ words: [BytePath], input: [UInt8],
        flags: [String] = ["-E", "-s", "-S", "-B"], environment: [BytePath] = WorkerProcess.environment,
        outputLimit: Int? = nil, deadline: Int64 = InterpreterProbe.deadline
    ) throws(InterpreterError) -> [UInt8] {
        var exchange = ProcessExchange(
            interpreter.path, arguments: (flags + ["-c"]).map { BytePath($0) } + [program] + words,
            environment: environment, input: input, deadline: deadline)
        if let outputLimit { exchange.outputLimit = outputLimit }
        let answer: ProcessExchange.Answer
        do throws(ProcessExchange.Failure) {
            answer = try exchange.run()
        } catch {
            throw .notPython(interpreter.path, reason: error.reason)
        }
        guard answer.ending == .status(0) else {
            throw .notPython(interpreter.path, reason: "it does not report where its modules are, or which files match")
        }
        return answer.output
    }
}
