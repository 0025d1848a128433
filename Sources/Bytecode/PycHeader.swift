// The header of a bytecode file in its three layouts (Python 2; 3.3 to 3.6; PEP 552).

/// How a header ties the code to its source.
package enum PycValidation: Hashable, Sendable {
    /// Modification time in whole seconds and size of the source, 32 bits each. The 8-byte header has no size.
    case timestamp(seconds: UInt32, size: UInt32?)
    case hash(UInt64, isChecked: Bool)
}

/// A parsed header.
package struct PycHeader: Hashable, Sendable {
    package var magic: UInt32
    package var validation: PycValidation

    package init(magic: UInt32, validation: PycValidation) {
        self.magic = magic
        self.validation = validation
    }

    /// - Parameters:
    ///   - bytes: the beginning of a file.
    ///   - length: header length in bytes: 8, 12 or 16.
    /// - Returns: `nil` if there are too few bytes, or if PEP 552 does not define the flags.
    package init?(_ bytes: UnsafeRawBufferPointer, length: Int) {
        guard bytes.count >= length else { return nil }
        func word(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        switch length {
        case 8:
            self.init(magic: word(0), validation: .timestamp(seconds: word(4), size: nil))
        case 12:
            self.init(magic: word(0), validation: .timestamp(seconds: word(4), size: word(8)))
        case 16:
            let validation: PycValidation
            switch word(4) {
            case 0: validation = .timestamp(seconds: word(8), size: word(12))
            case 0b01: validation = .hash(UInt64(word(8)) | UInt64(word(12)) << 32, isChecked: false)
            case 0b11: validation = .hash(UInt64(word(8)) | UInt64(word(12)) << 32, isChecked: true)
            default: return nil
            }
            self.init(magic: word(0), validation: validation)
        default:
            return nil
        }
    }

    /// Serializes the header with this length: 8, 12 or 16 bytes. A hash needs 16.
    package func bytes(length: Int) -> [UInt8] {
        var bytes = [UInt8]()
        bytes.reserveCapacity(16)
        func append(_ word: UInt32) {
            withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(magic)
        switch validation {
        case .timestamp(let seconds, let size):
            if length >= 16 { append(0) }
            append(seconds)
            if length >= 12 { append(size ?? 0) }
        case .hash(let hash, let isChecked):
            append(isChecked ? 0b11 : 0b01)
            append(UInt32(truncatingIfNeeded: hash))
            append(UInt32(truncatingIfNeeded: hash >> 32))
        }
        return bytes
    }
}
