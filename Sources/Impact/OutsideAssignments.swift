// Names of a module that other modules set: `shop.money.RATE = 3`, `setattr(money, "RATE", 3)`. The code of the module itself
// does not show them.

import BasicTypes
import ImportGraph

/// The modules that lack an imported name, and who sets it for them. Tells which findings to judge again when a source
/// changes.
struct OutsideAssignments {
    /// For each module that lacks names, the sources with findings about it.
    private var owners: [ModuleID: Set<ModuleID>] = [:]
    /// For each module, the sources that set names of it, as far as findings asked.
    private var setters: [ModuleID: Set<ModuleID>] = [:]

    /// Forgets the findings of a source, before it is judged again.
    mutating func forget(_ owner: ModuleID) {
        for (target, found) in owners where found.contains(owner) {
            owners[target] = found.count == 1 ? nil : found.subtracting([owner])
        }
    }

    /// Looks for a source that sets a name of a module: one of those that import the module, or the module itself.
    ///
    /// - Parameter text: the contents of a source.
    mutating func setter(
        of name: String, in target: ModuleID, for owner: ModuleID, _ graph: DependencyGraph, text: (ModuleID) -> [UInt8]
    ) -> ModuleID? {
        owners[target, default: []].insert(owner)
        let name = Array(name.utf8)
        let setter = ([target] + graph.importers(of: target).sorted()).first { Self.sets(name, text($0)) }
        if let setter { setters[target, default: []].insert(setter) }
        return setter
    }

    /// The sources whose findings may be others now that these sources have changed.
    func owners(after changed: Set<ModuleID>, _ graph: DependencyGraph) -> Set<ModuleID> {
        guard !owners.isEmpty else { return [] }
        var targets = Set(setters.filter { !changed.isDisjoint(with: $0.value) }.keys)
        for module in changed {
            for edge in graph.edges(from: module) where owners[edge.target] != nil { targets.insert(edge.target) }
        }
        return targets.reduce(into: []) { $0.formUnion(owners[$1] ?? []) }
    }

    private static let setters = ["setattr(", "__dict__", "vars("]

    /// Whether a source assigns to an attribute of this name, or names it where attributes are set by name.
    static func sets(_ name: [UInt8], _ source: [UInt8]) -> Bool {
        var rest = source[...]
        while let range = rest.firstRange(of: name) {
            rest = source[range.upperBound...]
            guard range.lowerBound > 0, let next = rest.first else { continue }
            switch source[range.lowerBound - 1] {
            case UInt8(ascii: "."):
                if PythonName.has(next) { continue }
                let after = rest.drop { $0 == UInt8(ascii: " ") }
                if after.first == UInt8(ascii: "="), after.dropFirst().first != UInt8(ascii: "=") { return true }
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let line = source[..<range.lowerBound].suffix(while: { $0 != UInt8(ascii: "\n") })
                if Self.setters.contains(where: { line.firstRange(of: Array($0.utf8)) != nil }) { return true }
            case UInt8(ascii: "("), UInt8(ascii: " "):
                // `vars(module).update(name=1)`
                let line = source[..<range.lowerBound].suffix(while: { $0 != UInt8(ascii: "\n") })
                if next == UInt8(ascii: "="), line.firstRange(of: Array(".update(".utf8)) != nil,
                    Self.setters.contains(where: { line.firstRange(of: Array($0.utf8)) != nil })
                {
                    return true
                }
            default: continue
            }
        }
        return false
    }
}

extension ArraySlice<UInt8> {
    /// The longest end whose bytes all match.
    fileprivate func suffix(while matches: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        var start = endIndex
        while start > startIndex, matches(self[start - 1]) { start -= 1 }
        return self[start...]
    }
}
