// Recognizes files other than sources that can be imported, by their suffixes.

package enum ImportableName {
    private static let leaves = ["pyi", "pyc", "pyx", "pyd", "so"].map { Array($0.utf8) }
    private static let extensionSources = [
        "c", "cc", "cpp", "cxx", "h", "hpp", "pyx", "pxd", "pxi", "rs", "f", "f90", "m",
    ].map { Array($0.utf8) }

    // Not generic: such functions are not specialized for callers in other modules, and these are called for every file of an
    // environment.

    /// Whether the name is that of a stub, bytecode, an extension module (`.abi3.so`), or a Cython source of one.
    package static func isLeaf(_ name: ArraySlice<UInt8>) -> Bool { hasEnding(name, leaves) }

    package static func isLeaf(_ name: [UInt8]) -> Bool { isLeaf(name[...]) }

    /// Whether the name is that of a source from which an extension module is compiled, perhaps not yet. Such a source has the
    /// module's name.
    package static func isExtensionSource(_ name: ArraySlice<UInt8>) -> Bool { hasEnding(name, extensionSources) }

    package static func isExtensionSource(_ name: [UInt8]) -> Bool { isExtensionSource(name[...]) }

    private static func hasEnding(_ name: ArraySlice<UInt8>, _ endings: [[UInt8]]) -> Bool {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let ending = name[(dot + 1)...]
        return endings.contains { ending.elementsEqual($0) }
    }

    /// The module name for a file or directory: the part before the first dot.
    package static func stem(_ name: some Collection<UInt8>) -> [UInt8] {
        Array(name.prefix { $0 != UInt8(ascii: ".") })
    }
}
