// The order in which a wave compiles its sources.

import BasicTypes
import ImportGraph

/// The order of a wave's compilations.
package enum BuildOrder {
    /// The maximum number of compilations of a wave that is ordered by imports.
    package static let smallWave = 64

    /// Largest first: the last compilations are then short, and no processor is idle for long.
    package static func sorted<Job>(_ jobs: [(job: Job, size: Int64)]) -> [Job] {
        jobs.sorted { $0.size > $1.size }.map(\.job)
    }

    /// Counts importers, for an order in which the most imported sources come first: a server that is restarted during
    /// the wave loads those first.
    ///
    /// - Parameter sources: the path and contents of each source of the wave.
    /// - Returns: for each source, how many other sources of the wave import it.
    package static func importers(_ sources: [(path: BytePath, bytes: [UInt8])]) -> [BytePath: Int] {
        // A root may contain several source directories (`src/`), so a module matches every suffix of its dotted name.
        var named: [ModuleName: [BytePath]] = [:]
        let modules = sources.map { SourceModule(relativePath: $0.path.bytes) }
        for (source, module) in zip(sources, modules) {
            var components = (module?.name.components ?? [])[...]
            while !components.isEmpty {
                let name = ModuleName(components.joined(separator: [UInt8(ascii: ".")]))
                named[name, default: []].append(source.path)
                components = components.dropFirst()
            }
        }
        var counts: [BytePath: Int] = [:]
        for (source, module) in zip(sources, modules) {
            var imported: Set<BytePath> = []
            for statement in ImportScanner.scan(source.bytes) {
                guard let base = module?.absoluteName(of: statement) else { continue }
                imported.formUnion(named[base] ?? [])
                for name in statement.names { imported.formUnion(named[base.appending(name.name)] ?? []) }
            }
            imported.remove(source.path)
            for path in imported { counts[path, default: 0] += 1 }
        }
        return counts
    }
}
