// The header of a bytecode file in its three layouts (Python 2; 3.3 to 3.6; PEP 552).

/// How a header says that its code is validated.
package enum PycValidation: Hashable, Sendable {
    /// Whole seconds and size of the source, 32 bits each. The oldest layout has no size.
    case timestamp(seconds: UInt32, size: UInt32?)
    case hash(UInt64, isChecked: Bool)
}

/// A header as a value.
package struct PycHeader: Hashable, Sendable {
    package var magic: UInt32
    package var validation: PycValidation

    package init(magic: UInt32, validation: PycValidation) {
        self.magic = magic
        self.validation = validation
    }

    /// - Parameters:
    ///   - bytes: the beginning of a file.
    ///   - length: of this layout's header: 8, 12 or 16.
    /// - Returns: `nil` where there are fewer bytes, or flags that PEP 552 does not know.
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

    /// The header's bytes in a layout of this length; a hash needs the longest.
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
