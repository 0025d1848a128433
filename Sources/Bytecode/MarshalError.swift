// How reading a marshalled object can fail, and where.

package struct MarshalError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Problem: Hashable, Sendable {
        /// The bytes end within an object, or a length says that they should not have ended.
        case truncated
        /// A length below zero.
        case negativeLength
        /// A byte that is no type in this layout.
        case unknownType(UInt8)
        /// Deeper than `MarshalReader.deepest`.
        case nestedTooDeeply
        /// The end of a dictionary where none can end.
        case misplacedNull
        /// A digit above 15 bits, or a leading zero: CPython refuses both.
        case malformedInteger
        /// The number of an object that there is not, or not yet.
        case invalidReference(Int32)
        /// A code object whose field is of another type than it must be.
        case wrongType(CodeField)
        /// More than 2 GiB: lengths in the format are signed 32-bit numbers.
        case tooLarge
    }

    package let problem: Problem
    /// Bytes from the beginning of the body to the object that is wrong.
    package let offset: Int

    package var description: String {
        let what =
            switch problem {
            case .truncated: "the data ends within an object"
            case .negativeLength: "a negative length"
            case .unknownType(let byte): "unknown type 0x\(String(byte, radix: 16))"
            case .nestedTooDeeply: "nested more than \(MarshalReader.deepest) deep"
            case .misplacedNull: "a null where an object should be"
            case .malformedInteger: "a malformed integer"
            case .invalidReference(let number): "a reference to object \(number), which does not exist"
            case .wrongType(let field): "a code object whose \(field) is of the wrong type"
            case .tooLarge: "larger than 2 GiB"
            }
        return "\(what), at byte \(offset)"
    }
}
