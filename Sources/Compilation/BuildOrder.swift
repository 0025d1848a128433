// The order in which a wave compiles its sources.

import BasicTypes
import ImportGraph

/// The order of a wave's compilations.
package enum BuildOrder {
    /// The maximum number of compilations of a wave that is ordered by imports.
    package static let smallWave = 64

    /// Larger sources first: the last compilations are then short, and no processor is idle for long. Sources of similar
    /// size stay in the order of the tree, so that one directory is open for many of them.
    package static func sorted<Job>(_ jobs: [Job], size: (Job) -> Int64) -> [Job] {
        let classes = jobs.map { 64 - max(0, size($0)).leadingZeroBitCount }
        var ends = [Int](repeating: 0, count: 65)
        for number in classes { ends[number] += 1 }
        var begun = 0
        for number in ends.indices.reversed() {
            let count = ends[number]
            ends[number] = begun
            begun += count
        }
        var order = [Int](repeating: 0, count: jobs.count)
        for (index, number) in classes.enumerated() {
            order[ends[number]] = index
            ends[number] += 1
        }
        return order.map { jobs[$0] }
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
