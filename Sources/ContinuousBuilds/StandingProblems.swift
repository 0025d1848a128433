// The operational problems that still exist: paths that could not be read or written.

import BasicTypes
import BuildModel

/// Operational diagnostics by path. A problem is removed when a wave checks its path again without finding it, whatever
/// is at that path by then.
package struct StandingProblems: Hashable, Sendable {
    private var byPath: [BytePath: Set<LocatedDiagnostic>] = [:]

    package init() {}

    package var all: [LocatedDiagnostic] { byPath.values.flatMap { $0 } }

    package func contains(_ problem: LocatedDiagnostic) -> Bool { byPath[problem.path]?.contains(problem) == true }

    /// Updates the problems after a wave.
    ///
    /// - Parameter wasChecked: whether the wave checked a path.
    package mutating func update(with report: WaveReport, wasChecked: (BytePath) -> Bool) {
        for path in byPath.keys where wasChecked(path) { byPath[path] = nil }
        for problem in report.diagnostics where problem.diagnostic.rule.isOperational {
            byPath[problem.path, default: []].insert(problem)
        }
    }
}
