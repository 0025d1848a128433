// What the compilers have said of a source, each thing once.
// Knows: traces of several interpreters and levels. Does not know: who reads it, or what is wrong with imports.

import BuildModel
import Compilation

extension Session {
    /// The findings on record for a source, for the targets of this session.
    package func findings(_ record: ModuleRecord) -> [LocatedDiagnostic] {
        // Nearly all modules have none, and a report asks for all of them.
        if record.traces.allSatisfy(\.diagnostics.isEmpty) { return [] }
        let selected = interpreters.selected
        var said: [(Diagnostic, Int)] = []
        for target in targets {
            guard let place = selected.firstIndex(of: target.key.interpreter) else { continue }
            said += (record.trace(target.key)?.diagnostics ?? []).map { ($0, place) }
        }
        return CombinedFindings.of(said, by: selectedInterpreters).map {
            LocatedDiagnostic(path: record.path, diagnostic: $0.diagnostic, interpreters: $0.interpreters)
        }
    }
}
