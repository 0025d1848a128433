// Errors in marshalled data.

package struct MarshalError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Problem: Hashable, Sendable {
        /// The data ends within an object, or a length points past the end.
        case truncated
        case negativeLength
        /// A byte that is not a type in this layout.
        case unknownType(UInt8)
        /// Nested deeper than `MarshalReader.deepest`.
        case nestedTooDeeply
        /// A null outside a dictionary, or in place of a value.
        case misplacedNull
        /// A digit of more than 15 bits, or a leading zero digit: CPython rejects both.
        case malformedInteger
        /// A reference to an object that does not exist, or not yet.
        case invalidReference(Int32)
        /// A field of a code object has the wrong type.
        case wrongType(CodeField)
        /// More than 2 GiB: lengths in the format are signed 32-bit numbers.
        case tooLarge
    }

    package let problem: Problem
    /// Offset of the faulty object in the body, in bytes.
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
