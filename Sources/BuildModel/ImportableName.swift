// Recognizes files other than sources that can be imported, by their suffixes.

package enum ImportableName {
    /// Whether the name is that of a stub, bytecode, an extension module (`.abi3.so`), or a Cython source of one.
    package static func isLeaf(_ name: some BidirectionalCollection<UInt8>) -> Bool {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
        return ["pyi", "pyc", "pyx", "pyd", "so"].contains { name[name.index(after: dot)...].elementsEqual($0.utf8) }
    }

    /// Whether the name is that of a source from which an extension module is compiled, perhaps not yet. Such a source has the
    /// module's name.
    package static func isExtensionSource(_ name: some BidirectionalCollection<UInt8>) -> Bool {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
        return ["c", "cc", "cpp", "cxx", "h", "hpp", "pyx", "pxd", "pxi", "rs", "f", "f90", "m"].contains {
            name[name.index(after: dot)...].elementsEqual($0.utf8)
        }
    }

    /// The module name for a file or directory: the part before the first dot.
    package static func stem(_ name: some Collection<UInt8>) -> [UInt8] {
        Array(name.prefix { $0 != UInt8(ascii: ".") })
    }
}
