// The command of `--exec`: when it starts and stops, and which changes it is run for.

import BasicTypes
import LinuxSystem

/// The changes that the command is run for, and the sources that they affect.
package struct Impact: Sendable {
    package var changed: Set<BytePath> = []
    package var affected: Set<BytePath> = []
    package var tests: Set<BytePath> = []

    package init() {}

    mutating func formUnion(_ other: Impact) {
        changed.formUnion(other.changed)
        affected.formUnion(other.affected)
        tests.formUnion(other.tests)
    }
}

/// What happened to the command.
package enum CommandEvent: Hashable, Sendable {
    /// It was started; the command as the shell gets it.
    case started(String)
    /// No test is affected, so a command for tests has nothing to do.
    case notNeeded
    /// It was told to end: by a wave, or at the end of the watch.
    case stopped
    /// It ended by itself, after these nanoseconds.
    case ended(Ending, after: Int64)
    /// It could not be started.
    case failedToStart(SystemError)

    package enum Ending: Hashable, Sendable {
        case status(Int32)
        case signal(Int32)
    }
}

/// Runs one command at a time. Lives on the loop.
package final class ImpactCommand {
    /// What to do when a wave ends while the command is running.
    package enum Mode: String, CaseIterable, Sendable {
        /// Stop the command, and run it again for the changes of both waves.
        case restart
        /// Let the command finish, then run it again.
        case queue
    }

    /// What to do with a running command when a wave ends with a failure.
    package enum OnError: String, CaseIterable, Sendable {
        /// Let it run on: a server goes on with the code that it has loaded.
        case keep
        /// Stop it.
        case stop
    }

    private enum State {
        case idle
        case running(CommandProcess, EventLoop.Source, Impact)
        /// Told to terminate (SIGTERM); killed when the timer fires.
        case ending(CommandProcess, EventLoop.Source, EventLoop.Source)
    }

    /// How long a run may take to terminate before it is killed, in nanoseconds.
    private static let patience: Int64 = 5_000_000_000
    /// Maximum length of a list in bytes. The kernel accepts strings of up to 128 KiB (MAX_ARG_STRLEN, execve(2)).
    private static let mostBytes = 100 * 1024
    package static let placeholders = ["{changed}", "{affected}", "{affected-tests}"]

    private let command: String
    private let mode: Mode
    private let onError: OnError
    private let root: BytePath
    private let environment: [BytePath]
    private let sharesOutput: Bool
    private let loop: EventLoop
    private let report: (CommandEvent) -> Void
    /// When the current run was started.
    private var begun: Int64 = 0
    private var state = State.idle
    /// The changes for the next run; `nil` if there is no reason for a run.
    private var next: Impact?

    /// - Parameters:
    ///   - root: the command's working directory.
    ///   - report: called with a message about a run that has failed.
    package init(
        _ command: String, mode: Mode, onError: OnError, root: BytePath, environment: [BytePath], sharesOutput: Bool,
        loop: EventLoop, report: @escaping (CommandEvent) -> Void
    ) {
        self.command = command
        self.mode = mode
        self.onError = onError
        self.root = root
        self.environment = environment
        self.sharesOutput = sharesOutput
        self.loop = loop
        self.report = report
    }

    /// Runs the command for these changes. Call it only if everything compiles.
    package func run(_ impact: Impact) {
        // Most programs take an empty list to mean everything, so do not run the command if no test is affected.
        if needsTests, !impact.changed.isEmpty, !hasTests(impact) {
            return report(.notNeeded)
        }
        next = next ?? Impact()
        next?.formUnion(impact)
        switch state {
        case .idle: start()
        case .running where mode == .restart: cancel()
        case .running, .ending: break
        }
    }

    private var needsTests: Bool { command.contains("{affected-tests}") }

    /// Whether the next run would be given at least one test.
    private func hasTests(_ impact: Impact) -> Bool {
        if impact.tests.contains(where: isThere) || unfinished.tests.contains(where: isThere) || next != nil {
            return true
        }
        // The next run also gets the changes of the run that it replaces.
        if case .running(_, _, let told) = state, mode == .restart { return !told.tests.isEmpty }
        return false
    }

    /// Handles a change that does not compile: stops the current run in `restart` mode, because its result would be useless,
    /// and keeps all changes for the next run.
    package func hold() {
        if onError == .stop { cancel() }
        if let next { unfinished.formUnion(next) }
        next = nil
    }

    /// Stops the current run and waits until it has ended.
    package func stop() {
        next = nil
        switch state {
        case .idle: return
        case .running(let process, let source, _), .ending(let process, let source, _):
            source.cancel()
            process.terminate(withForce: false)
            // Give it half a second to clean up.
            _ = try? process.ending.waitUntilReadable(nanoseconds: 500_000_000)
            process.finish(withForce: true)
            state = .idle
            report(.stopped)
        }
    }

    private func cancel() {
        guard case .running(let process, let source, let told) = state else { return }
        // The next run also gets the changes of this one.
        next?.formUnion(told)
        if next == nil { unfinished.formUnion(told) }
        process.terminate(withForce: false)
        let timer = loop.after(Self.patience) { process.terminate(withForce: true) }
        state = .ending(process, source, timer)
    }

    /// The changes of runs that failed, were cancelled, held back or could not start, for the next run.
    private var unfinished = Impact()

    private func start() {
        guard var impact = next else { return }
        next = nil
        impact.formUnion(unfinished)
        unfinished = Impact()
        // A test that failed may have been deleted or renamed since.
        impact.tests = impact.tests.filter { isThere($0) }
        impact.affected = impact.affected.filter { isThere($0) || impact.changed.contains($0) }
        if needsTests, !impact.changed.isEmpty, impact.tests.isEmpty { return report(.notNeeded) }
        do throws(SystemError) {
            let (text, isTooMuch) = filled(impact)
            // Before its first line of output.
            report(.started(text))
            let process = try CommandProcess(
                text, in: root, environment: environment + variables(impact, isTooMuch), sharesOutput: sharesOutput)
            let source = loop.onReadable(process.ending) { [weak self] in self?.ended() }
            state = .running(process, source, impact)
            begun = Host.monotonic
        } catch {
            unfinished.formUnion(impact)
            report(.failedToStart(error))
        }
    }

    private func isThere(_ path: BytePath) -> Bool { ((try? Host.status(root.appending(path))) ?? nil) != nil }

    private func ended() {
        switch state {
        case .idle: return
        case .running(let process, let source, let told):
            source.cancel()
            let duration = Host.monotonic - begun
            switch process.finish() {
            case .status(let status):
                // Tests that failed are run again with the next change, until they succeed.
                if status != 0 { unfinished.formUnion(told) }
                report(.ended(.status(status), after: duration))
            case .signal(let number):
                unfinished.formUnion(told)
                report(.ended(.signal(number), after: duration))
            }
        case .ending(let process, let source, let timer):
            source.cancel()
            timer.cancel()
            process.finish(withForce: true)
            report(.stopped)
        }
        state = .idle
        start()
    }

    // MARK: Variables and placeholders

    private func variables(_ impact: Impact, _ isTooMuchForCommand: Bool) -> [BytePath] {
        var isTooMuch = isTooMuchForCommand
        func variable(_ name: String, _ paths: Set<BytePath>) -> BytePath {
            let list = Array(paths.sorted().map { Array($0.bytes) }.joined(separator: [UInt8(ascii: "\n")]))
            if list.count > Self.mostBytes { isTooMuch = true }
            return BytePath(Array("\(name)=".utf8) + (list.count > Self.mostBytes ? [] : list)) ?? .empty
        }
        let found = [
            variable("FRESHPYC_CHANGED", impact.changed), variable("FRESHPYC_AFFECTED", impact.affected),
            variable("FRESHPYC_AFFECTED_TESTS", impact.tests),
        ]
        return isTooMuch ? found + [BytePath("FRESHPYC_TOO_MANY=1")] : found
    }

    /// Fills in the placeholders of the command. A list that is too long is omitted, which most programs take to mean
    /// everything.
    private func filled(_ impact: Impact) -> (text: String, isTooMuch: Bool) {
        var text = ""
        var isTooMuch = false
        // All lists are part of the same argument of the shell, so they share the limit.
        let places = Self.placeholders.reduce(0) { $0 + Self.count($1, in: command) }
        let mostBytes = Self.mostBytes / max(1, places)
        var rest = command[...]
        while let brace = rest.firstIndex(of: "{") {
            text += rest[..<brace]
            rest = rest[brace...]
            let lists = Array(zip(Self.placeholders, [impact.changed, impact.affected, impact.tests]))
            if let (name, paths) = lists.first(where: { rest.hasPrefix($0.0) }) {
                let words = paths.sorted().map { Self.quoted($0.description) }.joined(separator: " ")
                if words.utf8.count > mostBytes { isTooMuch = true } else { text += words }
                rest = rest.dropFirst(name.count)
            } else {
                text += "{"
                rest = rest.dropFirst()
            }
        }
        return (text + rest, isTooMuch)
    }

    private static func count(_ placeholder: String, in command: String) -> Int {
        var rest = command[...]
        var count = 0
        while let range = rest.firstRange(of: placeholder) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }

    /// Quotes a word for the shell if it needs it.
    package static func quoted(_ word: String) -> String {
        if !word.isEmpty, word.utf8.allSatisfy({ PythonName.has($0) && $0 < 0x80 || "/.-".utf8.contains($0) }) {
            return word
        }
        return "'" + word.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
    }
}
