import BasicTypes
import BuildModel
import LinuxSystem
import Testing

@testable import Interpreters

/// Pools with real processes: the default interpreter, and scripts that misbehave.
@Suite(.serialized) struct WorkerPoolTests {
    private let interpreter: Interpreter
    private let scratch: BytePath

    init() throws {
        Host.ignoreWriteSignals()
        let python = try InterpreterFinder(root: BytePath("/")).standard()
        interpreter = try InterpreterProbe.run(python.path).interpreter
        let base = try Host.realPath(Host.environment("TMPDIR") ?? BytePath("/tmp"))
        scratch = base.appending("freshpyc-pool-\(Host.processIdentifier)-\(UInt32.random(in: 0 ... .max))")
        _ = try Host.makeDirectory(scratch, permissions: 0o755)
    }

    /// Written on the loop's queue, read when the loop has stopped.
    private final class Results: @unchecked Sendable {
        var found: [CompileResult] = []
    }

    /// Compiles sources with one pool, and returns the results in the order of their arrival.
    private func results(
        _ interpreter: Interpreter, sources: [[UInt8]], size: Int, deadline: Int64 = 60_000_000_000,
        pipeSize: Int32 = WorkerProcess.largePipe
    ) -> [CompileResult] {
        let results = Results()
        _ = EventLoop.run { loop in
            let pool = WorkerPool(
                loop: loop, interpreter: interpreter, size: size, deadline: deadline, pipeSize: pipeSize)
            pool.onAnswers = { answers in
                results.found += answers.map(\.result)
                if results.found.count == sources.count {
                    pool.shutDown()
                    loop.stop(0)
                }
            }
            pool.compile(
                sources.enumerated().map { index, source in
                    CompileRequest(
                        identifier: UInt32(index), level: .none, wantsCode: true, fileName: BytePath("x.py"),
                        source: source)
                })
        }
        return results.found
    }

    /// An executable script for the same interpreter, which ignores its arguments and input.
    ///
    /// - Parameter body: Python; `hello(**facts)` and `frame(bytes)` write frames.
    private func fake(_ body: String) throws -> Interpreter {
        let text = """
            #!\(interpreter.path) -S
            import importlib.util, importlib._bootstrap_external as external, marshal, os, struct, sys, time
            def frame(data):
                data = struct.pack('<I', len(data)) + data
                while data: data = data[os.write(1, data):]
            def hello(**other):
                facts = dict(version='\(interpreter.version)', implementation=sys.implementation.name,
                    tag=sys.implementation.cache_tag, magic=importlib.util.MAGIC_NUMBER.hex(), header='16',
                    hash=importlib.util.source_hash(b'freshpyc').hex())
                facts.update(other)
                frame(b'\\xff' * 4 + ''.join('%s %s\\n' % fact for fact in facts.items()).encode())
            \(body)
            """
        let path = scratch.appending("python-\(UInt32.random(in: 0 ... .max))")
        try Array(text.utf8).withRawBytes { bytes throws(SystemError) in
            try Directory(path: scratch).file(BytePath.empty.appending(path.lastComponent), .createNew(0o755))
                .writeAll(bytes)
        }
        var fake = interpreter
        fake.path = path
        return fake
    }

    @Test func sixtyFourWorkersAtOnce() {
        let source = Array("x = [1, 2, 3]\n".utf8)
        let found = results(interpreter, sources: Array(repeating: source, count: 1000), size: 64)
        #expect(found.count == 1000)
        #expect(found.allSatisfy { if case .compiled(let code, _, _) = $0 { !code.isEmpty } else { false } })
    }

    /// A user with many pipes gets pipes of one page (pipe(7)), which can hold neither worker.py nor a large source.
    @Test func pipesOfOnePageAreEnough() {
        let source = Array(String(repeating: "x = [1, 2, 3]\n", count: 5000).utf8)
        let found = results(
            interpreter, sources: Array(repeating: source, count: 8), size: 2, pipeSize: 4096)
        #expect(found.count == 8)
        #expect(found.allSatisfy { if case .compiled(let code, _, _) = $0 { !code.isEmpty } else { false } })
    }

    struct Misbehaviour: CustomStringConvertible {
        let description: String
        let body: String
        let isExpected: @Sendable (CompileResult) -> Bool
    }

    private static let misbehaviours: [Misbehaviour] = {
        let crashes: @Sendable (CompileResult) -> Bool = { if case .crashed = $0 { true } else { false } }
        let doesNotStart: @Sendable (CompileResult) -> Bool = {
            if case .unavailable(.cannotStart) = $0 { true } else { false }
        }
        let reply = "frame(struct.pack('<IBII', 0, 0, 1, 0) + b'code')"
        return [
            Misbehaviour(
                description: "babbles first", body: "print('Welcome to Python', flush=True); time.sleep(1000)",
                isExpected: doesNotStart),
            Misbehaviour(
                description: "writes a gigabyte of nothing",
                body: "while True: os.write(1, bytes(1 << 16))", isExpected: doesNotStart),
            Misbehaviour(
                description: "writes a gigabyte of text",
                body: "while True: os.write(1, b'text ' * 10000)", isExpected: doesNotStart),
            Misbehaviour(description: "ends at once", body: "sys.exit(3)", isExpected: doesNotStart),
            Misbehaviour(
                description: "answers without a hello", body: reply + "; time.sleep(1000)",
                isExpected: doesNotStart),
            Misbehaviour(
                description: "says hello twice", body: "hello(); hello(); time.sleep(1000)",
                isExpected: crashes),
            Misbehaviour(
                description: "answers what it was not asked",
                body: "hello(); frame(struct.pack('<IBII', 77, 0, 1, 0)); time.sleep(1000)", isExpected: crashes),
            Misbehaviour(
                description: "cuts its answer", body: "hello(); frame(b'\\0' * 6); time.sleep(1000)",
                isExpected: crashes),
            Misbehaviour(description: "dies while it is written to", body: "hello(); os.read(0, 10); os._exit(3)") {
                if case .crashed(let reason) = $0 { reason == .status(3) || reason == .signal(9) } else { false }
            },
            Misbehaviour(description: "is another version", body: "hello(version='3.99.0'); " + reply) {
                if case .unavailable(.interpreterChanged(_, let now)) = $0 { now.hasSuffix(" 3.99.0") } else { false }
            },
            Misbehaviour(description: "has another magic number", body: "hello(magic='01020d0a'); " + reply) {
                if case .unavailable(.interpreterChanged) = $0 { true } else { false }
            },
            Misbehaviour(description: "has another tag", body: "hello(tag='other-1'); " + reply) {
                if case .unavailable(.interpreterChanged) = $0 { true } else { false }
            },
            Misbehaviour(description: "says nothing of itself", body: "frame(b'\\xff' * 4); " + reply) {
                if case .unavailable(.interpreterChanged) = $0 { true } else { false }
            },
        ]
    }()

    @Test(arguments: misbehaviours)
    func noCodeIsTakenFromAWorkerThat(_ misbehaviour: Misbehaviour) throws {
        defer { removeScratch() }
        let fake = try fake(misbehaviour.body)
        let large = [UInt8](repeating: 0x20, count: 5 << 20)
        let found = results(fake, sources: [large], size: 1)
        #expect(found.count == 1 && found.allSatisfy(misbehaviour.isExpected), "\(found)")
    }

    @Test func aWorkerThatHangsIsReplacedAndThenGivenUp() throws {
        defer { removeScratch() }
        let silent = results(try fake("time.sleep(1000)"), sources: [[0x20]], size: 1, deadline: 200_000_000)
        #expect(silent.allSatisfy { if case .unavailable(.cannotStart) = $0 { true } else { false } }, "\(silent)")
        // Long enough for a script to start on a busy machine.
        let slow = results(
            try fake("hello(); time.sleep(1000)"), sources: [[0x20]], size: 1, deadline: 3_000_000_000)
        #expect(slow.allSatisfy { if case .timedOut = $0 { true } else { false } }, "\(slow)")
    }

    /// Two builds of the same version may compile differently.
    @Test func allWorkersAreOfOneBuild() throws {
        defer { removeScratch() }
        let count = scratch.appending("count")
        let body = """
            open('\(count)', 'a').close()
            number = len(open('\(count)').read())
            with open('\(count)', 'a') as file: file.write('.')
            hello(build='0%d' % min(number, 1))
            if number: frame(struct.pack('<IBII', 1, 0, 1, 0) + b'code')
            time.sleep(1000)
            """
        let fake = try fake(body)
        let found = results(fake, sources: [[0x20], [0x20]], size: 2, deadline: 3_000_000_000)
        #expect(
            found.contains {
                if case .unavailable(.interpreterChanged(_, "another build of this version")) = $0 {
                    true
                } else {
                    false
                }
            },
            "\(found)")
    }

    @Test(arguments: [
        "print('Welcome to Python', flush=True); time.sleep(1000)", "while True: os.write(1, bytes(1 << 16))",
        "while True: os.write(1, b'text ' * 10000)", "time.sleep(1000)", "frame(b'\\xff' * 4); time.sleep(1000)",
    ])
    func probesOfOtherProgramsEnd(_ body: String) throws {
        defer { removeScratch() }
        let fake = try fake(body)
        #expect(throws: InterpreterError.self) { try InterpreterProbe.run(fake.path, deadline: 1_000_000_000) }
    }

    /// As if freshpyc was killed before it had sent all of worker.py.
    @Test func aLoaderWhoseInputEndsEarlyEnds() throws {
        let pythons = InterpreterFinder(root: BytePath("/")).all()
        try #require(!pythons.isEmpty)
        for python in pythons {
            for count in [0, 100] {
                let answer = try ProcessExchange(
                    python.path, arguments: [BytePath("-S"), BytePath("-c"), WorkerProcess.bootstrap],
                    environment: WorkerProcess.environment, input: [UInt8](repeating: 0x23, count: count),
                    deadline: 20_000_000_000
                ).run()
                #expect(answer.ending == .status(0) && answer.output.isEmpty, "\(python.path)")
            }
        }
    }

    private func removeScratch() {
        _ = try? ProcessExchange(
            BytePath("/bin/rm"), arguments: [BytePath("-rf"), scratch], environment: [], deadline: 60_000_000_000
        ).run()
    }
}
