// Collects what `freshpyc why` shows about one source. Must not write anything.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import ImportGraph
import LinuxSystem

/// What is known about one source, judged now.
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
    /// The sources of the tree that import this one.
    package var importers: [BytePath] = []
}

extension Session {
    /// Judges a source as a wave would, without writing anything.
    package func explanation(of path: BytePath) -> ModuleExplanation {
        guard let source = scanner().observe(path).source else { return ModuleExplanation(path: path, state: .missing) }
        let record = record(path)
        let isExcluded = scanner().isExcludedOnTheWay(to: path, isDirectory: false)
        var explanation = ModuleExplanation(
            path: path, state: record != nil ? .known : isExcluded ? .outOfScope : .unknown)
        let examiner = examiner(resealsGuarded: true)
        let decisions =
            examiner.glance(source.stamp, source.artifacts, record: record)
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
