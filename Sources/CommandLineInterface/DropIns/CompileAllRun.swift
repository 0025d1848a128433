// One run of compileall: carries out a plan in rounds, and prints the results in the order of the plan.

import Batches
import BuildModel
import LinuxSystem

/// Runs a plan on a loop. The files of a round are compiled in any order, but reported in compileall's order.
///
/// A file is checked when its round begins: if it is named twice, it is up to date the second time, or fails again.
final class CompileAllRun {
    /// The progress of one file.
    private struct Progress {
        /// It is up to date, so it is not reported.
        var isFresh = false
        /// For each level that was compiled, the job and its result.
        var done: [(job: BatchJob, result: BatchResult)] = []
        /// The error; no further levels are compiled.
        var failure: String?
    }

    private let arguments: CompileAllArguments
    private let compiler: BatchCompiler
    private let options: BatchOptions
    private let output: StandardOutput
    private let loop: EventLoop
    private let steps: [CompileAllPlan.Step]
    private let files: [CompileAllPlan.File]
    private var places: DropInPlaces
    private var progress: [Progress]
    /// The files of each round, with the level to compile. The last round comes first.
    private var rounds: [[(file: Int, level: Int)]]
    private var nextStep = 0
    private var hasFailed = false
    private var isEnded = false
    private var printed = ""
    private let finished: (_ hasFailed: Bool) -> Void

    /// - Parameter finished: called once, at the end.
    init(
        _ plan: CompileAllPlan, _ arguments: CompileAllArguments, compiler: BatchCompiler, output: StandardOutput,
        loop: EventLoop, finished: @escaping (_ hasFailed: Bool) -> Void
    ) {
        self.arguments = arguments
        self.compiler = compiler
        self.output = output
        self.loop = loop
        self.finished = finished
        options = DropIn.options(arguments.invalidation ?? DropIn.standardInvalidation)
        steps = plan.steps
        files = plan.files
        places = plan.places
        progress = Array(repeating: Progress(), count: files.count)
        rounds = Array(repeating: [], count: (files.compactMap(\.rounds.last).max() ?? -1) + 1)
        for (index, file) in files.enumerated() {
            for (level, round) in file.rounds.enumerated() { rounds[round].append((index, level)) }
        }
        rounds.reverse()
    }

    /// Starts the next round, or finishes the run if there is none.
    func start() {
        tell()
        guard !isEnded, let round = rounds.popLast() else { return finished(hasFailed) }
        var jobs: [BatchJob] = []
        var fileOfJob: [Int] = []
        for (index, level) in round {
            guard let job = job(index, level) else { continue }
            jobs.append(job)
            fileOfJob.append(index)
        }
        compiler.run(
            jobs, options: options,
            each: { [self] place, result in
                take(jobs[place], result, fileOfJob[place])
                tell()
            },
            done: { [self] in loop.later { [self] in start() } })
    }

    /// Ends the run without waiting for pending jobs.
    func interrupt() {
        isEnded = true
        compiler.cancel()
    }

    // MARK: Compiling

    /// - Returns: `nil` if there is nothing to compile.
    private func job(_ index: Int, _ levelIndex: Int) -> BatchJob? {
        let file = files[index]
        let place = file.places[levelIndex]
        if progress[index].isFresh || progress[index].failure != nil { return nil }
        if levelIndex == 0, isFresh(file) {
            progress[index].isFresh = true
            return nil
        }
        if let refusal = places.refusal(place) {
            progress[index].failure = "FileExistsError: \(refusal)"
            return nil
        }
        let number = arguments.levels[levelIndex]
        do throws(SystemError) {
            guard (-1...2).contains(number) else {
                try places.check(file.name)
                progress[index].failure =
                    Int32(exactly: number) == nil
                    ? "Sorry: OverflowError: Python int too large to convert to C int"
                    : "Sorry: ValueError: compile(): invalid optimize value"
                return nil
            }
            let level = number < 0 ? DropIn.ownLevel : OptimizationLevel(rawValue: UInt8(number)) ?? .none
            return try places.job(file.name, to: place, fileName: file.fileName, level: level)
        } catch {
            progress[index].failure = PythonException(error, file.name).description
            return nil
        }
    }

    private func isFresh(_ file: CompileAllPlan.File) -> Bool {
        guard !arguments.isForced, let status = places.status(file.name) else { return false }
        return file.places.allSatisfy { places.speaks($0, status.stamp) }
    }

    private func take(_ job: BatchJob, _ result: BatchResult, _ index: Int) {
        let file = files[index]
        switch result.outcome {
        case .refused(let text): progress[index].failure = text
        case .problem(let diagnostic, let cause):
            let place = file.places[progress[index].done.count]
            progress[index].failure =
                places.exception(diagnostic, cause, file: file.name, place: place).description
        case .upToDate, .resealed, .restored, .compiled: break
        }
        progress[index].done.append((job, result))
    }

    // MARK: Printing

    /// Prints all steps up to the first file that is not finished.
    private func tell() {
        while nextStep < steps.count, !isEnded {
            switch steps[nextStep] {
            case .line(let text, let quietFrom):
                if arguments.quiet < quietFrom { printed += text + "\n" }
            case .fail: hasFailed = true
            case .endIfFailed: isEnded = hasFailed
            case .end(let message):
                flush()
                FreshpycCommand.complain(message)
                hasFailed = true
                isEnded = true
            case .file(let index):
                let progress = progress[index]
                guard progress.isFresh || progress.failure != nil || progress.done.count == files[index].places.count
                else { return flush() }
                if !progress.isFresh { tell(files[index], progress) }
                self.progress[index].done = []
            }
            nextStep += 1
        }
        flush()
    }

    private func flush() {
        output.write(printed)
        printed = ""
    }

    private func tell(_ file: CompileAllPlan.File, _ progress: Progress) {
        let name = PythonText.repr(file.name)
        if arguments.quiet == 0 { printed += "Compiling \(name)...\n" }
        for (job, result) in progress.done {
            for warning in result.diagnostics where warning.severity == .warning {
                // Warnings go to standard error, and must not overtake earlier output.
                flush()
                DropIn.warn(warning, of: job)
            }
        }
        if arguments.linksDuplicates {
            DuplicateLinks.make(progress.done.filter { $0.result.outcome.isWritten }.map(\.job.output))
        }
        guard let failure = progress.failure else { return }
        hasFailed = true
        if arguments.quiet >= 2 { return }
        printed += arguments.quiet == 1 ? "*** Error compiling \(name)...\n" : "*** "
        printed += failure + "\n"
    }
}
