// Files other than sources that can be imported, by their suffixes.

package enum ImportableName {
    /// Whether a file is a stub, bytecode without a source, an extension module (`.abi3.so`), or what Cython makes one
    /// from.
    package static func isLeaf(_ name: some BidirectionalCollection<UInt8>) -> Bool {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
        return ["pyi", "pyc", "pyx", "pyd", "so"].contains { name[name.index(after: dot)...].elementsEqual($0.utf8) }
    }

    /// The name by which import would ask for a file or folder: what stands before the first dot.
    package static func stem(_ name: some Collection<UInt8>) -> [UInt8] {
        Array(name.prefix { $0 != UInt8(ascii: ".") })
    }
}
