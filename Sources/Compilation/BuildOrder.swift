// Which source is compiled first.
// Knows: sizes, and who imports whom within a wave. Does not know: pools, or why a source is stale.

import BasicTypes
import ImportGraph

/// The order of a wave's compilations.
package enum BuildOrder {
    /// Waves of up to so many compilations are ordered by imports.
    package static let smallWave = 64

    /// The biggest first: the last ones to be finished are then short, and no processor waits long for another.
    package static func sorted<Job>(_ jobs: [(job: Job, size: Int64)]) -> [Job] {
        jobs.sorted { $0.size > $1.size }.map(\.job)
    }

    /// The most imported first: whoever restarts a server meanwhile finds that ready which it needs first.
    ///
    /// - Parameter sources: path and contents of each source of the wave.
    /// - Returns: for each source, how many others of the wave import it.
    package static func importers(_ sources: [(path: BytePath, bytes: [UInt8])]) -> [BytePath: Int] {
        // A root may hold several source directories (`src/`), so a module answers to every ending of its dotted name.
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
