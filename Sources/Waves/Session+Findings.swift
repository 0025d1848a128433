// The compiler findings of a source, merged over interpreters and optimization levels.

import BuildModel
import Compilation

extension Session {
    /// The findings on record for a source, for the targets of this session.
    package func findings(_ record: ModuleRecord) -> [LocatedDiagnostic] {
        // Fast path: nearly all modules have no diagnostics, and a report asks for all modules.
        if record.traces.allSatisfy({ $0.diagnostics.isEmpty }) { return [] }
        let selected = interpreters.selected
        var reported: [(Diagnostic, Int)] = []
        for target in targets {
            guard let place = selected.firstIndex(of: target.key.interpreter) else { continue }
            reported += (record.trace(target.key)?.diagnostics ?? []).map { ($0, place) }
        }
        return CombinedFindings.of(reported, by: selectedInterpreters).map {
            LocatedDiagnostic(path: record.path, diagnostic: $0.diagnostic, interpreters: $0.interpreters)
        }
    }
}
