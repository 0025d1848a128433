// Top-level names that can be imported from outside the tree, and which of them a tree can shadow.

/// Top-level names of an interpreter and its environment.
package struct OutsideNames: Sendable {
    private var builtIn: Set<NameID> = []
    private var standard: Set<NameID> = []
    private var installed: Set<NameID> = []

    /// - Parameters:
    ///   - builtIn: modules compiled into the interpreter, or loaded before any program starts: found before any file.
    ///   - standard: the rest of the standard library.
    ///   - installed: packages in the environment, possibly including the tree itself.
    init(
        builtIn: Set<[UInt8]>, standard: Set<[UInt8]>, installed: Set<[UInt8]>, names: inout NameTable
    ) {
        for name in builtIn { self.builtIn.insert(names.intern(name)) }
        for name in standard { self.standard.insert(names.intern(name)) }
        for name in installed { self.installed.insert(names.intern(name)) }
    }

    func isBuiltIn(_ name: NameID) -> Bool { builtIn.contains(name) }
    func isStandard(_ name: NameID) -> Bool { standard.contains(name) }
    func contains(_ name: NameID) -> Bool {
        standard.contains(name) || installed.contains(name) || builtIn.contains(name)
    }
}
