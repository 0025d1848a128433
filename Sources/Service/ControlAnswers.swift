// Answers questions about imports, for clients of the daemon and for commands that run without one.

import BasicTypes
import Documents
import ImportGraph
import Waves

package enum ControlAnswers {
    package static func graph(_ session: Session, _ parameters: ControlParameters) -> GraphDocument {
        GraphDocument(
            root: session.configuration.rootPath,
            session.graph(
                from: (parameters.paths ?? []).map { BytePath($0) },
                direction: parameters.direction.flatMap { GraphSelection.Direction(rawValue: $0) } ?? .dependencies,
                depth: parameters.depth ?? .max, kinds: kinds(parameters)))
    }

    package static func affected(_ session: Session, _ parameters: ControlParameters) -> AffectedDocument {
        let paths = (parameters.paths ?? []).map { BytePath($0) }
        return AffectedDocument(
            changed: paths,
            session.affected(by: paths, kinds: kinds(parameters), testsAlone: parameters.tests == true),
            hasChains: parameters.chains != false)
    }

    package static func cycles(_ session: Session) -> CyclesDocument {
        CyclesDocument(session.cycles(), modules: session.analyzedModules)
    }

    private static func kinds(_ parameters: ControlParameters) -> Set<ImportKind> {
        let named = Set((parameters.kinds ?? []).compactMap { ImportKind(rawValue: $0) })
        return named.isEmpty ? Set(ImportKind.allCases) : named
    }
}
