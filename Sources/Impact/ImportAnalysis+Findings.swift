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
            outsideAssignments.forget(module)
            registrations.forget(module)
            let kept = shown(graph.findings(of: module), in: path)
            let old = findings.removeValue(forKey: path) ?? []
            if !kept.isEmpty { findings[path] = kept }
            new += kept.filter { !old.contains($0) }.map { LocatedDiagnostic(path: path, diagnostic: $0) }
        }
        return new
    }

    /// Checks the imports of all sources.
    package func judgeAll() { _ = judge(Set(graph.tree.modules)) }

    /// Import cycles, and modules that hide each other. Searches again only if something has changed that may matter: the
    /// search takes milliseconds, and most saves change nothing.
    package func findingsOfTheTree() -> [LocatedDiagnostic] {
        if hasCurrentTreeFindings { return knownTreeFindings.shown }
        let findings = TreeFindings(graph, standardLibrary: standardLibrary)
        var found: [LocatedDiagnostic] = []
        for finding in findings.all {
            guard let entry = graph.tree[finding.module], let path = BytePath(entry.path) else { continue }
            found += shown([finding], in: path).map { LocatedDiagnostic(path: path, diagnostic: $0) }
        }
        knownTreeFindings = KnownTreeFindings(
            revision: graph.revision, treeRevision: graph.treeRevision, involved: findings.involved, shown: found)
        return found
    }

    package var hasCurrentTreeFindings: Bool {
        let known = knownTreeFindings
        return !known.isStale && known.revision == graph.revision && known.treeRevision == graph.treeRevision
    }

    /// The findings of a source that its comments do not ignore, each at the name that it is about.
    private func shown(_ findings: [ImportFinding], in path: BytePath) -> [Diagnostic] {
        guard !findings.isEmpty else { return [] }
        let bytes = IgnoreComments.contents(of: path, root: root)
        let comments = IgnoreComments(bytes)
        var shown: [Diagnostic] = []
        var declarations = ExtensionDeclarations(root: root)
        for finding in findings {
            var diagnostic = diagnostic(finding)
            if let name = finding.name, diagnostic.severity == .error,
                finding.rule == .unresolvedImport || finding.rule == .missingName,
                declarations.mention(name, atOrAbove: path.parent)
            {
                diagnostic.severity = .note
                diagnostic.message += "; a build file mentions it, so it may not be built yet"
            }
            if let name = finding.name, let target = finding.target, diagnostic.severity == .error,
                let setter = setter(of: name, in: target, for: finding.module)
            {
                diagnostic.severity = .note
                diagnostic.message += "; \(setter) sets it"
            }
            if let name = finding.name, diagnostic.severity == .error,
                let registrar = registrar(of: name, for: finding.module)
            {
                diagnostic.severity = .note
                diagnostic.message += "; \(registrar) may register a module of this name"
            }
            if let name = finding.name, let text = StatementText(bytes, line: finding.line, column: finding.column),
                let place = text.place(of: name, isImported: finding.rule != .unresolvedImport)
                    ?? text.place(of: name, isImported: false)
            {
                diagnostic.line = place.line
                diagnostic.column = place.column
            }
            // A comment counts on the line of the name, and on the first line of the statement.
            if !comments.ignores(diagnostic.rule, on: [finding.line, diagnostic.line]) { shown.append(diagnostic) }
        }
        return shown + comments.unknownRules
    }

    /// The source that sets a name of a module from outside.
    private func setter(of name: String, in target: ModuleID, for owner: ModuleID) -> BytePath? {
        let setter = outsideAssignments.setter(of: name, in: target, for: owner, graph) { module in
            path(module).map { IgnoreComments.contents(of: $0, root: root) } ?? []
        }
        return setter.flatMap { path($0) }
    }

    /// The source that may make a module importable that no file has.
    private func registrar(of name: String, for owner: ModuleID) -> BytePath? {
        let registrar = registrations.registrar(of: name, for: owner, graph) { module in
            path(module).map { IgnoreComments.contents(of: $0, root: root) } ?? []
        }
        return registrar.flatMap { path($0) }
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
