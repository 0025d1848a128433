// `compileall`: does what `python -m compileall` does, with its words.
// Knows: what is printed, in which order, and the exit status. Does not know: what is looked at (CompileAllPlan), or how
// it is compiled.

import BuildEngine
import BuildModel
import Interpreters
import LinuxSystem

/// Runs one plan on a loop. Files are compiled in any order, and told of in compileall's.
final class CompileAllCommand {
    private let arguments: CompileAllArguments
    private let session: SessionArguments
    private let loop: EventLoop
    private var steps: [CompileAllPlan.Step] = []
    private var jobs: [BatchJob] = []
    private var results: [BatchResult?] = []
    private var nextStep = 0
    private var hasFailed = false
    private var isInterrupted = false
    private var printed = ""

    private init(_ arguments: CompileAllArguments, _ session: SessionArguments, loop: EventLoop) {
        self.arguments = arguments
        self.session = session
        self.loop = loop
    }

    /// - Returns: the exit status.
    static func run(_ words: [Argument]) throws(UsageError) -> Int32 {
        let arguments: CompileAllArguments
        do throws(CompileAllArguments.Failure) {
            arguments = try CompileAllArguments(words)
        } catch {
            switch error {
            case .usage(let message): return ArgparseUsage.compileAll.complain(message)
            // There, Python's module ends with a traceback.
            case .value(let message):
                FreshpycCommand.complain(message)
                return 1
            }
        }
        if arguments.wantsHelp {
            Host.write(Verb.compileAll.help, to: 1)
            return 0
        }
        let session = try SessionArguments(
            ParsedArguments([], options: [], verb: Verb.compileAll.rawValue), verb: .compileAll)
        return EventLoop.run { loop in CompileAllCommand(arguments, session, loop: loop).start() }
    }

    private func start() {
        do throws(UsageError) {
            guard let destinations = try destinations() else { return loop.stop(1) }
            let compiler = try DropIn.compiler(
                session, jobs: arguments.workers ?? session.configuration.jobs, loop: loop)
            try plan(destinations, compiler.interpreters[0])
            results = Array(repeating: nil, count: jobs.count)
            loop.onSignal(EventLoop.interrupt) { [self] in
                isInterrupted = true
                compiler.cancel()
            }
            var options = BatchOptions(
                mode: arguments.effectiveInvalidation, reuse: .none)
            options.wantsText = true
            options.removesRefused = false
            options.makesDirectories = true
            tell()
            compiler.run(jobs, options: options) { [self] index, result in
                results[index] = result
                tell()
            } done: { [self] in
                compiler.close()
                if isInterrupted, arguments.quiet < 2 { Host.write("\n[interrupted]\n", to: 1) }
                loop.stop(hasFailed || isInterrupted ? 1 : 0)
            }
        } catch {
            FreshpycCommand.complain(error.message)
            loop.stop(error.status)
        }
    }

    /// Operands and the lines of `-i`.
    ///
    /// - Returns: `nil` where the list cannot be read.
    private func destinations() throws(UsageError) -> [BytePath]? {
        guard let list = arguments.list, !list.isEmpty else { return arguments.operands }
        let contents: [UInt8]
        if list == BytePath("-") {
            contents = Host.standardInput()
        } else if let read = Host.contents(
            list.isAbsolute ? list : session.workingDirectory.appending(list), limit: 1 << 28)
        {
            contents = read
        } else {
            if arguments.quiet < 2 { Host.write("Error reading file list \(list)\n", to: 1) }
            return nil
        }
        return arguments.operands + DropIn.lines(contents).compactMap { BytePath(DropIn.trimmed($0)) }
    }

    private func plan(_ destinations: [BytePath], _ interpreter: Interpreter) throws(UsageError) {
        var plan: CompileAllPlan
        do throws(SystemError) {
            plan = try CompileAllPlan(arguments, interpreter: interpreter, workingDirectory: session.workingDirectory)
        } catch {
            throw UsageError(message: "cannot open \(error)")
        }
        if destinations.isEmpty {
            // As `-l sys.path`, and not ending with the first directory in which something fails.
            for directory in try DropIn.searchPath(of: interpreter, workingDirectory: session.workingDirectory) {
                plan.addDirectory(directory, levels: 0, mayBeMissing: true)
            }
        } else {
            if let expression = arguments.expression, !expression.isEmpty {
                plan.leaveOut(try DropIn.matches(of: expression, in: plan.names(of: destinations), by: interpreter))
            }
            plan.add(destinations)
        }
        steps = plan.steps
        jobs = plan.jobs
    }

    // MARK: Telling

    /// Prints all steps up to the first whose jobs are still under way.
    private func tell() {
        while nextStep < steps.count {
            switch steps[nextStep] {
            case .line(let text, let quietFrom):
                if arguments.quiet < quietFrom { printed += text + "\n" }
            case .fail: hasFailed = true
            case .compile(let file, let range, let refusal):
                guard range.allSatisfy({ results[$0] != nil }) else { return flush() }
                tellResults(file, range, refusal)
            case .again(let file, let range):
                guard range.allSatisfy({ results[$0] != nil }) else { return flush() }
                if !range.allSatisfy({ results[$0]?.outcome.isWritten == true }) { tellResults(file, range, nil) }
            }
            nextStep += 1
        }
        flush()
    }

    private func flush() {
        if !printed.isEmpty { Host.write(printed, to: 1) }
        printed = ""
    }

    private func tellResults(_ file: BytePath, _ range: Range<Int>, _ refusal: String?) {
        if arguments.quiet < 1 { printed += "Compiling \(PythonText.repr(file))...\n" }
        var isTold = false
        for index in range {
            guard let result = results[index] else { continue }
            for warning in result.diagnostics where warning.severity == .warning {
                // What goes to standard error must not overtake what was printed before.
                flush()
                DropIn.warn(warning, of: jobs[index])
            }
            guard !isTold, let text = DropIn.failure(result.outcome, of: jobs[index]) else { continue }
            tellError(file, text)
            isTold = true
        }
        if !isTold, let refusal {
            tellError(file, refusal)
        } else if !isTold, arguments.linksDuplicates {
            DuplicateLinks.make(jobs[range].map(\.output))
        }
    }

    private func tellError(_ file: BytePath, _ text: String) {
        hasFailed = true
        if arguments.quiet >= 2 { return }
        printed += arguments.quiet == 1 ? "*** Error compiling \(PythonText.repr(file))...\n" : "*** "
        printed += text + "\n"
    }
}
