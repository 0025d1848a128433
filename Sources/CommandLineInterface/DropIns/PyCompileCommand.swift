// `py-compile`: does what `python -m py_compile` does, with its words.
// Knows: its command line, what it prints, its exit status. Does not know: how a file is compiled.

import BasicTypes
import Batches
import LinuxSystem

/// Compiles one file after the other, and ends with the first that fails.
final class PyCompileCommand {
    private enum Option: ArgparseOption {
        case help, quiet

        var names: [String] { self == .help ? ["-h", "--help"] : ["-q", "--quiet"] }
        var takesValue: Bool { false }
    }

    private let session: SessionArguments
    private let isQuiet: Bool
    private var names: ArraySlice<BytePath>
    private let loop: EventLoop
    private let options = DropIn.options(DropIn.standardInvalidation)
    private var places: DropInPlaces?
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
        do throws(UsageError) {
            let operands = try ArgparseReader<Option>.read(words, required: "filenames") { option, _ in
                if option == .quiet { isQuiet = true }
                return option != .help
            }
            guard let operands else {
                Host.write(Verb.pyCompile.help, to: 1)
                return 0
            }
            names = operands
        } catch {
            return ArgparseUsage.pyCompile.complain(error.message)
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
            let compiler = try DropIn.compiler(session, jobs: 1, loop: loop)
            self.compiler = compiler
            places = try DropIn.places(for: compiler.interpreters[0], session)
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
