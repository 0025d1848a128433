import BasicTypes
import BuildModel
import Compilation
import Interpreters
import LinuxSystem
import Synchronization
import Testing

/// The pipeline with a real interpreter, and work that only counts.
@Suite(.serialized) struct CompilationPipelineTests {
    private let interpreter: Interpreter

    init() throws {
        Host.ignoreWriteSignals()
        interpreter = try InterpreterProbe.run(InterpreterFinder(root: BytePath("/")).standard().path).interpreter
    }

    /// What lanes count.
    private final class Counters: Sendable {
        let prepared = Atomic(0)
        let finished = Atomic(0)
        let largestLead = Atomic(0)
    }

    /// Items are numbers. Every third needs no worker, and every seventh does not compile.
    private struct Counting: CompilationWork {
        let counters: Counters
        var sourceSize = 10
        /// How long `finish` takes, in nanoseconds.
        var delay: UInt64 = 0

        func size(of item: Int) -> Int { sourceSize }
        func makeScratch() {}

        func prepare(_ item: Int, _ scratch: Void) -> Preparation<Int, String> {
            if item % 3 == 0 { return .finished("none \(item)") }
            let lead =
                counters.prepared.add(1, ordering: .relaxed).newValue - counters.finished.load(ordering: .relaxed)
            counters.largestLead.max(lead, ordering: .relaxed)
            let text = item % 7 == 0 ? "(" : "x = \(item)\n" + String(repeating: "#", count: sourceSize)
            return .request(
                CompileRequest(
                    identifier: 0, level: .none, wantsCode: true, fileName: BytePath("m\(item).py"),
                    source: Array(text.utf8)), item)
        }

        func finish(_ item: Int, _ draft: Int, _ result: CompileResult, _ scratch: Void) -> String {
            counters.finished.add(1, ordering: .relaxed)
            if delay > 0 { Host.sleep(nanoseconds: Int64(delay)) }
            guard item == draft else { return "mixed up" }
            return switch result {
            case .compiled: "code \(item)"
            case .refused: "refused \(item)"
            default: "\(result)"
            }
        }
    }

    /// Written on the loop, read when it has stopped.
    private final class Notes: @unchecked Sendable {
        var outcomes: [Int: [String]] = [:]
        var ends = 0
        var afterEnd = 0
    }

    private static func expected(_ item: Int) -> String {
        item % 3 == 0 ? "none \(item)" : item % 7 == 0 ? "refused \(item)" : "code \(item)"
    }

    /// - Parameter cancelsAfter: the number of outcomes after which the pipeline is cancelled, from within `each`.
    private func run(
        _ work: Counting, queues counts: [Int], workers: Int, cancelsAfter: Int = .max
    ) -> Notes {
        let notes = Notes()
        let interpreter = interpreter
        _ = EventLoop.run { loop in
            let pools = counts.map { _ in
                WorkerPool(loop: loop, interpreter: interpreter, size: workers, deadline: 60_000_000_000)
            }
            var first = 0
            let queues = zip(counts, pools).map { count, pool in
                defer { first += count }
                return CompilationPipeline<Counting>.Queue(pool: pool, items: Array(first..<first + count))
            }
            var pipeline: CompilationPipeline<Counting>?
            var seen = 0
            pipeline = CompilationPipeline(work, queues, loop: loop, workers: workers) { item, outcome in
                notes.outcomes[item, default: []].append(outcome)
                if notes.ends > 0 { notes.afterEnd += 1 }
                seen += 1
                if seen == cancelsAfter { loop.later { pipeline?.cancel() } }
            } done: {
                notes.ends += 1
                for pool in pools { pool.shutDown() }
                // Whatever comes too late would come now.
                loop.later { loop.later { loop.stop(0) } }
            }
            pipeline?.start()
        }
        return notes
    }

    @Test(arguments: [[0], [1], [500], [0, 40, 0, 100], [3, 3, 3]]) func everyItemHasOneOutcome(_ counts: [Int]) {
        for workers in [1, 4] {
            let notes = run(Counting(counters: Counters()), queues: counts, workers: workers)
            let total = counts.reduce(0, +)
            #expect(notes.outcomes.count == total && notes.ends == 1)
            for item in 0..<total { #expect(notes.outcomes[item] == [Self.expected(item)]) }
        }
    }

    /// A cancelled pipeline ends once. What it delivered is right, and nothing comes after the end.
    @Test(arguments: [1, 2, 50, 400]) func aCancelledPipelineEndsOnce(_ cancelsAfter: Int) {
        let notes = run(
            Counting(counters: Counters(), delay: 200_000), queues: [300, 300], workers: 4, cancelsAfter: cancelsAfter)
        #expect(notes.ends == 1 && notes.afterEnd == 0)
        #expect(notes.outcomes.count >= cancelsAfter)
        for (item, outcomes) in notes.outcomes { #expect(outcomes == [Self.expected(item)]) }
    }

    /// However slowly results are finished, a bounded number of sources is in memory.
    @Test func preparationWaitsForTheRest() {
        let counters = Counters()
        let work = Counting(counters: counters, sourceSize: 100_000, delay: 300_000)
        let notes = run(work, queues: [600], workers: 2)
        #expect(notes.outcomes.count == 600)
        // Of 40 MB of sources, 1 MB is prepared; a batch for each lane and what the workers hold come on top.
        #expect(counters.largestLead.load(ordering: .relaxed) < 200)
    }
}
