// Judges one module: by stamps if they suffice, otherwise by contents. Rewrites headers that are outdated.
// Must not use the wave: many modules are examined in parallel.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import LinuxSystem

/// The result of comparing the contents of a module.
package enum ModuleExamination: Sendable {
    case gone
    case problem(Diagnostic)
    case judged(Examined)

    package struct Examined: Sendable {
        /// The updated record; `nil` if it has not changed.
        package var record: ModuleRecord?
        /// Whether an artifact was written, or the source has a new stamp. If `false`, the record was only refreshed.
        package var isChanged = false
        /// Why headers were rewritten; `nil` if none were.
        package var resealed: StalenessReason?
        package var stale: [(target: Int, reason: StalenessReason)] = []
        /// Targets whose bytecode must be removed, because the compiler rejects the source.
        package var unwanted: [Int] = []
        package var problems: [Diagnostic] = []
        /// The contents of the source, if it must be compiled.
        package var snapshot: SourceSnapshot?
    }
}

/// The decision about one artifact, with its evidence.
struct ArtifactDecision: Sendable {
    let target: Int
    let staleness: Staleness
    /// Stays `.missing` if stamps alone decided.
    var evidence = ArtifactEvidence.missing
}

/// Examines modules. A value type, so that the slices of a wave can share it.
struct ModuleExaminer: Sendable {
    let root: Directory
    let targets: [ArtifactTarget]
    let judge: StalenessJudge

    /// Decides by stamps alone.
    ///
    /// - Returns: the artifacts that are not up to date (usually none, and then nothing is allocated); `nil` if the
    ///   contents of the source or of an artifact must be compared.
    func glance(_ stamp: Stamp, _ artifacts: [Stamp?], record: ModuleRecord?) -> [ArtifactDecision]? {
        var decisions: [ArtifactDecision] = []
        for (position, target) in targets.enumerated() {
            let artifact = judge.options.isCheckOnly || artifacts.isEmpty ? nil : artifacts[position]
            let glance = judge.glance(record: record, key: target.key, stamp: stamp, artifact: artifact)
            guard case .decided(let staleness) = glance else { return nil }
            if staleness != .upToDate { decisions.append(ArtifactDecision(target: position, staleness: staleness)) }
        }
        return decisions
    }

    /// Decides by contents.
    func decide(
        _ source: ScannedSource, record: ModuleRecord?, _ snapshot: SourceSnapshot
    ) -> [ArtifactDecision] {
        targets.enumerated().map { position, target in
            guard let record else { return ArtifactDecision(target: position, staleness: .recompile(.neverBuilt)) }
            guard let trace = record.trace(target.key) else {
                let reason: StalenessReason = source.artifact(position) == nil ? .noBytecode : .neverBuilt
                return ArtifactDecision(target: position, staleness: .recompile(reason))
            }
            let evidence = evidence(
                for: trace, target, target.place.path(of: source.path), snapshot, scanned: source.artifact(position))
            let staleness = judge.judge(
                trace: trace, stamp: snapshot.state.stamp, fingerprint: snapshot.state.fingerprint, evidence: evidence)
            return ArtifactDecision(target: position, staleness: staleness, evidence: evidence)
        }
    }

    /// Reads a source, decides by contents, and rewrites the headers of artifacts whose code is still valid.
    func examine(_ source: ScannedSource, record: ModuleRecord?, publisher: ArtifactPublisher) -> ModuleExamination {
        let snapshot: SourceSnapshot
        do throws(SourceProblem) {
            snapshot = try SourceReader(root: root).read(source.path, scanned: source.stamp)
        } catch {
            switch error {
            case .gone: return .gone
            case .diagnostic(let diagnostic, _): return .problem(diagnostic)
            }
        }
        var examined = ModuleExamination.Examined()
        var updated = record
        // Traces keep the fingerprint of what they were built from, so the record may follow the source.
        updated?.source = snapshot.state
        examined.isChanged = record.map { $0.source.stamp != snapshot.state.stamp } ?? false
        for decision in decide(source, record: record, snapshot) {
            let target = targets[decision.target]
            switch decision.staleness {
            case .upToDate:
                // The file has a new stamp, but the same bytes: it was rewritten or copied.
                if case .intact(let stamp) = decision.evidence, let trace = record?.trace(target.key),
                    var published = trace.published, published.stamp != stamp
                {
                    published.stamp = stamp
                    updated?.record(trace.with(.published(published)))
                    examined.isChanged = true
                }
            case .recompile(let reason): examined.stale.append((decision.target, reason))
            case .discard: examined.unwanted.append(decision.target)
            case .reseal(let reason):
                let path = target.place.path(of: source.path)
                do throws(SystemError) {
                    guard let trace = record?.trace(target.key), let published = trace.published,
                        case .intact(let stamp) = decision.evidence,
                        let resealed = try reseal(published, stamp, target, path, snapshot, publisher)
                    else {
                        examined.stale.append((decision.target, .damaged))
                        continue
                    }
                    updated?.record(trace.with(.published(resealed)))
                    examined.resealed = examined.resealed ?? reason
                    examined.isChanged = true
                } catch {
                    examined.problems.append(.unwritable(path, error))
                }
            }
        }
        if updated != record { examined.record = updated }
        if !examined.stale.isEmpty { examined.snapshot = snapshot }
        return .judged(examined)
    }

    private func evidence(
        for trace: Trace, _ target: ArtifactTarget, _ path: BytePath, _ snapshot: SourceSnapshot, scanned: Stamp?
    ) -> ArtifactEvidence {
        if trace.isFailure { return scanned == nil ? .missing : .differs(.contentsDiffer) }
        guard let published = trace.published, !judge.options.isCheckOnly else { return .missing }
        // What changes the file after the scan is noticed before its header is replaced.
        if scanned == published.stamp { return .intact(published.stamp) }
        return ArtifactInspector(root: root).inspect(path, published: published) {
            target.expectedHeader(of: published, source: snapshot.bytes)
        }
    }

    /// Replaces the header of an artifact whose code is still valid.
    ///
    /// - Returns: `nil` if the code is not what was published.
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
