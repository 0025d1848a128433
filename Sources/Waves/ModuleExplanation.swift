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
        let examiner = ModuleExaminer(root: root, targets: targets, judge: judge)
        let decisions =
            examiner.glance(source, record: record)
            ?? (try? SourceReader(root: root).read(path)).map { examiner.decide(source, record: record, $0) } ?? []
        for (position, target) in targets.enumerated() {
            explanation.artifacts.append(
                ModuleExplanation.Artifact(
                    interpreter: target.interpreter, level: target.key.level, path: target.place.path(of: path),
                    staleness: decisions.first { $0.target == position }?.staleness ?? .upToDate,
                    trace: record?.trace(target.key)))
        }
        if let record { explanation.findings = findings(record) }
        explanation.findings += importFindings { $0 == path }
        explanation.imports = analysis?.imports(of: path) ?? []
        explanation.importers = analysis?.importers(of: path) ?? []
        return explanation
    }
}
