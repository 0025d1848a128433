// Which problems of the machine, not of the code, still stand: what could not be read or written.

import BasicTypes
import BuildModel

/// Operational diagnostics by path. A problem goes when its path is looked at again without it, whatever the path has
/// become in the meantime.
package struct StandingProblems: Hashable, Sendable {
    private var byPath: [BytePath: Set<LocatedDiagnostic>] = [:]

    package init() {}

    package var all: [LocatedDiagnostic] { byPath.values.flatMap { $0 } }

    package func contains(_ problem: LocatedDiagnostic) -> Bool { byPath[problem.path]?.contains(problem) == true }

    /// Takes in what a wave found.
    ///
    /// - Parameter looked: whether the wave looked at a path.
    package mutating func update(with report: WaveReport, looked: (BytePath) -> Bool) {
        for path in byPath.keys where looked(path) { byPath[path] = nil }
        for problem in report.diagnostics where problem.diagnostic.rule.isOperational {
            byPath[problem.path, default: []].insert(problem)
        }
    }
}
