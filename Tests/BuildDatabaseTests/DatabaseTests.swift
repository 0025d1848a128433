import BasicTypes
import BuildModel
import ImportGraph
import LinuxSystem
import Testing

@testable import BuildDatabase

@Suite struct DatabaseTests {
    private static func stamp(_ seed: Int64) -> Stamp {
        Stamp(
            device: 7, inode: .max, size: seed, modified: FileTime(seconds: .min, nanosecond: Int(seed)),
            changed: FileTime(seconds: .max, nanosecond: 999_999_999))
    }

    static let contents: DatabaseContents = {
        var contents = DatabaseContents(root: BytePath("/r \"quoted\"\n"))
        contents.clock = 9
        contents.interpreters = [
            Interpreter(
                path: BytePath("/usr/bin/python3"), executable: stamp(1), version: "3.12.1", implementation: "cpython",
                cacheTag: "cpython-312", magic: 0x0a0d_0dcb, layout: .flagged, sourceHash: .sipHash13)
        ]
        let odd = BytePath([0x61, 0xFF, 0x22]) ?? .empty
        for (index, path) in [BytePath("a.py"), BytePath("b/\u{1F600}\\.py"), odd].enumerated() {
            var record = ModuleRecord(
                path: path,
                source: SourceState(
                    stamp: stamp(Int64(index)), fingerprint: Fingerprint(high: .max, low: UInt64(index)),
                    isRacy: index == 1))
            let outcomes: [Outcome] = [
                .failed, .compiles,
                .published(
                    PublishedArtifact(
                        stamp: stamp(3), body: 0xabc, mode: .checkedHash, seconds: .max, size: 0, isGuarded: true)),
            ]
            for (level, outcome) in zip(OptimizationLevel.allCases, outcomes) {
                record.record(
                    Trace(
                        key: ArtifactKey(interpreter: InterpreterID(rawValue: 0), level: level),
                        fingerprint: Fingerprint(high: .max, low: UInt64(level.rawValue)), outcome: outcome,
                        diagnostics: outcome == .failed
                            ? [
                                Diagnostic(
                                    .syntaxError, .error, line: 3, column: 1, type: "SyntaxError",
                                    message: "a \"b\" \\ \u{1} é")
                            ]
                            : [], microseconds: 12, clock: 4))
            }
            contents.modules.update(record)
        }
        return contents
    }()

    @Test func snapshotsComeBackAsTheyWere() throws {
        let bytes = Snapshot.encode(Self.contents)
        guard case .contents(let back) = try SnapshotReader.read(SnapshotSource(bytes)) else {
            Issue.record("not read back: \(String(decoding: bytes, as: UTF8.self))")
            return
        }
        #expect(back.root == Self.contents.root && back.clock == 9)
        #expect(back.interpreters == Self.contents.interpreters)
        #expect(back.modules.sorted { $0.path < $1.path } == Self.contents.modules.sorted { $0.path < $1.path })
    }

    /// Slices of modules are encoded in parallel and written in pieces; nobody can tell from the file.
    @Test(arguments: [0, 1, 255, 256, 257, 40_000]) func largeSnapshotsComeBackInOrder(_ count: Int) throws {
        var contents = DatabaseContents(root: BytePath("/r"))
        contents.clock = 1
        let record = Self.contents.modules[position: 0]
        var modules = (0..<count).map { number in
            ModuleRecord(path: BytePath("p\(number % 97)/m\(number).py"), source: record.source, traces: record.traces)
        }
        contents.modules = RecordTable(modules)
        guard case .contents(let back) = try SnapshotReader.read(SnapshotSource(Snapshot.encode(contents))) else {
            Issue.record("not read back")
            return
        }
        modules.sort { $0.path < $1.path }
        #expect(Array(back.modules) == modules)
    }

    /// The reader's slices have 256 kB: here, lines begin and end anywhere in them, and some are longer than several slices.
    @Test(arguments: [1, 100, 8_000, 300_000, 1_500_000]) func linesOfAnyLengthComeBack(_ length: Int) throws {
        var contents = DatabaseContents(root: BytePath("/r"))
        let record = Self.contents.modules[position: 0]
        for number in 0..<(4_000_000 / (length + 2_000) + 3) {
            var traces = record.traces
            traces[0].diagnostics = [
                Diagnostic(
                    .syntaxError, .error, message: String(repeating: "m", count: length + number % 7 * length / 3))
            ]
            contents.modules.update(
                ModuleRecord(
                    path: BytePath("p/m\(String(1_000_000 + number)).py"), source: record.source, traces: traces))
        }
        guard case .contents(let back) = try SnapshotReader.read(SnapshotSource(Snapshot.encode(contents))) else {
            Issue.record("not read back")
            return
        }
        #expect(Array(back.modules) == Array(contents.modules))
    }

    @Test func snapshotsCutAnywhereOrFlippedAreNeverTrusted() throws {
        let bytes = Snapshot.encode(Self.contents)
        for length in 0..<bytes.count {
            if case .contents = try SnapshotReader.read(SnapshotSource(Array(bytes[..<length]))) {
                Issue.record("trusted \(length) bytes")
            }
        }
        for index in bytes.indices {
            for bit in [0, 3, 7] {
                var flipped = bytes
                flipped[index] ^= 1 << UInt8(bit)
                if case .contents = try SnapshotReader.read(SnapshotSource(flipped)) {
                    Issue.record("trusted a flipped bit at \(index)")
                }
            }
        }
        for rubbish in [
            "", "[]", "null", "{}", "{\"schema\":2}", "{\"schema\":-1", "{\"schema\":99999999999999999999999",
        ] {
            if case .contents = try SnapshotReader.read(SnapshotSource(Array(rubbish.utf8))) {
                Issue.record("trusted \(rubbish)")
            }
        }
        let next = Snapshot.schema + 1
        if case .newer(let schema) = try SnapshotReader.read(
            SnapshotSource(Array("{\"schema\":\(next),\"anything\"".utf8)))
        {
            #expect(schema == next)
        } else {
            Issue.record("a newer schema is not known as one")
        }
        guard case .older(schema: 1) = try SnapshotReader.read(SnapshotSource(Array("{\"schema\":1,\"anything\"".utf8)))
        else {
            Issue.record("an older schema is not known as one")
            return
        }
    }

    /// Decoding returns the facts that were encoded. With a flipped bit or a missing end it returns nothing, and never traps.
    @Test func graphsComeBackOrNotAtAll() {
        var names = NameTable()
        let source = """
            import a.b as c, d
            from .e import (f, g as h)
            if TYPE_CHECKING:
                import t
            try:
                import importlib; importlib.import_module(".x", "pkg.y")
            except ImportError: pass
            """
        var facts = ModuleFacts(ImportScanner.scan(Array(source.utf8)), names: &names, evaluators: [])
        facts.bindings = .names(
            BoundNames(
                topLevel: [names.intern("ü".utf8), names.intern("c".utf8)], others: [names.intern([0xFF, 0x41])]))
        var other = ModuleFacts()
        other.bindings = .unknowable(registersModules: false)
        other.isOutdated = true
        var contents = GraphContents(root: BytePath("/srv/app"), interpreters: "cpython 3.12.1; ")
        contents.vanished = [BytePath("old"), BytePath("pkg/old")]
        let state = Self.contents.modules[position: 0].source
        contents.modules = [
            GraphRecord(path: BytePath("m.py"), state: state, facts: facts),
            GraphRecord(path: BytePath([0x61, 0xFF]) ?? .empty, state: state, facts: other),
        ]
        let bytes = GraphSnapshot.encode(contents, names: names) { module, position in
            module == 0 && position == 1 ? [BytePath("e.py")] : []
        }
        func decoded(_ bytes: [UInt8], root: String = "/srv/app", interpreters: String = "cpython 3.12.1; ")
            -> (GraphContents, NameTable)?
        {
            var fresh = NameTable()
            return GraphSnapshot.decode(bytes, root: BytePath(root), interpreters: interpreters, names: &fresh).map {
                ($0, fresh)
            }
        }
        guard let (back, table) = decoded(bytes) else {
            Issue.record("not read back")
            return
        }
        #expect(back.vanished == contents.vanished && back.modules.map(\.path) == contents.modules.map(\.path))
        #expect(back.modules[1].facts == other)
        // Name numbers differ between tables, so compare the encoded bytes.
        let again = GraphSnapshot.encode(back, names: table) { module, position in
            module == 0 && position == 1 ? [BytePath("e.py")] : []
        }
        #expect(again == bytes)
        #expect(decoded(bytes, root: "/elsewhere") == nil && decoded(bytes, interpreters: "pypy") == nil)
        for length in 0..<bytes.count where decoded(Array(bytes[..<length])) != nil {
            Issue.record("trusted \(length)")
        }
        for index in bytes.indices {
            var flipped = bytes
            flipped[index] ^= 4
            if decoded(flipped) != nil { Issue.record("trusted a flipped bit at \(index)") }
        }
    }

    private static let waves: [WaveChange] = (1...3).map { number in
        var wave = WaveChange(clock: UInt64(number))
        wave.modules = number == 2 ? Array(contents.modules) : [contents.modules[position: 0]]
        wave.removed = number == 3 ? [BytePath("a.py")] : []
        if number == 1 { wave.interpreters = contents.interpreters }
        return wave
    }

    @Test func journalsCutAnywhereLoseOnlyTheTornWave() {
        let lines = Self.waves.map { Journal.encode($0) }
        let whole = Array(lines.joined())
        for length in 0...whole.count {
            guard case .waves(let waves, let valid) = Journal.decode(Array(whole[..<length])) else {
                Issue.record("not read at \(length)")
                continue
            }
            var complete = 0
            var end = 0
            while complete < lines.count, end + lines[complete].count <= length {
                end += lines[complete].count
                complete += 1
            }
            #expect(waves == Array(Self.waves[..<complete]) && valid == end, "cut at \(length)")
        }
    }

    @Test func journalsWithABadLineInTheMiddleAreBroken() {
        let lines = Self.waves.map { Journal.encode($0) }
        for index in stride(from: 0, to: lines[1].count - 1, by: 7) {
            var bad = lines[1]
            bad[index] ^= 4
            guard bad[index] != 0x0A else { continue }
            if case .waves = Journal.decode(lines[0] + bad + lines[2]) { Issue.record("trusted a bad line, \(index)") }
        }
        if case .waves = Journal.decode(lines[1] + lines[0]) { Issue.record("trusted a clock that goes back") }
    }

    @Test func readersNeverTrap() {
        var seed: UInt64 = 42
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        let line = Array(
            #"{"path":"a.py","stamp":[1,2,3,4,5],"fingerprint":"00000000000000010000000000000002","traces":[]}"#.utf8)
        for _ in 0..<20_000 {
            var mutated = line
            for _ in 0...random(3) { mutated[random(mutated.count)] = UInt8(random(256)) }
            mutated.removeLast(random(20))
            mutated.withUnsafeBytes {
                var reader = JSONLineReader($0)
                _ = try? reader.moduleRecord()
            }
        }
    }
}
