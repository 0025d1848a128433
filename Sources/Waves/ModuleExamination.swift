// Reading a source and its artifacts where stamps could not tell, and mending headers.
// Knows: one module at a time. Does not know: the wave; many of these run side by side.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import LinuxSystem

/// What looking at a module's contents came to.
package enum ModuleExamination: Sendable {
    case gone
    case problem(Diagnostic)
    case judged(Examined)

    package struct Examined: Sendable {
        /// With what is now known; `nil` where nothing is different.
        package var record: ModuleRecord?
        /// Whether an artifact was written or the source has another stamp: more than a fresh look at the same.
        package var isChanged = false
        /// Why headers were written, if any were.
        package var resealed: StalenessReason?
        package var stale: [(target: Int, reason: StalenessReason)] = []
        /// Targets whose bytecode must go, since the compiler refuses the source.
        package var unwanted: [Int] = []
        package var problems: [Diagnostic] = []
        /// What was read, where it is to be compiled.
        package var snapshot: SourceSnapshot?
    }
}

/// Examines modules; a value, so that slices of a wave can share it.
package struct ModuleExaminer: Sendable {
    package let root: Directory
    package let targets: [ArtifactTarget]
    package let judge: StalenessJudge

    package func examine(_ source: ScannedSource, record: ModuleRecord?, publisher: ArtifactPublisher)
        -> ModuleExamination
    {
        let snapshot: SourceSnapshot
        do throws(SourceProblem) {
            snapshot = try SourceReader(root: root).read(source.path)
        } catch {
            switch error {
            case .gone: return .gone
            case .diagnostic(let diagnostic, _): return .problem(diagnostic)
            }
        }
        var examined = ModuleExamination.Examined()
        guard var record else {
            examined.stale = targets.indices.map { ($0, .neverBuilt) }
            examined.snapshot = snapshot
            return .judged(examined)
        }
        let before = record
        // Traces keep the fingerprint of what they were built from, so the record may follow the source.
        record.source = snapshot.state
        examined.isChanged = before.source.stamp != snapshot.state.stamp
        for (position, target) in targets.enumerated() {
            guard let trace = record.trace(target.key) else {
                examined.stale.append((position, source.artifact(position) == nil ? .noBytecode : .neverBuilt))
                continue
            }
            let path = target.place.path(of: source.path)
            let evidence = evidence(
                for: trace, target, path, snapshot, isThere: source.artifact(position) != nil)
            switch judge.judge(
                trace: trace, stamp: snapshot.state.stamp, fingerprint: snapshot.state.fingerprint, evidence: evidence)
            {
            case .upToDate:
                // The file is as it was, under a new stamp: rewritten with the same bytes, or copied.
                if case .intact(let stamp) = evidence, var published = trace.published, published.stamp != stamp {
                    published.stamp = stamp
                    record.record(trace.with(.published(published)))
                    examined.isChanged = true
                }
            case .recompile(let reason):
                examined.stale.append((position, reason))
            case .discard:
                examined.unwanted.append(position)
            case .reseal(let reason):
                do throws(SystemError) {
                    guard let published = trace.published, case .intact(let stamp) = evidence,
                        let resealed = try reseal(published, stamp, target, path, snapshot, publisher)
                    else {
                        examined.stale.append((position, .damaged))
                        continue
                    }
                    record.record(trace.with(.published(resealed)))
                    examined.resealed = examined.resealed ?? reason
                    examined.isChanged = true
                } catch {
                    examined.problems.append(.unwritable(path, error))
                }
            }
        }
        if record != before { examined.record = record }
        if !examined.stale.isEmpty { examined.snapshot = snapshot }
        return .judged(examined)
    }

    private func evidence(
        for trace: Trace, _ target: ArtifactTarget, _ path: BytePath, _ snapshot: SourceSnapshot, isThere: Bool
    ) -> ArtifactEvidence {
        if trace.isFailure { return isThere ? .differs(.contentsDiffer) : .missing }
        guard let published = trace.published, !judge.options.isCheckOnly else { return .missing }
        return ArtifactInspector(root: root).inspect(path, published: published) {
            target.expectedHeader(of: published, source: snapshot.bytes)
        }
    }

    /// Gives code that is right the header that it needs now.
    private func reseal(
        _ published: PublishedArtifact, _ stamp: Stamp, _ target: ArtifactTarget, _ path: BytePath,
        _ snapshot: SourceSnapshot, _ publisher: ArtifactPublisher
    ) throws(SystemError) -> PublishedArtifact? {
        let seal = target.seal(
            stamp: snapshot.state.stamp, source: snapshot.bytes, mode: judge.options.invalidation,
            isGuarded: snapshot.needsGuard)
        var resealed = PublishedArtifact(
            stamp: stamp, body: published.body, mode: seal.mode, seconds: seal.seconds, size: seal.size,
            isGuarded: seal.isGuarded)
        if published.mode == .timestamp, seal.mode == .timestamp {
            var current = published
            current.stamp = stamp
            if let written = try publisher.restamp(
                path, published: current, layout: target.interpreter.layout, header: seal.header)
            {
                resealed.stamp = written
                return resealed
            }
        }
        let body = ArtifactInspector(root: root).body(
            path, published: published, headerLength: target.interpreter.layout.rawValue)
        guard let body else { return nil }
        resealed.stamp = try publisher.publish(
            path, header: seal.header, body: body, permissions: snapshot.permissions)
        return resealed
    }
}

extension ScannedSource {
    fileprivate func artifact(_ position: Int) -> Stamp? {
        position < artifacts.count ? artifacts[position] : nil
    }
}

extension Trace {
    /// The same trace with another outcome.
    package func with(_ outcome: Outcome) -> Trace {
        var copy = self
        copy.outcome = outcome
        return copy
    }
}
