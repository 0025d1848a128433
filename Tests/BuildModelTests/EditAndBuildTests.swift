import BasicTypes
import Testing

@testable import BuildModel

/// A fake disk: sources, their bytecode, and a clock that advances only when `tick` is called.
private struct FakeDisk {
    struct Source {
        var text: String
        var stamp: Stamp
    }

    struct Bytecode {
        /// The text that was compiled.
        var text: String
        var mode: InvalidationMode
        var seconds: UInt32
        var size: UInt32
        var stamp: Stamp
    }

    /// Nanoseconds since 1970.
    var now: Int64 = 1_700_000_000_250_000_000
    var sources: [String: Source] = [:]
    var bytecode: [String: Bytecode] = [:]
    private var nextInode: UInt64 = 1

    mutating func tick(seconds: Int64 = 10) { now += seconds * 1_000_000_000 }

    private mutating func newInode() -> UInt64 {
        nextInode += 1
        return nextInode
    }

    private func stamp(_ inode: UInt64, size: Int, modified: Int64? = nil) -> Stamp {
        Stamp(
            device: 1, inode: inode, size: Int64(size), modified: FileTime(nanoseconds: modified ?? now),
            changed: FileTime(nanoseconds: now))
    }

    /// Like an editor that writes in place.
    mutating func write(_ name: String, _ text: String) {
        let inode = sources[name]?.stamp.inode ?? newInode()
        sources[name] = Source(text: text, stamp: stamp(inode, size: text.utf8.count))
    }

    /// Like an editor that writes a new file and renames it.
    mutating func replace(_ name: String, _ text: String) {
        sources[name] = Source(text: text, stamp: stamp(newInode(), size: text.utf8.count))
    }

    /// Writes, and restores the old modification time.
    mutating func writeKeepingTime(_ name: String, _ text: String) {
        guard let old = sources[name] else { return }
        let modified = old.stamp.modified.clampedNanoseconds
        sources[name] = Source(
            text: text, stamp: stamp(old.stamp.inode, size: text.utf8.count, modified: modified))
    }

    mutating func touch(_ name: String) {
        if let text = sources[name]?.text { write(name, text) }
    }

    mutating func publish(_ name: String, _ text: String, _ mode: InvalidationMode, of source: Stamp) -> Stamp {
        let stamp = stamp(newInode(), size: text.utf8.count + 16)
        bytecode[name] = Bytecode(
            text: text, mode: mode, seconds: source.headerSeconds, size: source.headerSize, stamp: stamp)
        return stamp
    }

    /// Whether import would run this bytecode, by the conditions of importlib._bootstrap_external. Instead of hashes, it
    /// compares texts.
    func isAccepted(_ name: String) -> Bool {
        guard let source = sources[name], let bytecode = bytecode[name] else { return false }
        if bytecode.mode == .checkedHash { return bytecode.text == source.text }
        return bytecode.seconds == source.stamp.headerSeconds && bytecode.size == source.stamp.headerSize
    }
}

/// An engine without processes, which carries out the judge's decisions on a fake disk. Text with `(` does not compile.
private struct FakeEngine {
    private static let key = ArtifactKey(interpreter: InterpreterID(rawValue: 0), level: .none)
    private var records: [String: ModuleRecord] = [:]

    private static func fingerprint(_ text: String) -> Fingerprint {
        Fingerprint(high: UInt64(bitPattern: Int64(text.hashValue)), low: UInt64(text.utf8.count))
    }

    /// - Returns: the action for each source that was not up to date, and its reason.
    mutating func build(_ disk: inout FakeDisk, resealsGuarded: Bool = false) -> [String: String] {
        var done: [String: String] = [:]
        for name in Array(records.keys) where disk.sources[name] == nil {
            records[name] = nil
            disk.bytecode[name] = nil
            done[name] = "removed"
        }
        let judge = StalenessJudge(options: BuildOptions(), now: disk.now, resealsGuarded: resealsGuarded)
        for (name, source) in disk.sources {
            let record = records[name]
            let glance = judge.glance(
                record: record, key: Self.key, stamp: source.stamp, artifact: disk.bytecode[name]?.stamp)
            let staleness: Staleness
            switch glance {
            case .decided(let decision): staleness = decision
            case .mustRead:
                guard let trace = record?.trace(Self.key) else { continue }
                staleness = judge.judge(
                    trace: trace, stamp: source.stamp, fingerprint: Self.fingerprint(source.text),
                    evidence: evidence(trace, disk.bytecode[name]))
                let read = state(source, disk)
                records[name]?.source = read
            }
            done[name] = carryOut(staleness, name, source, &disk)
        }
        return done
    }

    private func evidence(_ trace: Trace, _ bytecode: FakeDisk.Bytecode?) -> ArtifactEvidence {
        guard let bytecode else { return .missing }
        guard let published = trace.published, Self.fingerprint(bytecode.text).high == published.body else {
            return .differs(.damaged)
        }
        return .intact(bytecode.stamp)
    }

    private func state(_ source: FakeDisk.Source, _ disk: FakeDisk) -> SourceState {
        SourceState(
            stamp: source.stamp, fingerprint: Self.fingerprint(source.text),
            isRacy: SourceState.isRacy(source.stamp, readAt: disk.now))
    }

    private mutating func carryOut(
        _ staleness: Staleness, _ name: String, _ source: FakeDisk.Source, _ disk: inout FakeDisk
    ) -> String? {
        switch staleness {
        case .upToDate: return nil
        case .discard:
            disk.bytecode[name] = nil
            return "discarded"
        case .reseal(let reason):
            seal(name, source, &disk)
            return "resealed: \(reason.rawValue)"
        case .recompile(let reason):
            records[name] = ModuleRecord(path: BytePath(name), source: state(source, disk))
            guard !source.text.contains("(") else {
                disk.bytecode[name] = nil
                record(.failed, name, source)
                return "failed: \(reason.rawValue)"
            }
            seal(name, source, &disk)
            return "compiled: \(reason.rawValue)"
        }
    }

    private mutating func seal(_ name: String, _ source: FakeDisk.Source, _ disk: inout FakeDisk) {
        let isGuarded = StalenessJudge.needsGuard(source.stamp, readAt: disk.now)
        let mode: InvalidationMode = isGuarded ? .checkedHash : .timestamp
        let stamp = disk.publish(name, source.text, mode, of: source.stamp)
        record(
            .published(
                PublishedArtifact(
                    stamp: stamp, body: Self.fingerprint(source.text).high, mode: mode,
                    seconds: source.stamp.headerSeconds, size: source.stamp.headerSize, isGuarded: isGuarded)),
            name, source)
    }

    private mutating func record(_ outcome: Outcome, _ name: String, _ source: FakeDisk.Source) {
        records[name]?.record(
            Trace(
                key: Self.key, fingerprint: Self.fingerprint(source.text), outcome: outcome, diagnostics: [],
                microseconds: 0, clock: 1))
    }
}

/// Edits followed by builds: the expected actions with their reasons.
@Suite struct EditAndBuildTests {
    private struct Step {
        let edit: (inout FakeDisk) -> Void
        let expected: [String: String]
        var resealsGuarded = false
    }

    private func run(_ steps: [Step]) {
        var disk = FakeDisk()
        var engine = FakeEngine()
        for (number, step) in steps.enumerated() {
            step.edit(&disk)
            #expect(engine.build(&disk, resealsGuarded: step.resealsGuarded) == step.expected, "step \(number + 1)")
            // After any step, import runs the current text or compiles it itself.
            for (name, source) in disk.sources {
                let isRight = disk.bytecode[name].map { $0.text == source.text } ?? false
                #expect(disk.isAccepted(name) == !source.text.contains("("), "step \(number + 1): \(name)")
                #expect(!disk.isAccepted(name) || isRight, "step \(number + 1): \(name) would run old code")
            }
            #expect(engine.build(&disk).isEmpty, "a second build after step \(number + 1) does nothing")
            disk.tick()
        }
    }

    @Test func editsOfSources() {
        run([
            Step(
                edit: {
                    $0.write("a", "x=1"); $0.write("b", "y=1"); $0.tick()
                },
                expected: ["a": "compiled: no-bytecode", "b": "compiled: no-bytecode"]),
            Step(edit: { _ in }, expected: [:]),
            Step(
                edit: {
                    $0.write("a", "x=22"); $0.tick()
                }, expected: ["a": "compiled: size-differs"]),
            Step(
                edit: {
                    $0.write("a", "x=33"); $0.tick()
                }, expected: ["a": "compiled: contents-differ"]),
            Step(
                edit: {
                    $0.replace("a", "x=44"); $0.tick()
                }, expected: ["a": "compiled: contents-differ"]),
            Step(
                edit: {
                    $0.touch("a"); $0.tick()
                }, expected: ["a": "resealed: touched"]),
            Step(
                edit: {
                    $0.replace("b", "y=1"); $0.tick()
                }, expected: ["b": "resealed: touched"]),
            Step(
                edit: {
                    $0.writeKeepingTime("a", "x=55"); $0.tick()
                }, expected: ["a": "compiled: contents-differ"]),
            Step(edit: { $0.sources["b"] = nil }, expected: ["b": "removed"]),
            Step(
                edit: {
                    $0.write("b", "y=1"); $0.tick()
                }, expected: ["b": "compiled: no-bytecode"]),
        ])
    }

    @Test func editsOfBytecode() {
        run([
            Step(
                edit: {
                    $0.write("a", "x=1"); $0.tick()
                }, expected: ["a": "compiled: no-bytecode"]),
            Step(edit: { $0.bytecode["a"] = nil }, expected: ["a": "compiled: no-bytecode"]),
            Step(
                edit: { disk in
                    guard let source = disk.sources["a"] else { return }
                    _ = disk.publish("a", "x=666", .timestamp, of: source.stamp)
                }, expected: ["a": "compiled: damaged"]),
        ])
    }

    @Test func sourcesThatDoNotCompile() {
        run([
            Step(
                edit: {
                    $0.write("a", "x=1"); $0.tick()
                }, expected: ["a": "compiled: no-bytecode"]),
            Step(
                edit: {
                    $0.write("a", "x=("); $0.tick()
                }, expected: ["a": "failed: contents-differ"]),
            Step(
                edit: { disk in
                    guard let source = disk.sources["a"] else { return }
                    _ = disk.publish("a", "x=(", .timestamp, of: source.stamp)
                }, expected: ["a": "discarded"]),
            Step(
                edit: {
                    $0.write("a", "x=2"); $0.tick()
                }, expected: ["a": "compiled: contents-differ"]),
        ])
    }

    /// Two saves of the same size within one second have the same header.
    @Test func savesWithinOneSecondAreGuarded() {
        var disk = FakeDisk()
        var engine = FakeEngine()
        disk.write("a", "x=1")
        #expect(engine.build(&disk) == ["a": "compiled: no-bytecode"])
        #expect(disk.bytecode["a"]?.mode == .checkedHash)
        disk.now += 100_000_000
        disk.write("a", "x=2")
        #expect(!disk.isAccepted("a"), "import sees the second save")
        #expect(engine.build(&disk) == ["a": "compiled: contents-differ"])
        disk.tick()
        // A build with nothing else to do keeps the guarded header, which is valid.
        #expect(engine.build(&disk).isEmpty)
        #expect(engine.build(&disk, resealsGuarded: true) == ["a": "resealed: guard-over"])
        #expect(disk.bytecode["a"]?.mode == .timestamp && disk.isAccepted("a"))
    }
}
