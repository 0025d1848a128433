// The import analysis of a session: when sources are scanned again, and which findings a wave reports.

import BasicTypes
import BuildModel
import Compilation
import FileWatching
import Impact
import ImportGraph
import LinuxSystem

extension Session {
    /// Scans the whole tree's imports, without building anything.
    ///
    /// - Returns: the directories and sources that could not be read.
    package func scanImports() -> [LocatedDiagnostic] {
        let result = scanner().scan([.empty])
        guard let analysis else { return result.problems }
        analysis.refresh(result.sources, isComplete: true) { compilation(of: $0) }
        let reader = SourceReader(root: root)
        return result.problems
            + result.sources.filter { !analysis.knows($0.path) }.compactMap { source in
                do throws(SourceProblem) {
                    _ = try reader.read(source.path)
                } catch {
                    if case .diagnostic(let diagnostic, _) = error {
                        return LocatedDiagnostic(path: source.path, diagnostic: diagnostic)
                    }
                }
                return nil
            }
    }

    /// Sources and their imports; see `ImportAnalysis.nodes`.
    package func graph(
        from paths: [BytePath], direction: GraphSelection.Direction, depth: Int, kinds: Set<ImportKind>
    ) -> [GraphNode] {
        analysis?.nodes(from: paths, direction: direction, depth: depth, kinds: kinds) ?? []
    }

    /// The sources that a change of these files affects. The files need not exist.
    package func affected(by paths: [BytePath], kinds: Set<ImportKind>, testsAlone: Bool) -> AffectedAnswer {
        analysis?.affected(by: paths, kinds: kinds, testsAlone: testsAlone) ?? AffectedAnswer()
    }

    /// The import cycles of the tree.
    package func cycles() -> [CycleAnswer] { analysis?.cycles() ?? [] }

    /// The number of modules whose imports are known.
    package var analyzedModules: Int { analysis?.graph.tree.modules.count ?? 0 }

    /// Updates the import analysis after a wave.
    ///
    /// - Returns: all findings about imports if the wave reports all, otherwise the new ones.
    package func importFindings(_ input: WaveInput, _ outcome: WaveOutcome) -> [LocatedDiagnostic] {
        guard let analysis else { return [] }
        let begun = Host.monotonic
        defer { analysis.lastDuration = Host.monotonic - begun }
        let sources = input.sources + (input.reportsAll ? sourcesElsewhere(input.sources) : [])
        let again = analysis.refresh(
            sources, removed: outcome.absent, others: input.others, isComplete: input.reportsAll
        ) { compilation(of: $0) }
        guard input.reportsAll else {
            var new = analysis.judge(again)
            if !analysis.hasCurrentTreeFindings {
                let known = Set(analysis.knownTreeFindings.shown)
                new += analysis.findingsOfTheTree().filter { !known.contains($0) }
            }
            // Sources elsewhere are not watched: they may have changed since they were read.
            return new.filter { named.covers($0.path) }
        }
        analysis.judgeAll()
        return importFindings(within: named.covers)
    }

    /// Scans the imports of all sources, when a watch starts.
    ///
    /// - Returns: the findings.
    package func startAnalysis(_ sources: [ScannedSource]) -> [LocatedDiagnostic] {
        guard configuration.analyzesImports, analysis == nil else { return [] }
        openAnalysis()
        guard let analysis else { return [] }
        analysis.refresh(sources + sourcesElsewhere(sources), isComplete: true) { compilation(of: $0) }
        analysis.judgeAll()
        return importFindings(within: named.covers)
    }

    /// For a check of a part of the tree: the sources elsewhere whose names that part imports, if these names are not known.
    func sourcesToReadNamesFrom(_ sources: [ScannedSource]) -> [ScannedSource] {
        guard configuration.options.isCheckOnly, !configuration.starts.contains(.empty), let analysis else { return [] }
        let elsewhere = sourcesElsewhere(sources)
        analysis.refresh(sources + elsewhere, isComplete: true) { compilation(of: $0) }
        let wanted = analysis.importedWithoutBindings(by: sources.map(\.path))
        return elsewhere.filter { wanted.contains($0.path) }
    }

    /// The sources that are not in the named places. The imports of a part of a tree depend on the rest of it.
    private func sourcesElsewhere(_ sources: [ScannedSource]) -> [ScannedSource] {
        guard !configuration.starts.contains(.empty) else { return [] }
        let named = Set(sources.map(\.path))
        return scanner().scan([.empty]).sources.filter { !named.contains($0.path) }
    }

    /// Reads the imports of sources that changed and are not in the named places, which a watch of these does not watch.
    package func refreshImportsElsewhere() {
        guard let analysis, !configuration.starts.contains(.empty) else { return }
        let sources = scanner().scan([.empty]).sources
        analysis.refresh(sources, isComplete: true) { compilation(of: $0) }
        analysis.judgeAll()
    }

    /// The size of the graph; `nil` before the first analysis.
    package var graphSize: (edges: Int, findings: Int, lastDuration: Int64)? {
        guard let analysis else { return nil }
        let edges = analysis.graph.tree.modules.reduce(0) { $0 + analysis.graph.edges(from: $1).count }
        let findings = importFindings { _ in true }.count
        return (edges, findings, analysis.lastDuration)
    }

    /// All findings about the imports of these sources.
    package func importFindings(within isNamed: (BytePath) -> Bool) -> [LocatedDiagnostic] {
        guard let analysis else { return [] }
        var found: [LocatedDiagnostic] = []
        for (path, diagnostics) in analysis.findings where isNamed(path) {
            found += diagnostics.map { LocatedDiagnostic(path: path, diagnostic: $0) }
        }
        return found + analysis.findingsOfTheTree().filter { isNamed($0.path) }
    }

    /// Whether a source fails to compile for every target, and the bytecode from which its bindings can be read.
    package func compilation(of source: ScannedSource) -> ImportAnalysis.Compilation {
        // A record of another version of the source says nothing about this one. The wave that compiles it will.
        guard let record = record(source.path), record.source.stamp == source.stamp, let target = targets.first else {
            return ImportAnalysis.Compilation()
        }
        var compilation = ImportAnalysis.Compilation()
        // A trace may belong to an earlier version, if this session's level has not been built since then.
        compilation.isFailing = targets.allSatisfy { target in
            record.trace(target.key).map { $0.isFailure && $0.fingerprint == record.source.fingerprint } == true
        }
        if let trace = record.trace(target.key), let published = trace.published {
            compilation.artifact = ImportAnalysis.Artifact(
                path: target.place.path(of: source.path), published: published, fingerprint: trace.fingerprint,
                interpreter: target.interpreter)
        }
        return compilation
    }
}
