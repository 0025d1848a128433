// `py-compile`: does what `python -m py_compile` does, with its words.
// Knows: its command line, what it prints, its exit status. Does not know: how a file is compiled.

import BuildEngine
import BuildModel
import LinuxSystem

/// Compiles one file after the other, and ends with the first that fails.
final class PyCompileCommand {
    private let session: SessionArguments
    private let isQuiet: Bool
    private var names: ArraySlice<BytePath>
    private let loop: EventLoop
    private var compiler: BatchCompiler?

    private init(_ session: SessionArguments, names: [BytePath], isQuiet: Bool, loop: EventLoop) {
        self.session = session
        self.names = names[...]
        self.isQuiet = isQuiet
        self.loop = loop
    }

    /// - Returns: the exit status.
    static func run(_ words: [Argument]) throws(UsageError) -> Int32 {
        var names: [BytePath] = []
        var isQuiet = false
        var unknown: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word.text {
            case "--":
                names += rest.map(\.path)
                rest = []
            case "-h", "--help":
                Host.write(Verb.pyCompile.help, to: 1)
                return 0
            case "-": names.append(word.path)
            case _ where word.text.hasPrefix("--") && "--quiet".hasPrefix(word.text): isQuiet = true
            case _ where word.text.hasPrefix("-") && word.text.dropFirst().allSatisfy { $0 == "q" }: isQuiet = true
            case _ where word.text.hasPrefix("-"):
                unknown.append(word.text)
            default: names.append(word.path)
            }
        }
        if names.isEmpty {
            return ArgparseUsage.pyCompile.complain("the following arguments are required: filenames")
        }
        if !unknown.isEmpty {
            return ArgparseUsage.pyCompile.complain("unrecognized arguments: \(unknown.joined(separator: " "))")
        }
        if names == [BytePath("-")] {
            names = DropIn.lines(Host.standardInput()).compactMap { BytePath($0) }
        }
        let session = try SessionArguments(
            ParsedArguments([], options: [], verb: Verb.pyCompile.rawValue), verb: .pyCompile)
        let all = names
        let quiet = isQuiet
        return EventLoop.run { loop in PyCompileCommand(session, names: all, isQuiet: quiet, loop: loop).start() }
    }

    private func start() {
        do throws(UsageError) {
            compiler = try DropIn.compiler(session, jobs: 1, loop: loop)
            next()
        } catch {
            end(2, "freshpyc: \(error.message)\n")
        }
    }

    private func end(_ status: Int32, _ text: String = "") {
        if status != 0, !isQuiet || status == 2 { Host.write(text, to: 2) }
        compiler?.close()
        loop.stop(status)
    }

    private func next() {
        guard let compiler, let name = names.popFirst() else { return end(0) }
        let job: BatchJob
        do throws(SystemError) {
            job = try self.job(name, compiler.interpreters[0])
        } catch {
            return end(1, PythonText.error(error, name))
        }
        if let taken = DropIn.taken(job.output.path, shown: shownPlace(of: name, job), in: job.output.directory) {
            return end(1, taken)
        }
        var options = BatchOptions(mode: DropIn.standardInvalidation, reuse: .none)
        options.wantsText = true
        options.removesRefused = false
        options.makesDirectories = true
        var result: BatchResult?
        compiler.run([job], options: options, each: { result = $1 }) { [self] in
            guard let result else { return end(1) }
            for warning in result.diagnostics where warning.severity == .warning { DropIn.warn(warning, of: job) }
            switch result.outcome {
            case .refused(let text): end(1, text)
            case .problem(let diagnostic, let cause):
                end(1, cause.map { PythonText.error($0, DropIn.shown($0, of: job)) } ?? diagnostic.message)
            case .upToDate, .resealed, .restored, .compiled: loop.later { [self] in next() }
            }
        }
    }

    /// The place of the bytecode as seen from where the source was named.
    private func shownPlace(of name: BytePath, _ job: BatchJob) -> BytePath {
        name.parent.appending(job.output.path.parent.lastComponent).appending(job.output.path.lastComponent)
    }

    private func job(_ name: BytePath, _ interpreter: Interpreter) throws(SystemError) -> BatchJob {
        let absolute = name.isAbsolute ? name : session.workingDirectory.appending(name)
        guard !name.isEmpty, let status = try Host.status(absolute) else {
            throw SystemError("open", name, code: SystemError.noSuchFile)
        }
        if status.kind == .directory { throw SystemError("open", name, code: SystemError.isDirectory) }
        let top = try Directory(path: BytePath("/"))
        let directory = try Host.realPath(absolute.parent).relative(to: BytePath("/")) ?? .empty
        let source = directory.appending(absolute.lastComponent)
        let level = DropIn.ownLevel
        let place = DropIn.place(
            of: source, level: level, interpreter: interpreter, workingDirectory: session.workingDirectory)
        var job = BatchJob(
            source: BatchPlace(top, source), output: BatchPlace(top, place), fileName: name, interpreter: 0,
            level: level)
        job.namesSource = true
        return job
    }
}
