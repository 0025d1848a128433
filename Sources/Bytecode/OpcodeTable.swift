// The opcodes that bind names, as an interpreter reports them.

/// The numbers change from version to version, so each worker reports its own.
package struct OpcodeTable: Hashable, Sendable {
    /// How instructions are encoded.
    package enum Encoding: Hashable, Sendable {
        /// 3.6 and later: an opcode byte and an argument byte. Since 3.11 there are caches between instructions; in
        /// bytecode files they are zeros, and 0 is the opcode CACHE.
        case units
        /// Before 3.6: an opcode byte, and a two-byte argument for opcodes from `firstWithArgument` on.
        case variable(firstWithArgument: UInt8)
    }

    package let storeName: UInt8
    package let storeGlobal: UInt8
    package let deleteName: UInt8
    package let extendedArgument: UInt8
    /// Python 2 only: the `exec` statement.
    package let executeStatement: UInt8?
    package let encoding: Encoding
    /// IMPORT_NAME and IMPORT_FROM; empty if they were not reported.
    package let imports: [UInt8]
    /// `nil` if they were not reported.
    package let loadName: UInt8?
    package let loadGlobal: UInt8?

    package init(
        storeName: UInt8, storeGlobal: UInt8, deleteName: UInt8, extendedArgument: UInt8,
        executeStatement: UInt8? = nil, encoding: Encoding, imports: [UInt8] = [], loadName: UInt8? = nil,
        loadGlobal: UInt8? = nil
    ) {
        self.storeName = storeName
        self.storeGlobal = storeGlobal
        self.deleteName = deleteName
        self.extendedArgument = extendedArgument
        self.executeStatement = executeStatement
        self.encoding = encoding
        self.imports = imports
        self.loadName = loadName
        self.loadGlobal = loadGlobal
    }
}
