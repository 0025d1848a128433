// Names of a module that other modules set: `shop.money.RATE = 3`, `setattr(money, "RATE", 3)`. The code of the module itself
// does not show them.

import BasicTypes
import ImportGraph

/// The modules that lack an imported name, and who sets it for them. Tells which findings to judge again when a source
/// changes.
struct OutsideAssignments {
    /// What is known about a module that lacks a name.
    private struct Target {
        /// The sources with findings about it.
        var owners: Set<ModuleID> = []
        /// The sources that may set its names: those that import it, and itself.
        let readers: Set<ModuleID>
        /// The names that they set on anything, each with the first source that does.
        let setters: [[UInt8]: ModuleID]
    }

    private var targets: [ModuleID: Target] = [:]
    /// The modules that a source has findings about.
    private var byOwner: [ModuleID: Set<ModuleID>] = [:]

    /// Forgets the findings of a source, before it is judged again.
    mutating func forget(_ owner: ModuleID) {
        for target in byOwner.removeValue(forKey: owner) ?? [] {
            targets[target]?.owners.remove(owner)
            if targets[target]?.owners.isEmpty == true { targets[target] = nil }
        }
    }

    /// Looks for a source that sets a name of a module.
    ///
    /// - Parameter text: the contents of a source. Each source that imports the module is read once, however many names are
    ///   asked for.
    mutating func setter(
        of name: String, in module: ModuleID, for owner: ModuleID, _ graph: DependencyGraph, text: (ModuleID) -> [UInt8]
    ) -> ModuleID? {
        var target = targets.removeValue(forKey: module) ?? Self.target(module, graph, text)
        target.owners.insert(owner)
        byOwner[owner, default: []].insert(module)
        let setter = target.setters[Array(name.utf8)]
        targets[module] = target
        return setter
    }

    private static func target(_ module: ModuleID, _ graph: DependencyGraph, _ text: (ModuleID) -> [UInt8]) -> Target {
        let readers = [module] + graph.importers(of: module).sorted()
        var setters: [[UInt8]: ModuleID] = [:]
        for reader in readers {
            for name in assignedNames(in: text(reader)) where setters[name] == nil { setters[name] = reader }
        }
        return Target(readers: Set(readers), setters: setters)
    }

    /// The sources whose findings may be others now that these sources have changed.
    mutating func owners(after changed: Set<ModuleID>, _ graph: DependencyGraph) -> Set<ModuleID> {
        guard !targets.isEmpty, !changed.isEmpty else { return [] }
        var concerned = Set(targets.filter { !changed.isDisjoint(with: $0.value.readers) }.keys)
        for module in changed {
            for edge in graph.edges(from: module) where targets[edge.target] != nil { concerned.insert(edge.target) }
        }
        // What they set is read again when it is next asked for.
        return concerned.reduce(into: []) { $0.formUnion(targets.removeValue(forKey: $1)?.owners ?? []) }
    }

    private static let wordsOfSetters = ["setattr(", "__dict__", "vars("].map { Array($0.utf8) }

    /// The names that a source assigns to as attributes, or names on lines where attributes are set by name.
    static func assignedNames(in source: [UInt8]) -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        for line in source.split(separator: UInt8(ascii: "\n")) {
            let setsByName = wordsOfSetters.contains { line.firstRange(of: $0) != nil }
            guard setsByName || line.contains(UInt8(ascii: "=")) else { continue }
            var index = line.startIndex
            while let start = line[index...].firstIndex(where: { PythonName.has($0) }) {
                let end = line[start...].firstIndex { !PythonName.has($0) } ?? line.endIndex
                index = end
                let isAttribute = start > line.startIndex && line[start - 1] == UInt8(ascii: ".")
                let after = line[end...].drop { $0 == UInt8(ascii: " ") }
                let isAssigned = after.first == UInt8(ascii: "=") && after.dropFirst().first != UInt8(ascii: "=")
                let isQuoted =
                    start > line.startIndex && end < line.endIndex && "\"'".utf8.contains(line[start - 1])
                    && line[end] == line[start - 1]
                if isAttribute && isAssigned || setsByName && (isQuoted || isAssigned) {
                    found.insert(Array(line[start..<end]))
                }
            }
        }
        return found
    }
}
