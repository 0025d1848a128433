// Why one source is as it is: what `freshpyc why` prints.
// Knows: record, artifacts and imports of a source. Does not know: how it is shown; nothing is written here.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import ImportGraph
import LinuxSystem

/// What is known of one source, judged now.
package struct ModuleExplanation {
    package enum State: String {
        case known, unknown
        case outOfScope = "out-of-scope"
        case missing
    }

    package struct Artifact {
        package let interpreter: Interpreter
        package let level: OptimizationLevel
        package let path: BytePath
        package let staleness: Staleness
        package let trace: Trace?
    }

    package let path: BytePath
    package var state: State
    package var artifacts: [Artifact] = []
    package var findings: [LocatedDiagnostic] = []
    package var imports: [GraphImport] = []
    /// Sources of the tree that import it.
    package var importers: [BytePath] = []
}

extension Session {
    /// Judges a source as a wave would, and writes nothing.
    package func explanation(of path: BytePath) -> ModuleExplanation {
        guard let source = scanner().observe(path).source else { return ModuleExplanation(path: path, state: .missing) }
        let record = record(path)
        let isExcluded = scanner().isExcludedOnTheWay(to: path, isDirectory: false)
        var explanation = ModuleExplanation(
            path: path, state: record != nil ? .known : isExcluded ? .outOfScope : .unknown)
        let judge = StalenessJudge(options: configuration.options, now: Host.realtime, resealsGuarded: true)
        let snapshot = try? SourceReader(root: root).read(path)
        for (position, target) in targets.enumerated() {
            let artifact = target.place.path(of: path)
            let staleness: Staleness
            switch judge.glance(
                record: record, key: target.key, stamp: source.stamp, artifact: source.artifacts[position])
            {
            case .decided(let decided): staleness = decided
            case .mustRead:
                guard let trace = record?.trace(target.key), let snapshot else {
                    staleness = .recompile(.contentsDiffer)
                    break
                }
                var evidence = ArtifactEvidence.missing
                if let published = trace.published {
                    evidence = ArtifactInspector(root: root).inspect(artifact, published: published) {
                        target.expectedHeader(of: published, source: snapshot.bytes)
                    }
                }
                staleness = judge.judge(
                    trace: trace, stamp: snapshot.state.stamp, fingerprint: snapshot.state.fingerprint,
                    evidence: evidence)
            }
            explanation.artifacts.append(
                ModuleExplanation.Artifact(
                    interpreter: target.interpreter, level: target.key.level, path: artifact, staleness: staleness,
                    trace: record?.trace(target.key)))
        }
        if let record { explanation.findings = findings(record) }
        explanation.findings += importFindings { $0 == path }
        explanation.imports = analysis?.imports(of: path) ?? []
        explanation.importers = analysis?.importers(of: path) ?? []
        return explanation
    }
}
