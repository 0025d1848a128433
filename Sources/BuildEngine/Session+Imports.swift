// The imports of a session's tree: kept up with its waves, and what is wrong with them.
// Knows: when to look again, which findings are news. Does not know: how imports are resolved, or who asks.

import BuildModel
import FileWatching
import ImportGraph
import LinuxSystem

extension Session {
    /// What a wave's sources have of findings about imports: all of them, or those that are new.
    func importFindings(_ input: WaveInput, _ outcome: WaveOutcome) -> [LocatedDiagnostic] {
        guard let analysis else { return [] }
        let begun = Host.monotonic
        defer { analysis.lastDuration = Host.monotonic - begun }
        var sources = input.sources
        if input.reportsAll, !configuration.starts.contains(.empty) {
            // What a part of the tree imports is judged by what the rest is now.
            let named = Set(sources.map(\.path))
            sources += scanner().scan([.empty]).sources.filter { !named.contains($0.path) }
        }
        let again = analysis.refresh(
            sources, removed: outcome.removed, others: input.others, isComplete: input.reportsAll
        ) { compilation(of: $0) }
        guard input.reportsAll else {
            let news = analysis.judge(again)
            // Looking for cycles takes milliseconds, and most saves change no edge.
            if analysis.treeFindings.revision == analysis.graph.revision { return news }
            let known = Set(analysis.treeFindings.findings)
            return news + analysis.findingsOfTheTree().filter { !known.contains($0) }
        }
        analysis.judgeAll()
        let named = configuration.starts
        return importFindings { path in named.contains { path.isWithin($0) } }
    }

    /// Scans the imports of all sources of a watch.
    ///
    /// - Returns: what is wrong with them; `nil` where nobody wants to know.
    func startAnalysis(_ sources: [ScannedSource]) -> [LocatedDiagnostic]? {
        guard configuration.analyzesImports, analysis == nil else { return nil }
        openAnalysis()
        guard let analysis else { return nil }
        analysis.refresh(sources, isComplete: true) { compilation(of: $0) }
        analysis.judgeAll()
        return importFindings { _ in true }
    }

    /// What the graph holds; `nil` before it was looked at.
    package var graphSize: (edges: Int, findings: Int, lastDuration: Int64)? {
        guard let analysis else { return nil }
        let edges = analysis.graph.tree.modules.reduce(0) { $0 + analysis.graph.edges(from: $1).count }
        let findings = analysis.findings.values.reduce(0) { $0 + $1.count }
        return (edges, findings, analysis.lastDuration)
    }

    /// All findings about imports of some sources.
    func importFindings(within isNamed: (BytePath) -> Bool) -> [LocatedDiagnostic] {
        guard let analysis else { return [] }
        var found: [LocatedDiagnostic] = []
        for (path, diagnostics) in analysis.findings where isNamed(path) {
            found += diagnostics.map { LocatedDiagnostic(path: path, diagnostic: $0) }
        }
        return found + analysis.findingsOfTheTree().filter { isNamed($0.path) }
    }

    /// Whether a source does not compile for any interpreter, and which bytecode shows what it binds.
    func compilation(of path: BytePath) -> ImportAnalysis.Compilation {
        guard let record = record(path), let target = targets.first else { return ImportAnalysis.Compilation() }
        var compilation = ImportAnalysis.Compilation()
        compilation.isFailing = targets.allSatisfy { record.trace($0.key)?.isFailure == true }
        if let trace = record.trace(target.key), let published = trace.published {
            compilation.artifact = ImportAnalysis.Artifact(
                path: target.place.path(of: path), published: published, fingerprint: trace.fingerprint,
                interpreter: target.interpreter)
        }
        return compilation
    }
}

extension ImportAnalysis {
    /// Judges the imports of these sources.
    ///
    /// - Returns: findings that were not there before.
    func judge(_ modules: Set<ModuleID>) -> [LocatedDiagnostic] {
        var news: [LocatedDiagnostic] = []
        for module in modules {
            guard let entry = graph.tree[module], let path = BytePath(entry.path) else { continue }
            let found = graph.findings(of: module).map { diagnostic($0) }
            let kept = found.isEmpty ? [] : IgnoreComments(of: path, root: root).filter(found)
            let old = findings.removeValue(forKey: path) ?? []
            if !kept.isEmpty { findings[path] = kept }
            news += kept.filter { !old.contains($0) }.map { LocatedDiagnostic(path: path, diagnostic: $0) }
        }
        return news
    }

    /// Judges the imports of all sources.
    func judgeAll() { _ = judge(Set(graph.tree.modules)) }

    /// Cycles, and modules that hide each other; found again only where edges have changed.
    func findingsOfTheTree() -> [LocatedDiagnostic] {
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
