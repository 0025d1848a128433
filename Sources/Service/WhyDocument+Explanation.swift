// Converts the explanation of one source to the document that `why` prints.

import BasicTypes
import BuildModel
import Documents
import Waves

extension WhyDocument {
    package init(_ explanation: ModuleExplanation) {
        let artifacts = explanation.artifacts.map { artifact in
            let (state, reason): (String, StalenessReason?) =
                switch artifact.staleness {
                case .upToDate: (artifact.trace?.isFailure == true ? "failed" : "up-to-date", nil)
                case .reseal(let reason): ("restamp", reason)
                case .recompile(let reason): ("recompile", reason)
                case .discard: ("discard", nil)
                }
            return Artifact(
                interpreter: artifact.interpreter.name, level: artifact.level.rawValue, path: artifact.path.description,
                state: state, reason: reason?.rawValue, mode: artifact.trace?.published?.mode.rawValue,
                isGuarded: artifact.trace?.published?.isGuarded ?? false, clock: artifact.trace?.clock ?? 0,
                microseconds: artifact.trace?.microseconds ?? 0)
        }
        let imports = explanation.imports.map {
            Import(
                line: $0.line, kind: $0.kind.rawValue, statement: $0.statement, state: $0.state, to: $0.targets)
        }
        self.init(
            path: explanation.path.description, state: explanation.state.rawValue, artifacts: artifacts,
            diagnostics: explanation.findings.map { ReportDocument.Finding($0) }, imports: imports,
            importedBy: explanation.importers.map(\.description))
    }
}
