// Turns the command line of compileall into a plan, and the result of its run into an exit status.

import BasicTypes
import BuildModel
import Interpreters
import LinuxSystem

/// Prepares a run on a loop.
final class CompileAllPreparation {
    private let arguments: CompileAllArguments
    private let session: SessionArguments
    private let output: StandardOutput
    private let loop: EventLoop

    init(_ arguments: CompileAllArguments, _ session: SessionArguments, output: StandardOutput, loop: EventLoop) {
        self.output = output
        self.arguments = arguments
        self.session = session
        self.loop = loop
    }

    func start() {
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
            let run = CompileAllRun(plan, effective, compiler: compiler, output: output, loop: loop) {
                [loop, output] hasFailed in
                compiler.close()
                if isInterrupted, quiet < 2 { output.write("\n[interrupted]\n") }
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

    /// The number of workers; without `-j`, the same as for other verbs.
    private var jobs: Int {
        guard let workers = arguments.workers, workers != 0 else { return session.configuration.jobs }
        return max(1, min(workers, 1024))
    }

    /// The lines of `-i`.
    ///
    /// - Returns: `nil` after a message, if the list cannot be read.
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
            if arguments.quiet < 2 { output.write("Error reading file list \(PythonText.shown(list))\n") }
            return nil
        }
        return DropIn.lines(contents).compactMap { BytePath(DropIn.trimmed($0)) }
    }

    /// - Returns: `nil` after a message, if `-x` is not a regular expression.
    private func plan(
        _ effective: CompileAllArguments, _ named: [BytePath], _ interpreter: Interpreter
    ) throws(UsageError) -> CompileAllPlan? {
        var plan = CompileAllPlan(effective, try DropIn.places(for: interpreter, session))
        if let expression = arguments.expression, !expression.isEmpty {
            switch try DropIn.matches(of: expression, in: plan.names(of: named), by: interpreter) {
            case .success(let found): plan.leaveOut(found)
            case .failure(let error):
                FreshpycCommand.complain(
                    "\(PythonText.repr(expression)) is not a regular expression: \(error.message) (-x)")
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
