// `graph.json`: what was scanned of imports, beside the database proper.
//
// A file of its own, because a build has no use for it and should not have to load it. It is no part of a wave: each
// entry says what it was read from, and one that is behind is scanned again.

import BasicTypes
import ImportGraph
import LinuxSystem

extension DatabaseStore {
    private static let graphName = BytePath("graph.json")

    /// What is remembered for the graph, or `nil` where there is nothing of use.
    package func loadGraph(root: BytePath, interpreters: String, names: inout NameTable) -> GraphContents? {
        guard let bytes = try? read(Self.graphName) else { return nil }
        return GraphSnapshot.decode(bytes, root: root, interpreters: interpreters, names: &names)
    }

    /// Writes it whole. It can be made again from the sources, so a loss of power may cost it.
    package func saveGraph(_ bytes: [UInt8]) throws(DatabaseError) {
        do throws(SystemError) {
            try replace(Self.graphName, with: bytes, isDurable: false)
        } catch {
            throw .unusable(error)
        }
    }
}
