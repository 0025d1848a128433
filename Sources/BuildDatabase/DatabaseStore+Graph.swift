// `graph.json`: the scanned imports, next to the database proper.
//
// A separate file, because a build does not need it and should not load it. It is not part of a wave: each entry records
// the state of its source, and an entry that is out of date is scanned again.

import BasicTypes
import ImportGraph
import LinuxSystem

extension DatabaseStore {
    private static let graphName = BytePath("graph.json")

    /// Loads the saved graph; `nil` if there is none that can be used.
    package func loadGraph(root: BytePath, interpreters: String, names: inout NameTable) -> GraphContents? {
        // If it cannot be read, all sources are scanned again.
        guard let bytes = try? read(Self.graphName) else { return nil }
        return GraphSnapshot.decode(bytes, root: root, interpreters: interpreters, names: &names)
    }

    /// Writes the whole file. It can be rebuilt from the sources, so it may be lost in a power failure.
    package func saveGraph(_ bytes: [UInt8]) throws(DatabaseError) {
        do throws(SystemError) {
            try replace(Self.graphName, with: bytes, isDurable: false)
        } catch {
            throw .unusable(error)
        }
    }
}
