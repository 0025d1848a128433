import BasicTypes
import Testing

@testable import BuildModel

/// The staleness rules without files: a record, the state on disk, and the decision that follows.
@Suite struct StalenessTests {
    private let key = ArtifactKey(interpreter: InterpreterID(rawValue: 0), level: .none)
    private let old = Stamp(
        device: 1, inode: 2, size: 10, modified: FileTime(nanoseconds: 1_000_000_000_000),
        changed: FileTime(nanoseconds: 1_000_000_000_000))
    private let pyc = Stamp(
        device: 1, inode: 3, size: 90, modified: FileTime(nanoseconds: 2_000_000_000_000),
        changed: FileTime(nanoseconds: 2_000_000_000_000))
    private let print = Fingerprint(high: 1, low: 2)

    private func published(_ mode: InvalidationMode = .timestamp, isGuarded: Bool = false) -> Outcome {
        .published(
            PublishedArtifact(
                stamp: pyc, body: 5, mode: mode, seconds: old.headerSeconds, size: old.headerSize, isGuarded: isGuarded)
        )
    }

    private func record(_ outcome: Outcome?, isRacy: Bool = false) -> ModuleRecord {
        var record = ModuleRecord(
            path: BytePath("m.py"), source: SourceState(stamp: old, fingerprint: print, isRacy: isRacy))
        if let outcome {
            record.record(
                Trace(key: key, fingerprint: print, outcome: outcome, diagnostics: [], microseconds: 0, clock: 1))
        }
        return record
    }

    private func glance(
        _ record: ModuleRecord?, _ stamp: Stamp? = nil, artifact: Stamp?, options: BuildOptions = BuildOptions(),
        reseals: Bool = false
    ) -> Glance {
        StalenessJudge(options: options, now: 5_000_000_000_000, resealsGuarded: reseals)
            .glance(record: record, key: key, stamp: stamp ?? old, artifact: artifact)
    }

    @Test func stampsDecideWhereTheyCan() {
        var other = old
        #expect(glance(nil, artifact: nil) == .decided(.recompile(.noBytecode)))
        #expect(glance(nil, artifact: pyc) == .decided(.recompile(.neverBuilt)))
        #expect(glance(record(nil), artifact: pyc) == .decided(.recompile(.neverBuilt)))
        #expect(glance(record(published()), artifact: pyc) == .decided(.upToDate))
        #expect(glance(record(published()), artifact: nil) == .decided(.recompile(.noBytecode)))
        #expect(glance(record(published()), artifact: old) == .mustRead)
        #expect(glance(record(published(), isRacy: true), artifact: pyc) == .mustRead)
        #expect(glance(record(.failed), artifact: nil) == .decided(.upToDate))
        #expect(glance(record(.compiles), artifact: nil) == .decided(.recompile(.noBytecode)))
        other.size = 11
        #expect(glance(record(published()), other, artifact: pyc) == .decided(.recompile(.sizeDiffers)))
        other.size = 10
        other.changed = FileTime(nanoseconds: other.changed.clampedNanoseconds + 1)
        #expect(glance(record(published()), other, artifact: pyc) == .mustRead)
    }

    /// What may have passed is tried again; what the source is to blame for is not.
    @Test func failuresOfTheMachineAreTriedAgain() {
        func glance(_ diagnostic: Diagnostic, deadline: Int64) -> Glance {
            var failed = record(.failed)
            failed.traces[0].diagnostics = [diagnostic]
            failed.traces[0].microseconds = 300_000
            return StalenessJudge(options: BuildOptions(), now: 0, resealsGuarded: false, deadline: deadline)
                .glance(record: failed, key: key, stamp: old, artifact: nil)
        }
        let again = Glance.decided(.recompile(.retried))
        let timeout = Diagnostic(.timeout, .error, message: "")
        #expect(glance(timeout, deadline: 300_000_000) == .decided(.upToDate))
        #expect(glance(timeout, deadline: 300_001_000) == again)
        #expect(glance(Diagnostic(.compilerCrash, .error, type: "killed", message: ""), deadline: 1) == again)
        #expect(glance(Diagnostic(.compilerCrash, .error, message: ""), deadline: .max) == .decided(.upToDate))
        #expect(glance(Diagnostic(.compilerError, .error, type: "MemoryError", message: ""), deadline: 1) == again)
        #expect(
            glance(Diagnostic(.compilerError, .error, type: "RecursionError", message: ""), deadline: .max)
                == .decided(.upToDate))
    }

    @Test func optionsDecideToo() {
        #expect(
            glance(record(published()), artifact: pyc, options: BuildOptions(isForced: true))
                == .decided(.recompile(.forced)))
        #expect(
            glance(record(published()), artifact: pyc, options: BuildOptions(invalidation: .checkedHash))
                == .decided(.reseal(.modeChanged)))
        #expect(
            glance(record(published(.checkedHash)), artifact: pyc, options: BuildOptions(invalidation: .checkedHash))
                == .decided(.upToDate))
        #expect(
            glance(record(.compiles), artifact: nil, options: BuildOptions(isCheckOnly: true)) == .decided(.upToDate))
        #expect(glance(record(published(.checkedHash, isGuarded: true)), artifact: pyc) == .decided(.upToDate))
        #expect(
            glance(record(published(.checkedHash, isGuarded: true)), artifact: pyc, reseals: true)
                == .decided(.reseal(.guardOver)))
    }

    /// An interpreter without hashes ignores guarded bytecode, so the next run reseals it, once the second is over.
    @Test func unusableHeadersAreResealedByAnyRun() {
        let guarded = record(published(.timestamp, isGuarded: true))
        #expect(glance(guarded, artifact: pyc) == .decided(.reseal(.guardOver)))
        let judge = StalenessJudge(
            options: BuildOptions(), now: old.modified.clampedNanoseconds + 1, resealsGuarded: false)
        #expect(judge.glance(record: guarded, key: key, stamp: old, artifact: pyc) == .decided(.upToDate))
    }

    @Test func contentsDecideTheRest() throws {
        let judge = StalenessJudge(options: BuildOptions(), now: 0, resealsGuarded: false)
        let trace = try #require(record(published()).trace(key))
        func judged(_ stamp: Stamp, _ fingerprint: Fingerprint, _ evidence: ArtifactEvidence) -> Staleness {
            judge.judge(trace: trace, stamp: stamp, fingerprint: fingerprint, evidence: evidence)
        }
        var touched = old
        touched.modified = FileTime(nanoseconds: touched.modified.clampedNanoseconds + 60_000_000_000)
        #expect(judged(old, print, .intact(pyc)) == .upToDate)
        #expect(judged(touched, print, .intact(pyc)) == .reseal(.touched))
        #expect(judged(touched, Fingerprint(high: 0, low: 0), .intact(pyc)) == .recompile(.contentsDiffer))
        #expect(judged(old, print, .missing) == .recompile(.noBytecode))
        #expect(judged(old, print, .differs(.truncated)) == .recompile(.truncated))
    }

    /// `int(os.stat(path).st_mtime)`, as CPython computes it.
    @Test(
        arguments: [
            (0, 0), (1_500_000_000, 1), (-500_000_000, 0), (-1_500_000_000, -1), (-1_000_000_000, -1),
            (1_577_836_799_999_999_990, 1_577_836_800), (1_577_836_799_999_000_000, 1_577_836_799),
        ] as [(Int64, Int64)])
    func secondsAreThoseOfImport(_ nanoseconds: Int64, _ second: Int64) {
        let stamp = Stamp(
            device: 0, inode: 0, size: 0, modified: FileTime(nanoseconds: nanoseconds),
            changed: FileTime(nanoseconds: 0))
        #expect(stamp.modified.importSecond == second)
    }

    /// A change time without a fraction comes from a file system that stores times in steps of one or two seconds.
    @Test(
        arguments: [
            (1, 119_000_000, true), (1, 121_000_000, false), (0, 121_000_000, true), (0, 2_119_000_000, true),
            (0, 2_121_000_000, false),
        ] as [(Int64, Int64, Bool)])
    func stampsStayRacyForAsLongAsTheirFileSystemCannotTellWritesApart(
        _ fraction: Int64, _ later: Int64, _ isRacy: Bool
    ) {
        let changed = 100_000_000_000 + fraction
        let stamp = Stamp(
            device: 0, inode: 0, size: 0, modified: FileTime(nanoseconds: changed),
            changed: FileTime(nanoseconds: changed))
        #expect(SourceState.isRacy(stamp, readAt: 99_900_000_000 + later + fraction) == isRacy)
    }

    @Test func onAFileSystemWithWholeSecondsTheGuardLastsLonger() {
        let saved = Stamp(
            device: 0, inode: 0, size: 0, modified: FileTime(nanoseconds: 100_000_000_000),
            changed: FileTime(nanoseconds: 100_000_000_000))
        #expect(StalenessJudge.needsGuard(saved, readAt: 102_900_000_000))
        #expect(!StalenessJudge.needsGuard(saved, readAt: 103_100_000_000))
    }

    @Test func theGuardLastsForItsSecond() {
        let saved = Stamp(
            device: 0, inode: 0, size: 0, modified: FileTime(nanoseconds: 100_400_000_000),
            changed: FileTime(nanoseconds: 1))
        #expect(StalenessJudge.needsGuard(saved, readAt: 100_500_000_000))
        #expect(StalenessJudge.needsGuard(saved, readAt: 101_010_000_000), "the kernel's clock lags by up to a tick")
        #expect(!StalenessJudge.needsGuard(saved, readAt: 101_030_000_000))
        #expect(StalenessJudge.needsGuard(saved, readAt: 50_000_000_000), "saved in the future")
    }
}
