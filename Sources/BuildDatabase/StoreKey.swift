// The key under which the store finds compiled code, and the name of an entry.

import BasicTypes
import BuildModel

/// Identifies one compilation: everything that determines the code except the path embedded in it.
package struct StoreKey: Hashable, Sendable {
    /// Raised whenever the same source could yield different code or warnings, or entries have another format. Older
    /// entries are then no longer found, and are evicted as the least recently used ones.
    static let format: UInt32 = 2

    /// All parts of the key, with a length before each text, so that no two keys have the same bytes.
    let bytes: [UInt8]
    let address: StoreAddress

    /// - Parameters:
    ///   - source: the fingerprint of the source's bytes.
    ///   - interpreter: contributes everything that `Interpreter.compilesLike` compares and that can affect the code. Where
    ///     it is installed and how it reads headers do not matter.
    package init(source: Fingerprint, interpreter: Interpreter, level: OptimizationLevel) {
        var bytes = [UInt8]()
        bytes.reserveCapacity(96)
        bytes.append(littleEndian: Self.format)
        bytes.append(littleEndian: source.high)
        bytes.append(littleEndian: source.low)
        bytes.append(littleEndian: interpreter.magic)
        bytes.append(level.rawValue)
        bytes.append(text: interpreter.implementation)
        bytes.append(text: interpreter.version)
        bytes.append(text: interpreter.cacheTag)
        bytes.append(text: interpreter.codeLayout)
        self.bytes = bytes
        address = StoreAddress(of: bytes)
    }

    package static func == (left: StoreKey, right: StoreKey) -> Bool { left.bytes == right.bytes }

    package func hash(into hasher: inout Hasher) { hasher.combine(address) }
}

/// The location of an entry: 128 bits. The first byte is the shard, the others are the name.
struct StoreAddress: Hashable, Sendable, Comparable {
    var high: UInt64
    var low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A fixed key, because all processes of a user must compute the same address.
    private static let key: (UInt64, UInt64) = (0x6672_6573_6870_7963, 0x7374_6f72_652e_6b65)

    init(of bytes: [UInt8]) {
        (high, low) = bytes.withUnsafeBytes { SipHash.hash128($0, key: Self.key) }
    }

    var shard: UInt8 { UInt8(truncatingIfNeeded: high >> 56) }

    static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    // MARK: Names

    /// Two hexadecimal digits.
    static func shardName(_ shard: UInt8) -> BytePath {
        BytePath.empty.appending([digit(UInt64(shard) >> 4), digit(UInt64(shard))])
    }

    private static let nameLength = 30

    /// Thirty hexadecimal digits: the address without the shard.
    var name: BytePath {
        var digits = [UInt8]()
        digits.reserveCapacity(Self.nameLength)
        for shift in stride(from: 52, through: 0, by: -4) { digits.append(Self.digit(high >> UInt64(shift))) }
        for shift in stride(from: 60, through: 0, by: -4) { digits.append(Self.digit(low >> UInt64(shift))) }
        return BytePath.empty.appending(digits)
    }

    /// - Returns: `nil` if this is not the name of an entry.
    init?(shard: UInt8, name: UnsafePointer<CChar>) {
        (high, low) = (UInt64(shard), 0)
        for index in 0..<Self.nameLength {
            // A shorter name ends with NUL, which is not a digit.
            guard let digit = Self.value(UInt8(bitPattern: name[index])) else { return nil }
            if index < 14 { high = high << 4 | digit } else { low = low << 4 | digit }
        }
        guard name[Self.nameLength] == 0 else { return nil }
    }

    private static func digit(_ value: UInt64) -> UInt8 {
        Hexadecimal.digit(UInt8(truncatingIfNeeded: value) & 15)
    }

    private static func value(_ digit: UInt8) -> UInt64? { Hexadecimal.value(of: digit).map { UInt64($0) } }
}

extension [UInt8] {
    mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    /// Its length in 32 bits, then its UTF-8.
    mutating func append(text: String) {
        append(littleEndian: UInt32(truncatingIfNeeded: text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
