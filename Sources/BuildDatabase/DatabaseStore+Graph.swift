// `graph.json`: what was scanned of imports, beside the database proper.
//
// A file of its own, because a build does not need it and should not load it. It is not part of a wave: each entry records
// what it was read from, and one that is out of date is scanned again.

import BasicTypes
import ImportGraph
import LinuxSystem

extension DatabaseStore {
    private static let graphName = BytePath("graph.json")

    /// What is remembered for the graph, or `nil` if there is nothing usable.
    package func loadGraph(root: BytePath, interpreters: String, names: inout NameTable) -> GraphContents? {
        // If it cannot be read, all sources are scanned again.
        guard let bytes = try? read(Self.graphName) else { return nil }
        return GraphSnapshot.decode(bytes, root: root, interpreters: interpreters, names: &names)
    }

    /// Writes the whole file. It can be made again from the sources, so a power failure may lose it.
    package func saveGraph(_ bytes: [UInt8]) throws(DatabaseError) {
        do throws(SystemError) {
            try replace(Self.graphName, with: bytes, isDurable: false)
        } catch {
            throw .unusable(error)
        }
    }
}
