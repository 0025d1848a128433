// What the two drop-ins have in common.
// Knows: how Python's own tools choose, read and warn. Does not know: their command lines.

import BuildEngine
import BuildModel
import Bytecode
import Interpreters
import LinuxSystem

enum DropIn {
    /// What `py_compile` takes where nothing is said (`_get_default_invalidation_mode`).
    static var standardInvalidation: InvalidationMode {
        Host.environment("SOURCE_DATE_EPOCH") == nil ? .timestamp : .checkedHash
    }

    /// The level of an interpreter that is started here without `-O`: any text in PYTHONOPTIMIZE counts as 1, and a number
    /// as itself.
    static var ownLevel: OptimizationLevel {
        guard let text = Host.environment("PYTHONOPTIMIZE")?.description else { return .none }
        return OptimizationLevel(rawValue: UInt8(clamping: max(1, min(2, Int(text) ?? 1)))) ?? .none
    }

    /// Where bytecode of a source goes, both from the top: `importlib.util.cache_from_source`, with PYTHONPYCACHEPREFIX.
    static func place(
        of source: BytePath, level: OptimizationLevel, interpreter: Interpreter, workingDirectory: BytePath
    ) -> BytePath {
        let place = CachePath(cacheTag: interpreter.cacheTag, level: level.rawValue)
        let name = place.fileName(source: source.lastComponent)
        if !interpreter.cacheTag.isEmpty, let prefix = Host.environment("PYTHONPYCACHEPREFIX") {
            let absolute = prefix.isAbsolute ? prefix : workingDirectory.appending(prefix)
            let real = (try? Host.realPath(absolute)) ?? absolute.normalized
            return BytePath.empty.appending(real.bytes.drop { $0 == UInt8(ascii: "/") }).appending(source.parent)
                .appending(name)
        }
        return source.parent.appending(place.directory).appending(name)
    }

    /// A compiler for the first interpreter that the settings name.
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
            throw UsageError(message: error.message)
        }
    }

    /// `sys.path` as a program would find it: `PYTHONPATH`, then the interpreter's own.
    static func searchPath(
        of interpreter: Interpreter, workingDirectory: BytePath
    ) throws(UsageError) -> [BytePath] {
        // Run as a module, Python begins with the current directory.
        var found = [workingDirectory]
        for entry in Host.environment("PYTHONPATH")?.bytes.split(separator: UInt8(ascii: ":")) ?? [] {
            guard let path = BytePath(entry) else { continue }
            found.append(path.isAbsolute ? path : workingDirectory.appending(path).normalized)
        }
        do throws(InterpreterError) {
            found += try InterpreterQuestions.paths(of: interpreter).searchPath
        } catch {
            throw UsageError(message: error.message)
        }
        return found
    }

    /// The names in which the interpreter's own `re` finds the expression.
    static func matches(
        of expression: BytePath, in names: [BytePath], by interpreter: Interpreter
    ) throws(UsageError) -> Set<BytePath> {
        let answer: Result<[Bool], InterpreterQuestions.ExpressionError>
        do throws(InterpreterError) {
            answer = try InterpreterQuestions.matches(of: expression, in: names, by: interpreter)
        } catch {
            throw UsageError(message: error.message)
        }
        switch answer {
        case .success(let found): return Set(zip(names, found).filter { $0.1 }.map { $0.0 })
        case .failure(let error):
            throw UsageError(
                message: "argument -x: \(expression) is no regular expression: \(error.message)", status: 1)
        }
    }

    /// Lines, whatever ends them.
    static func lines(_ contents: [UInt8]) -> [ArraySlice<UInt8>] {
        contents.isEmpty
            ? []
            : contents.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast(contents.last == 0x0A ? 1 : 0)
                .map { $0.last == 0x0D ? $0.dropLast() : $0 }
    }

    /// `str.strip`, of ASCII's white space.
    static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || (0x09...0x0D).contains(byte) || (0x1C...0x1F).contains(byte)
        }
        var line = line
        while let first = line.first, isSpace(first) { line = line.dropFirst() }
        while let last = line.last, isSpace(last) { line = line.dropLast() }
        return line
    }

    /// What py_compile says where bytecode would take the place of something that is no file.
    ///
    /// - Parameters:
    ///   - place: relative to `top`.
    ///   - shown: how the user would write it.
    static func taken(_ place: BytePath, shown: BytePath, in top: Directory) -> String? {
        guard let there = (try? top.status(place, followsLinks: false)) ?? nil, there.kind != .regular else {
            return nil
        }
        let what = there.kind == .symbolicLink ? "is a symlink" : "is a non-regular file"
        let which = there.kind == .symbolicLink ? "a regular file" : "a regular one"
        return
            "\(shown) \(what) and will be changed into \(which) if import writes a byte-compiled file to it"
    }

    /// Whether PYTHONWARNINGS says to keep quiet about warnings of this class.
    private static func isIgnored(_ type: String) -> Bool {
        guard let filters = Host.environment("PYTHONWARNINGS")?.description else { return false }
        for filter in filters.split(separator: ",").reversed() {
            let fields = filter.split(separator: ":", omittingEmptySubsequences: false)
            let category = fields.count > 2 ? String(fields[2]) : ""
            guard fields.count < 2 || fields[1].isEmpty, ["", "Warning", type].contains(category) else { continue }
            return fields[0] == "ignore" || fields[0] == "i"
        }
        return false
    }

    /// What is printed of a job that failed; `nil` where it did not.
    static func failure(_ outcome: BatchOutcome, of job: BatchJob) -> String? {
        switch outcome {
        case .upToDate, .resealed, .restored, .compiled: nil
        case .refused(let text): text
        case .problem(let diagnostic, let cause):
            cause.map { "\(PythonText.errorClass($0)): \(PythonText.error($0, shown($0, of: job)))" }
                ?? "OSError: \(diagnostic.message)"
        }
    }

    /// The file that an error is about, as the user would write it.
    static func shown(_ error: SystemError, of job: BatchJob) -> BytePath {
        // What keeps the cache's directory from being one keeps the file from being written.
        let path = job.output.path.isWithin(error.path) ? job.output.path : error.path
        let absolute = BytePath("/").appending(path)
        guard let here = try? Host.workingDirectory() else { return absolute }
        return absolute.relative(to: here) ?? absolute
    }

    /// A warning as `warnings.showwarning` prints it.
    static func warn(_ warning: Diagnostic, of job: BatchJob) {
        if isIgnored(warning.type) { return }
        var text = "\(job.fileName):\(warning.line): \(warning.type): \(warning.message)\n"
        // Python looks for the line where the name leads to.
        if job.namesSource, let file = try? job.source.directory.fileFollowingLinks(job.source.path),
            let contents = try? file.readAll(expected: 65_536, path: job.source.path)
        {
            let lines = lines(contents)
            if (1...max(1, lines.count)).contains(warning.line), warning.line <= lines.count {
                text += "  " + String(decoding: trimmed(lines[warning.line - 1]), as: UTF8.self) + "\n"
            }
        }
        Host.write(text, to: 2)
    }
}
