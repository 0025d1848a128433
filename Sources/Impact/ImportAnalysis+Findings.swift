// Findings about the imports of a tree.

import BasicTypes
import BuildModel
import ImportGraph

extension ImportAnalysis {
    /// Checks the imports of these sources.
    ///
    /// - Returns: the new findings.
    package func judge(_ modules: Set<ModuleID>) -> [LocatedDiagnostic] {
        var new: [LocatedDiagnostic] = []
        for module in modules {
            guard let entry = graph.tree[module], let path = BytePath(entry.path) else { continue }
            let found = graph.findings(of: module).map { diagnostic($0) }
            let kept = found.isEmpty ? [] : IgnoreComments(of: path, root: root).filter(found)
            let old = findings.removeValue(forKey: path) ?? []
            if !kept.isEmpty { findings[path] = kept }
            new += kept.filter { !old.contains($0) }.map { LocatedDiagnostic(path: path, diagnostic: $0) }
        }
        return new
    }

    /// Checks the imports of all sources.
    package func judgeAll() { _ = judge(Set(graph.tree.modules)) }

    /// Cycles, and modules that hide each other. They are searched for again only if edges have changed.
    package func findingsOfTheTree() -> [LocatedDiagnostic] {
        if treeFindings.changes == graph.changes { return treeFindings.findings }
        var found: [LocatedDiagnostic] = []
        for finding in graph.treeFindings(standardLibrary: standardLibrary) {
            guard let entry = graph.tree[finding.module], let path = BytePath(entry.path) else { continue }
            found += IgnoreComments(of: path, root: root).filter([diagnostic(finding)]).map {
                LocatedDiagnostic(path: path, diagnostic: $0)
            }
        }
        treeFindings = (graph.revision, graph.changes, found)
        return found
    }

    private func diagnostic(_ finding: ImportFinding) -> Diagnostic {
        let rule: Rule =
            switch finding.rule {
            case .unresolvedImport: .unresolvedImport
            case .missingName: .missingName
            case .importCycle: .importCycle
            case .shadowsStdlib: .shadowsStdlib
            case .duplicateModule: .duplicateModule
            case .caseCollision: .caseCollision
            }
        let severity: Severity =
            switch finding.severity {
            case .note: .note
            case .warning: .warning
            case .error: .error
            }
        return Diagnostic(rule, severity, line: finding.line, column: finding.column, message: finding.message)
    }
}
