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
    ///
    /// On bytes in place: a large project's sources are read here whenever a watch starts.
    static func assignedNames(in source: [UInt8]) -> Set<[UInt8]> {
        source.withUnsafeBytes { bytes in
            let words = wordsOfSetters.filter { ByteSearch.contains($0, in: bytes) }
            var found: Set<[UInt8]> = []
            var start = 0
            while start < bytes.count {
                var end = start
                var hasEqualSign = false
                while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
                    hasEqualSign = hasEqualSign || bytes[end] == UInt8(ascii: "=")
                    end += 1
                }
                let line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                let setsByName = words.contains { ByteSearch.contains($0, in: line) }
                if setsByName || hasEqualSign { collect(line, setsByName: setsByName, into: &found) }
                start = end + 1
            }
            return found
        }
    }

    private static func collect(
        _ line: UnsafeRawBufferPointer, setsByName: Bool, into found: inout Set<[UInt8]>
    ) {
        func byte(_ index: Int) -> UInt8 { line.indices.contains(index) ? line[index] : 0 }
        var index = 0
        while index < line.count {
            guard PythonName.has(line[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < line.count, PythonName.has(line[index]) { index += 1 }
            var after = index
            while byte(after) == UInt8(ascii: " ") { after += 1 }
            let isAttribute = byte(start - 1) == UInt8(ascii: ".")
            let isAssigned = byte(after) == UInt8(ascii: "=") && byte(after + 1) != UInt8(ascii: "=")
            let quote = byte(start - 1)
            let isQuoted = (quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")) && byte(index) == quote
            if isAttribute && isAssigned || setsByName && (isQuoted || isAssigned) {
                found.insert(Array(line[start..<index]))
            }
        }
    }
}
