// `compileall`: does what `python -m compileall` does, with its words.
// Knows: from a command line to a plan, the exit status. Does not know: what is looked at (CompileAllPlan), how it is
// done and told (CompileAllRun).

import BasicTypes
import BuildModel
import Interpreters
import LinuxSystem

/// Prepares a run on a loop.
final class CompileAllCommand {
    private let arguments: CompileAllArguments
    private let session: SessionArguments
    private let loop: EventLoop

    private init(_ arguments: CompileAllArguments, _ session: SessionArguments, loop: EventLoop) {
        self.arguments = arguments
        self.session = session
        self.loop = loop
    }

    /// - Returns: the exit status.
    static func run(_ words: [Argument]) throws(UsageError) -> Int32 {
        let arguments: CompileAllArguments
        do throws(UsageError) {
            guard let read = try CompileAllArguments.read(words) else {
                Host.write(Verb.compileAll.help, to: 1)
                return 0
            }
            arguments = read
        } catch {
            return ArgparseUsage.compileAll.complain(error.message)
        }
        let session = try SessionArguments(
            ParsedArguments([], options: [], verb: Verb.compileAll.rawValue), verb: .compileAll)
        return EventLoop.run { loop in CompileAllCommand(arguments, session, loop: loop).start() }
    }

    private func start() {
        do throws(UsageError) {
            guard let listed = listed() else { return loop.stop(1) }
            let compiler = try DropIn.compiler(session, jobs: jobs, loop: loop)
            let named = arguments.operands + listed
            let effective = named.isEmpty ? arguments.ofSearchPath : arguments
            guard let plan = try plan(effective, named, compiler.interpreters[0]) else {
                compiler.close()
                return loop.stop(1)
            }
            var isInterrupted = false
            let quiet = arguments.quiet
            let run = CompileAllRun(plan, effective, compiler: compiler, loop: loop) { [loop] hasFailed in
                compiler.close()
                if isInterrupted, quiet < 2 { Host.write("\n[interrupted]\n", to: 1) }
                loop.stop(hasFailed || isInterrupted ? 1 : 0)
            }
            loop.onSignal(EventLoop.interrupt) {
                isInterrupted = true
                run.interrupt()
            }
            run.start()
        } catch {
            FreshpycCommand.complain(error.message)
            loop.stop(2)
        }
    }

    /// Without `-j`, as many as for any other verb.
    private var jobs: Int {
        guard let workers = arguments.workers, workers != 0 else { return session.configuration.jobs }
        return max(1, min(workers, 1024))
    }

    /// The lines of `-i`.
    ///
    /// - Returns: `nil` where the list cannot be read, which is told.
    private func listed() -> [BytePath]? {
        guard let list = arguments.list, !list.isEmpty else { return [] }
        let contents: [UInt8]
        if list == BytePath("-") {
            contents = Host.standardInput()
        } else if let read = Host.contents(
            list.isAbsolute ? list : session.workingDirectory.appending(list), limit: 1 << 28)
        {
            contents = read
        } else {
            if arguments.quiet < 2 { Host.write("Error reading file list \(PythonText.shown(list))\n", to: 1) }
            return nil
        }
        return DropIn.lines(contents).compactMap { BytePath(DropIn.trimmed($0)) }
    }

    /// - Returns: `nil` where the expression is none, which is told.
    private func plan(
        _ effective: CompileAllArguments, _ named: [BytePath], _ interpreter: Interpreter
    ) throws(UsageError) -> CompileAllPlan? {
        var plan = CompileAllPlan(effective, try DropIn.places(for: interpreter, session))
        if let expression = arguments.expression, !expression.isEmpty {
            switch try DropIn.matches(of: expression, in: plan.names(of: named), by: interpreter) {
            case .success(let found): plan.leaveOut(found)
            case .failure(let error):
                FreshpycCommand.complain(
                    "\(PythonText.repr(expression)) is no regular expression: \(error.message) (-x)")
                return nil
            }
        }
        if named.isEmpty {
            plan.add(searchPath: try DropIn.searchPath(of: interpreter, workingDirectory: session.workingDirectory))
        }
        for name in named { plan.add(name) }
        return plan
    }
}
