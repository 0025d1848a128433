import BasicTypes
import Testing

@testable import BuildModel

@Suite struct RecordTableTests {
    private static let extremes: [FileTime] = [
        FileTime(seconds: .min, nanosecond: 0), FileTime(seconds: .max, nanosecond: 999_999_999),
        FileTime(seconds: 0, nanosecond: 1),
    ]

    private static func stamp(_ seed: Int) -> Stamp {
        Stamp(
            device: seed % 3 == 0 ? .max : UInt64(seed % 5), inode: UInt64(seed % 11), size: Int64(seed),
            modified: extremes[seed % 3], changed: extremes[(seed + 1) % 3])
    }

    /// Records of every form: with one trace or several, published, failed, with diagnostics, with another fingerprint.
    private static func record(_ path: String, _ seed: Int) -> ModuleRecord {
        let fingerprint = Fingerprint(high: UInt64(seed), low: .max)
        var record = ModuleRecord(
            path: BytePath(path),
            source: SourceState(stamp: stamp(seed), fingerprint: fingerprint, isRacy: seed % 2 == 0))
        for number in 0..<(seed % 4) {
            let published = PublishedArtifact(
                stamp: stamp(seed + 1), body: UInt64(seed), mode: InvalidationMode.allCases[seed % 3], seconds: .max,
                size: UInt32(seed), isGuarded: seed % 5 == 0)
            let outcomes: [Outcome] = [.published(published), .published(published), .failed, .compiles]
            record.record(
                Trace(
                    key: ArtifactKey(
                        interpreter: InterpreterID(rawValue: seed % 7 == 0 ? 70_000 : number),
                        level: OptimizationLevel.allCases[seed % 3]),
                    fingerprint: seed % 13 == 0 ? Fingerprint(high: 0, low: 0) : fingerprint,
                    outcome: outcomes[(seed / 4) % 4],
                    diagnostics: seed % 17 == 0 ? [Diagnostic(.syntaxError, .error, message: "no")] : [],
                    microseconds: UInt32(seed), clock: UInt64(seed) << 40))
        }
        return record
    }

    @Test func aRecordTakesLittleMemory() {
        #expect(MemoryLayout<RecordRow>.stride <= 152)
    }

    @Test func everyRecordComesBackAsItWas() {
        for seed in 0..<500 {
            let record = Self.record("p/q\(seed % 3)/m\(seed).py", seed)
            let table = RecordTable([record])
            #expect(table[record.path] == record)
            #expect(Array(table) == [record])
        }
        for path in ["m.py", "/m.py", "a//m.py", "a/\u{1F600}.py", ""] {
            let record = Self.record(path, 1)
            #expect(RecordTable([record])[BytePath(path)] == record, "\(path)")
        }
    }

    /// Random additions, replacements and removals, compared with a dictionary.
    @Test(arguments: [1, 2, 3]) func behavesLikeADictionary(_ seed: UInt64) {
        var random = Generator(state: seed)
        var table = RecordTable()
        var model: [BytePath: ModuleRecord] = [:]
        for step in 0..<20_000 {
            // Names change all the time, so that the pool of names is made again.
            let number = Int(random.next() % 60) + step / 2_000 * 50
            let path = BytePath("d\(number % 7)/\(String(repeating: "n", count: 40))\(number).py")
            if random.next() % 3 == 0 {
                let removed = table.remove(path)
                #expect((removed != nil) == (model.removeValue(forKey: path) != nil))
            } else {
                let record = Self.record("\(path)", step)
                let isNew = table.update(record).isNew
                #expect(isNew == (model.updateValue(record, forKey: path) == nil))
            }
            #expect(table.count == model.count)
        }
        #expect(Dictionary(uniqueKeysWithValues: table.map { ($0.path, $0) }) == model)
        for (path, record) in model { #expect(table[path] == record) }
        #expect(table[BytePath("d0/other.py")] == nil && table[BytePath("elsewhere/m.py")] == nil)
    }

    @Test func tablesOfSlicesAreJoined() {
        let records = (0..<1_000).map { Self.record("p\($0 / 100)/m\($0).py", $0) }
        var joined = RecordTable()
        for start in stride(from: 0, to: 1_000, by: 70) {
            var slice = RecordTable()
            for record in records[start..<min(start + 70, 1_000)] { slice.appendUnindexed(record) }
            joined.appendUnindexed(contentsOf: slice)
        }
        let isSound = joined.reindex()
        #expect(isSound)
        #expect(Array(joined) == records)
        for record in records { #expect(joined[record.path] == record) }
    }

    @Test func onePathTwiceIsNoticed() {
        var table = RecordTable()
        for seed in [1, 2] { table.appendUnindexed(Self.record("a/m.py", seed)) }
        let isSound = table.reindex()
        #expect(!isSound)
    }
}

/// Numbers that are the same in each run (SplitMix64).
private struct Generator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
