// One run of `py-compile`: its files in order, with Python's messages and exit status.

import BasicTypes
import Batches
import LinuxSystem

/// Compiles one file after the other, and stops at the first that fails.
final class PyCompileRun {
    private let session: SessionArguments
    private let isQuiet: Bool
    private var names: ArraySlice<BytePath>
    private let loop: EventLoop
    private let options = DropIn.options(DropIn.standardInvalidation)
    private var places: DropInPlaces?
    private var compiler: BatchCompiler?

    init(_ session: SessionArguments, names: [BytePath], isQuiet: Bool, loop: EventLoop) {
        self.session = session
        self.names = names[...]
        self.isQuiet = isQuiet
        self.loop = loop
    }

    func start() {
        do throws(UsageError) {
            let compiler = try DropIn.compiler(session, jobs: 1, loop: loop)
            self.compiler = compiler
            places = try DropIn.places(for: compiler.interpreters[0], session)
            next()
        } catch {
            end(2, "freshpyc: \(error.message)\n")
        }
    }

    private func end(_ status: Int32, _ text: String = "") {
        if status != 0, !isQuiet || status == 2 { Host.writeError(text) }
        compiler?.close()
        loop.stop(status)
    }

    private func next() {
        guard let compiler, var places, let name = names.popFirst() else { return end(0) }
        let place = places.bytecode(of: name, level: -1)
        if let refusal = places.refusal(place) { return end(1, refusal) }
        let job: BatchJob
        do throws(SystemError) {
            try places.check(name)
            job = try places.job(name, to: place, fileName: name, level: DropIn.ownLevel)
        } catch {
            return end(1, PythonException(error, name).text)
        }
        self.places = places
        var result: BatchResult?
        compiler.run([job], options: options, each: { result = $1 }) { [self] in
            guard let result else { return end(1) }
            for warning in result.diagnostics where warning.severity == .warning { DropIn.warn(warning, of: job) }
            switch result.outcome {
            case .refused(let text): end(1, text)
            case .problem(let diagnostic, let cause):
                end(1, places.exception(diagnostic, cause, file: name, place: place).text)
            case .upToDate, .resealed, .restored, .compiled: loop.later { [self] in next() }
            }
        }
    }
}
