// The opcodes that bind names, as an interpreter reports them.

/// The numbers change from version to version, so the worker says what they are in its own.
package struct OpcodeTable: Hashable, Sendable {
    /// How instructions follow each other.
    package enum Encoding: Hashable, Sendable {
        /// 3.6 and later: an opcode and a byte of argument. Since 3.11 caches stand between instructions; in bytecode
        /// files they are zeros, and 0 is the opcode CACHE.
        case units
        /// Before: an opcode, and two bytes of argument for opcodes from this one on.
        case variable(firstWithArgument: UInt8)
    }

    package let storeName: UInt8
    package let storeGlobal: UInt8
    package let deleteName: UInt8
    package let extendedArgument: UInt8
    /// Python 2: the statement `exec`.
    package let executeStatement: UInt8?
    package let encoding: Encoding

    package init(
        storeName: UInt8, storeGlobal: UInt8, deleteName: UInt8, extendedArgument: UInt8,
        executeStatement: UInt8? = nil, encoding: Encoding
    ) {
        self.storeName = storeName
        self.storeGlobal = storeGlobal
        self.deleteName = deleteName
        self.extendedArgument = extendedArgument
        self.executeStatement = executeStatement
        self.encoding = encoding
    }
}
