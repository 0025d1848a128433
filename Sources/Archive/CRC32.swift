// The checksum of ZIP entries (APPNOTE.TXT 4.4.7): CRC-32 with the polynomial 0xEDB88320, reflected.

package enum CRC32 {
    /// Eight tables, so that eight bytes are processed in one step ("slicing by 8").
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
            tables[byte] = value
        }
        for table in 1..<8 {
            for byte in 0..<256 {
                let before = tables[(table - 1) * 256 + byte]
                tables[table * 256 + byte] = before >> 8 ^ tables[Int(before & 0xFF)]
            }
        }
        return tables
    }()

    package static func of(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { of($0) } }

    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            var value: UInt32 = 0xFFFF_FFFF
            var index = 0
            while index &+ 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let mixed = word ^ UInt64(value)
                value =
                    tables[7 * 256 + Int(mixed & 0xFF)] ^ tables[6 * 256 + Int(mixed >> 8 & 0xFF)]
                    ^ tables[5 * 256 + Int(mixed >> 16 & 0xFF)] ^ tables[4 * 256 + Int(mixed >> 24 & 0xFF)]
                    ^ tables[3 * 256 + Int(mixed >> 32 & 0xFF)] ^ tables[2 * 256 + Int(mixed >> 40 & 0xFF)]
                    ^ tables[256 + Int(mixed >> 48 & 0xFF)] ^ tables[Int(mixed >> 56)]
                index &+= 8
            }
            while index < bytes.count {
                value = value >> 8 ^ tables[Int((value ^ UInt32(bytes[index])) & 0xFF)]
                index &+= 1
            }
            return ~value
        }
    }
}
