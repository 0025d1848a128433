// Reads what IndexWriter wrote. Total: any bytes give a value or nothing.

/// A value of an index.
indirect enum IndexValue: Hashable, Sendable {
    case tuple([IndexValue])
    case dictionary([String: IndexValue])
    case text(String)
    case number(Int)

    /// - Returns: `nil` unless the bytes are one value, and nothing else.
    init?(_ bytes: [UInt8]) {
        var reader = IndexReader(bytes: bytes)
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = value
    }

    var items: [IndexValue]? { if case .tuple(let items) = self { items } else { nil } }
    var entries: [String: IndexValue]? { if case .dictionary(let entries) = self { entries } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Int? { if case .number(let number) = self { number } else { nil } }
}

private struct IndexReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// - Parameter depth: tuples in tuples; an index has three levels.
    mutating func value(depth: Int) -> IndexValue? {
        guard depth < 8, let type = byte() else { return nil }
        switch type {
        case UInt8(ascii: "("):
            guard let count = word(), count >= 0, count <= bytes.count - position else { return nil }
            var items: [IndexValue] = []
            for _ in 0..<count {
                guard let item = value(depth: depth + 1) else { return nil }
                items.append(item)
            }
            return .tuple(items)
        case UInt8(ascii: "{"):
            var entries: [String: IndexValue] = [:]
            while position < bytes.count, bytes[position] != UInt8(ascii: "0") {
                guard case .text(let key)? = value(depth: depth + 1), let item = value(depth: depth + 1),
                    entries.updateValue(item, forKey: key) == nil
                else { return nil }
            }
            return byte() == nil ? nil : .dictionary(entries)
        case UInt8(ascii: "u"):
            guard let count = word(), count >= 0, count <= bytes.count - position else { return nil }
            defer { position += count }
            return String(validating: bytes[position..<position + count], as: UTF8.self).map { .text($0) }
        case UInt8(ascii: "i"): return word().map { .number($0) }
        case UInt8(ascii: "l"): return long()
        default: return nil
        }
    }

    private mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func word() -> Int? {
        guard bytes.count - position >= 4 else { return nil }
        defer { position += 4 }
        let raw = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[position + $1]) << UInt32($1 * 8) }
        return Int(Int32(bitPattern: raw))
    }

    private mutating func long() -> IndexValue? {
        guard let count = word(), 1...4 ~= count, bytes.count - position >= count * 2 else { return nil }
        defer { position += count * 2 }
        return .number(
            (0..<count).reduce(0) {
                $0 | (Int(bytes[position + $1 * 2]) | Int(bytes[position + $1 * 2 + 1]) << 8) << ($1 * 15)
            })
    }
}
