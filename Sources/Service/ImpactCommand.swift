// The command of `--exec`: when it is started and ended, and what it is told.

import BasicTypes
import LinuxSystem

/// What a run of the command is told.
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

/// Runs one command at a time. Lives on the loop.
package final class ImpactCommand {
    /// What happens when a wave ends while the command is running.
    package enum Mode: String, CaseIterable, Sendable {
        /// The command is ended, and run again with the changes of both waves.
        case restart
        /// The command goes on, and is run again after it has ended.
        case queue
    }

    private enum State {
        case idle
        case running(CommandProcess, EventLoop.Source, Impact)
        /// Asked to end; killed when the timer fires.
        case ending(CommandProcess, EventLoop.Source, EventLoop.Source)
    }

    /// Nanoseconds that a run may take to end after it was asked to.
    private static let patience: Int64 = 5_000_000_000
    /// Bytes of the longest list in a variable: the kernel accepts strings of up to 128 KiB (MAX_ARG_STRLEN, execve(2)).
    private static let mostBytes = 100 * 1024
    private static let placeholders = ["{changed}", "{affected}", "{affected-tests}"]

    private let command: String
    private let mode: Mode
    private let root: BytePath
    private let environment: [BytePath]
    private let sharesOutput: Bool
    private let loop: EventLoop
    private let report: (String) -> Void
    private var state = State.idle
    /// What the next run is told; `nil` if there is no reason for a run.
    private var next: Impact?

    /// - Parameters:
    ///   - root: the command's working directory.
    ///   - report: called with a sentence about a run that has failed.
    package init(
        _ command: String, mode: Mode, root: BytePath, environment: [BytePath], sharesOutput: Bool, loop: EventLoop,
        report: @escaping (String) -> Void
    ) {
        self.command = command
        self.mode = mode
        self.root = root
        self.environment = environment
        self.sharesOutput = sharesOutput
        self.loop = loop
        self.report = report
    }

    /// Everything compiles: runs the command for these changes.
    package func run(_ impact: Impact) {
        // Most programs take no file to mean all files: if no test is affected, the command is not run.
        if command.contains("{affected-tests}"), !impact.changed.isEmpty, !hasTests(impact) { return }
        next = next ?? Impact()
        next?.formUnion(impact)
        switch state {
        case .idle: start()
        case .running where mode == .restart: cancel()
        case .running, .ending: break
        }
    }

    /// Whether the next run would be told of a test.
    private func hasTests(_ impact: Impact) -> Bool {
        if !impact.tests.isEmpty || !unfinished.tests.isEmpty || next != nil { return true }
        // The next run is also told what an ended run was told.
        if case .running(_, _, let told) = state, mode == .restart { return !told.tests.isEmpty }
        return false
    }

    /// Something changed that does not compile: the current run is of no use, and the next one is told its changes again.
    package func hold() {
        if mode == .restart { cancel() }
        if let next { unfinished.formUnion(next) }
        next = nil
    }

    /// Ends the current run, and waits for its end.
    package func stop() {
        next = nil
        switch state {
        case .idle: return
        case .running(let process, let source, _), .ending(let process, let source, _):
            source.cancel()
            process.terminate(withForce: false)
            // It has half a second to clean up.
            _ = try? process.ending.waitUntilReadable(nanoseconds: 500_000_000)
            process.finish(withForce: true)
            state = .idle
        }
    }

    private func cancel() {
        guard case .running(let process, let source, let told) = state else { return }
        // The changes that it was run for are those of the next run.
        next?.formUnion(told)
        if next == nil { unfinished.formUnion(told) }
        process.terminate(withForce: false)
        let timer = loop.after(Self.patience) { process.terminate(withForce: true) }
        state = .ending(process, source, timer)
    }

    /// What cancelled runs were told, until the next run.
    private var unfinished = Impact()

    private func start() {
        guard var impact = next else { return }
        next = nil
        impact.formUnion(unfinished)
        unfinished = Impact()
        do throws(SystemError) {
            let (text, isTooMuch) = filled(impact)
            let process = try CommandProcess(
                text, in: root, environment: environment + variables(impact, isTooMuch), sharesOutput: sharesOutput)
            let source = loop.onReadable(process.ending) { [weak self] in self?.ended() }
            state = .running(process, source, impact)
        } catch {
            unfinished.formUnion(impact)
            report("cannot run the command: \(error)")
        }
    }

    private func ended() {
        switch state {
        case .idle: return
        case .running(let process, let source, _):
            source.cancel()
            switch process.finish() {
            case .status(0): break
            case .status(let status): report("the command ended with exit status \(status)")
            case .signal(let number): report("the command was ended by signal \(number)")
            }
        case .ending(let process, let source, let timer):
            source.cancel()
            timer.cancel()
            process.finish(withForce: true)
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

    /// The command with its placeholders filled in. A list that is too long is left out, which most programs take to mean
    /// everything.
    private func filled(_ impact: Impact) -> (text: String, isTooMuch: Bool) {
        var text = ""
        var isTooMuch = false
        // Together they are one argument of a shell.
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

    /// One word for a shell.
    private static func quoted(_ word: String) -> String {
        "'" + word.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
    }
}
