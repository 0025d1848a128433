// Why one source is as it is: what `freshpyc why` prints.
// Knows: record, artifacts and imports of a source. Does not know: how it is shown; nothing is written here.

import BuildModel
import FileWatching
import ImportGraph
import LinuxSystem

/// What is known of one source, judged now.
package struct ModuleExplanation {
    package enum State: String {
        case known, unknown
        case outOfScope = "out-of-scope"
        case missing
    }

    package struct Artifact {
        package let interpreter: Interpreter
        package let level: OptimizationLevel
        package let path: BytePath
        package let staleness: Staleness
        package let trace: Trace?
    }

    package let path: BytePath
    package var state: State
    package var artifacts: [Artifact] = []
    package var findings: [LocatedDiagnostic] = []
    package var imports: [ImportStatement] = []
    /// Sources of the tree that import it directly, by name.
    package var importers: [BytePath] = []
}

extension Session {
    /// Judges a source as a wave would, and writes nothing.
    package func explanation(of path: BytePath) -> ModuleExplanation {
        guard let source = scanner().observe(path) else { return ModuleExplanation(path: path, state: .missing) }
        let record = record(path)
        let isExcluded = scanner().isExcludedOnTheWay(to: path, isDirectory: false)
        var explanation = ModuleExplanation(
            path: path, state: record != nil ? .known : isExcluded ? .outOfScope : .unknown)
        let judge = StalenessJudge(options: configuration.options, now: Host.realtime, resealsGuarded: true)
        let snapshot = try? SourceReader(root: root).read(path)
        for (position, target) in targets.enumerated() {
            let artifact = target.place.path(of: path)
            let staleness: Staleness
            switch judge.glance(
                record: record, key: target.key, stamp: source.stamp, artifact: source.artifacts[position])
            {
            case .decided(let decided): staleness = decided
            case .mustRead:
                guard let trace = record?.trace(target.key), let snapshot else {
                    staleness = .recompile(.contentsDiffer)
                    break
                }
                var evidence = ArtifactEvidence.missing
                if let published = trace.published {
                    evidence = ArtifactInspector(root: root).inspect(artifact, published: published) {
                        target.expectedHeader(of: published, source: snapshot.bytes)
                    }
                }
                staleness = judge.judge(
                    trace: trace, stamp: snapshot.state.stamp, fingerprint: snapshot.state.fingerprint,
                    evidence: evidence)
            }
            explanation.artifacts.append(
                ModuleExplanation.Artifact(
                    interpreter: target.interpreter, level: target.key.level, path: artifact, staleness: staleness,
                    trace: record?.trace(target.key)))
        }
        if let record { explanation.findings = findings(record) }
        if let snapshot { explanation.imports = ImportScanner.scan(snapshot.bytes) }
        explanation.importers = importers(of: path)
        return explanation
    }

    /// Who imports a source: every source is scanned for it, side by side.
    private func importers(of path: BytePath) -> [BytePath] {
        guard let module = SourceModule(relativePath: path.bytes) else { return [] }
        var names: Set<ModuleName> = []
        var components = module.name.components[...]
        while !components.isEmpty {
            names.insert(ModuleName(components.joined(separator: [UInt8(ascii: ".")])))
            components = components.dropFirst()
        }
        let wanted = names
        let reader = SourceReader(root: root)
        let found = ParallelSlices.map(recordedPaths(within: .empty), sliceSize: 32, scratch: {}) {
            candidate, _ -> BytePath? in
            guard candidate != path, let source = try? reader.read(candidate),
                let importer = SourceModule(relativePath: candidate.bytes)
            else { return nil }
            let imports = ImportScanner.scan(source.bytes).contains { statement in
                guard let base = importer.absoluteName(of: statement) else { return false }
                return wanted.contains(base) || statement.names.contains { wanted.contains(base.appending($0.name)) }
            }
            return imports ? candidate : nil
        }
        return found.compactMap { $0 }.sorted()
    }
}
