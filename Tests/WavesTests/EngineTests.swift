import BuildModel
import LinuxSystem
import Testing

@testable import BasicTypes
@testable import Compilation
@testable import Waves

@Suite struct EngineTests {
    private func interpreter(_ layout: HeaderLayout, _ hash: SourceHashVariant?) -> Interpreter {
        Interpreter(
            path: BytePath("/python"),
            executable: Stamp(
                device: 0, inode: 0, size: 0, modified: FileTime(nanoseconds: 0), changed: FileTime(nanoseconds: 0)),
            version: "3.12.1", implementation: "cpython", cacheTag: "cpython-312", magic: 0x0a0d_0dcb, layout: layout,
            sourceHash: hash)
    }

    private func target(_ layout: HeaderLayout, _ hash: SourceHashVariant?) -> ArtifactTarget {
        ArtifactTarget(
            key: ArtifactKey(interpreter: InterpreterID(rawValue: 0), level: .none),
            interpreter: interpreter(layout, hash))
    }

    private let stamp = Stamp(
        device: 0, inode: 0, size: 3, modified: FileTime(nanoseconds: 9_000_000_000), changed: FileTime(nanoseconds: 0))

    @Test func sealHasTheRequestedModeAndGuard() {
        let source = Array("x=1".utf8)
        let plain = target(.flagged, .sipHash13).seal(stamp: stamp, source: source, mode: .timestamp, isGuarded: false)
        #expect(plain.header == [0xcb, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0, 0])
        let guarded = target(.flagged, .sipHash13).seal(stamp: stamp, source: source, mode: .timestamp, isGuarded: true)
        #expect(guarded.isGuarded && guarded.mode == .checkedHash && guarded.header[4] == 0b11)
        let hashed = target(.flagged, .sipHash13).seal(
            stamp: stamp, source: source, mode: .uncheckedHash, isGuarded: true)
        #expect(!hashed.isGuarded && hashed.mode == .uncheckedHash && hashed.header[4] == 0b01)
        // Without hash-based bytecode, a guarded header has a time and a size that no source can have.
        let old = target(.sized, nil).seal(stamp: stamp, source: source, mode: .timestamp, isGuarded: true)
        #expect(
            old.isGuarded && old.mode == .timestamp && old.seconds == .max && old.size == .max && old.header.count == 12
        )
    }

    @Test func expectedHeaderEqualsThePublishedOne() {
        let source = Array("x=1".utf8)
        for mode in InvalidationMode.allCases {
            let target = target(.flagged, .sipHash24)
            let seal = target.seal(stamp: stamp, source: source, mode: mode, isGuarded: false)
            let published = PublishedArtifact(
                stamp: stamp, body: 0, mode: seal.mode, seconds: seal.seconds, size: seal.size)
            #expect(target.expectedHeader(of: published, source: source) == seal.header)
        }
    }

    @Test func largestSourcesComeFirst() {
        let sizes: [String: Int64] = ["a": 1, "b": 30, "c": 2, "d": 31, "e": 0, "f": 5_000_000_000, "g": 20]
        #expect(BuildOrder.sorted(sizes.keys.sorted()) { sizes[$0] ?? 0 } == ["f", "b", "d", "g", "c", "a", "e"])
    }

    @Test func importersAreCountedWithinAWave() {
        let sources = [
            ("src/app/main.py", "import app.core\nfrom app import util\n"),
            ("src/app/core.py", "from .util import f\n"),
            ("src/app/util.py", "import os\n"), ("src/app/__init__.py", ""),
        ].map { (path: BytePath($0.0), bytes: Array($0.1.utf8)) }
        let counts = BuildOrder.importers(sources)
        #expect(counts[BytePath("src/app/util.py")] == 2)
        #expect(counts[BytePath("src/app/core.py")] == 1)
        #expect(counts[BytePath("src/app/main.py")] == nil)
    }

    @Test func moduleTableIndexesItsRecords() {
        func record(_ path: String, _ size: Int64) -> ModuleRecord {
            let stamp = Stamp(
                device: 0, inode: 0, size: size, modified: FileTime(nanoseconds: 0), changed: FileTime(nanoseconds: 0))
            return ModuleRecord(
                path: BytePath(path),
                source: SourceState(stamp: stamp, fingerprint: Fingerprint(high: 0, low: 0), isRacy: false))
        }
        var table = ModuleTable(RecordTable([record("p/a.py", 1), record("p/q/b.py", 1)]), keys: [])
        table.update(record("p/a.py", 2))
        #expect(table[BytePath("p/a.py")]?.source.stamp.size == 2)
        #expect(table.paths(in: BytePath("p")) == [BytePath("p/a.py")])
        table.remove(BytePath("p/a.py"))
        table.update(record("p/c.py", 1))
        #expect(table.count == 2 && table[BytePath("p/a.py")] == nil)
        #expect(table.paths(in: BytePath("p")) == [BytePath("p/c.py")])
        #expect(Set(table.paths(within: PathSet([BytePath("p")]))) == [BytePath("p/c.py"), BytePath("p/q/b.py")])
    }

    @Test func onlyTracesOfSelectedInterpretersMakeASourceFail() {
        func key(_ interpreter: Int) -> ArtifactKey {
            ArtifactKey(interpreter: InterpreterID(rawValue: interpreter), level: .none)
        }
        let print = Fingerprint(high: 0, low: 0)
        let problem = Diagnostic(.syntaxError, .error, message: "invalid syntax")
        let traces = [
            Trace(
                key: key(0), fingerprint: print, outcome: .failed, diagnostics: [problem], microseconds: 0, clock: 1),
            Trace(key: key(1), fingerprint: print, outcome: .compiles, diagnostics: [], microseconds: 0, clock: 1),
        ]
        let record = ModuleRecord(
            path: BytePath("a.py"), source: SourceState(stamp: stamp, fingerprint: print, isRacy: false),
            traces: traces)
        for (selected, isFailing) in [(0, true), (1, false)] {
            var table = ModuleTable(RecordTable([record]), keys: [key(selected)])
            #expect(table.failing.isEmpty != isFailing && table.noted.isEmpty != isFailing)
            table.update(record)
            #expect(table.failing.isEmpty != isFailing && table.noted.isEmpty != isFailing)
        }
    }

    @Test func fingerprintsOfDifferentContentsDiffer() {
        let base = [UInt8](repeating: 7, count: 1000)
        for index in stride(from: 0, to: 1000, by: 37) {
            var other = base
            other[index] = 8
            #expect(Fingerprint(of: other) != Fingerprint(of: base))
        }
        #expect(Fingerprint(of: base) == Fingerprint(of: base))
        #expect(Fingerprint(of: []) != Fingerprint(of: [0]))
    }
}
