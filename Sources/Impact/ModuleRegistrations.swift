// Modules that code makes importable without a file: `sys.modules["shop.compat"] = ...`, or an import hook. No file shows them.

import BasicTypes
import ImportGraph

/// The sources that may register modules, and the names in their strings. Tells which findings to judge again when a source
/// changes.
struct ModuleRegistrations {
    /// For each source that may register modules, the words at the end of its strings; read when first needed.
    private var words: [ModuleID: Set<[UInt8]>]?
    /// The sources with findings about modules or names that are not there.
    private var owners: Set<ModuleID> = []

    /// Forgets the findings of a source, before it is judged again.
    mutating func forget(_ owner: ModuleID) { owners.remove(owner) }

    /// Looks for a source that may register a module.
    ///
    /// - Parameters:
    ///   - name: the last part of the module's name.
    ///   - text: the contents of a source.
    mutating func registrar(
        of name: String, for owner: ModuleID, _ graph: DependencyGraph, text: (ModuleID) -> [UInt8]
    ) -> ModuleID? {
        owners.insert(owner)
        let words =
            words
            ?? Dictionary(
                uniqueKeysWithValues: graph.tree.modules.filter { Self.mayRegister($0, graph) }.map {
                    ($0, Self.registeredWords(in: text($0)))
                })
        self.words = words
        let wanted = Array(name.utf8)
        return words.filter { $0.value.contains(wanted) }.keys.min()
    }

    /// The sources whose findings may be others now that these sources have changed.
    mutating func owners(after changed: Set<ModuleID>, _ graph: DependencyGraph) -> Set<ModuleID> {
        guard let words, changed.contains(where: { words[$0] != nil || Self.mayRegister($0, graph) }) else { return [] }
        self.words = nil
        return owners
    }

    private static func mayRegister(_ module: ModuleID, _ graph: DependencyGraph) -> Bool {
        if case .unknowable(registersModules: true)? = graph.facts(of: module)?.bindings { true } else { false }
    }

    private static let means = ["sys.modules", "meta_path", "path_hooks"].map { Array($0.utf8) }

    /// The last words of the strings, if the source has the means to register modules.
    private static func registeredWords(in source: [UInt8]) -> Set<[UInt8]> {
        means.contains { ByteSearch.contains($0, in: source) } ? lastWords(in: source) : []
    }

    /// `compat` of `"shop.compat"`, `'.compat'` and `"compat"`.
    static func lastWords(in source: [UInt8]) -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        var index = source.startIndex
        while let start = source[index...].firstIndex(where: { PythonName.has($0) }) {
            let end = source[start...].firstIndex { !PythonName.has($0) } ?? source.endIndex
            index = end
            guard start > source.startIndex, end < source.endIndex, "\"'".utf8.contains(source[end]),
                "\"'.".utf8.contains(source[start - 1])
            else { continue }
            found.insert(Array(source[start..<end]))
        }
        return found
    }
}
