// Small marshalled bodies made by hand, and the meaning of a body regardless of its references.
// Must not use the canonical form, which is tested with this.

@testable import Bytecode

/// Pieces of marshalled code.
enum Piece {
    static func word(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

    /// The character of a type, with the flag (FLAG_REF) if the object is numbered.
    static func type(_ character: Character, _ isFlagged: Bool = false) -> UInt8 {
        (character.asciiValue ?? 0) | (isFlagged ? 0x80 : 0)
    }

    static func int(_ number: Int, flagged: Bool = false) -> [UInt8] { [type("i", flagged)] + word(number) }

    /// A negative number has a negative count of digits.
    static func big(_ digits: [Int], isNegative: Bool = false, flagged: Bool = false) -> [UInt8] {
        [type("l", flagged)] + word(isNegative ? -digits.count : digits.count)
            + digits.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }

    static func float(_ number: Double, flagged: Bool = false) -> [UInt8] {
        [type("g", flagged)] + (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> ($0 * 8)) }
    }

    /// The length takes one byte for `z` and `Z`, otherwise four.
    static func text(_ text: String, _ character: Character = "z", flagged: Bool = false) -> [UInt8] {
        let content = Array(text.utf8)
        let length = character == "z" || character == "Z" ? [UInt8(content.count)] : word(content.count)
        return [type(character, flagged)] + length + content
    }

    static func bytes(_ content: [UInt8], flagged: Bool = false) -> [UInt8] {
        [type("s", flagged)] + word(content.count) + content
    }

    static func tuple(_ items: [[UInt8]], flagged: Bool = false) -> [UInt8] {
        [type(")", flagged), UInt8(items.count)] + items.joined()
    }

    static func set(_ items: [[UInt8]], flagged: Bool = false) -> [UInt8] {
        [type(">", flagged)] + word(items.count) + items.joined()
    }

    static func slice(_ items: [[UInt8]], flagged: Bool = false) -> [UInt8] { [type(":", flagged)] + items.joined() }

    static func reference(_ number: Int) -> [UInt8] { [type("r")] + word(number) }

    static let none = [type("N")]
    static let `true` = [type("T")]
    static let ellipsis = [type(".")]

    /// A code object of 3.11, whose parts all differ from each other.
    static func code(
        _ constants: [[UInt8]], names: [[UInt8]] = [], fileName: [UInt8] = text("s.py"),
        name: [UInt8] = text("<m>", "Z"),
        number: UInt8 = 0, flagged: Bool = false
    ) -> [UInt8] {
        let leading = [UInt8](repeating: number, count: 20)
        let head = [type("c", flagged)] + leading + bytes([number, 1]) + tuple(constants) + tuple(names)
        return head + tuple([]) + bytes([number, 2]) + fileName + name + text("<q\(number)>", "Z") + word(7)
            + bytes([number, 3]) + bytes([number, 4])
    }

    /// A code object of Python 2.
    static func python2(_ constants: [[UInt8]], fileName: [UInt8]) -> [UInt8] {
        func tuple(_ items: [[UInt8]]) -> [UInt8] { [type("(")] + word(items.count) + items.joined() }
        let head = [type("c")] + [UInt8](repeating: 0, count: 16) + bytes([100]) + tuple(constants)
        return head + tuple([]) + tuple([]) + tuple([]) + tuple([]) + fileName + bytes([60]) + word(1) + bytes([1])
    }
}

/// A hash of the value that is loaded from a body. Two bodies have the same hash if Python could distinguish their values
/// only by `is`. It is computed independently of the canonical form, to test that form.
struct LoadedValue {
    private let arena: MarshalArena
    private let body: UnsafeRawBufferPointer
    /// The hash of the file name to assume for all code; `nil` for the embedded ones.
    private let fileName: UInt64?
    private var known: [MarshalNodeID: UInt64] = [:]

    /// - Returns: `nil` if an object contains itself.
    static func digest(_ arena: MarshalArena, _ body: UnsafeRawBufferPointer, fileName: [UInt8]? = nil) -> UInt64? {
        var loaded = LoadedValue(
            arena: arena, body: body,
            fileName: fileName.map { name in
                let isBytes = arena.layout == .python2
                let object = MarshalText.path(name, in: arena.layout)
                let content = object[MarshalText.contentStart(of: object)...]
                return Self.leaf(isBytes ? .bytes : .unicode, Array(content))
            })
        return loaded.value(arena.root)
    }

    private static func leaf(_ type: MarshalType, _ content: [UInt8]) -> UInt64 {
        combined(UInt64(type.rawValue), content.map(UInt64.init))
    }

    /// FNV-1a over words.
    private static func combined(_ first: UInt64, _ rest: [UInt64]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for word in [first, UInt64(rest.count)] + rest {
            hash = (hash ^ word) &* 0x0000_0100_0000_01B3
            hash ^= hash >> 29
        }
        return hash
    }

    private mutating func value(_ id: MarshalNodeID) -> UInt64? {
        let id = arena.resolved(id)
        if let known = known[id] { return known == 0 ? nil : known }
        // 0 marks an object whose hash is being computed.
        known[id] = 0
        let node = arena[id]
        let result: UInt64
        if node.type.isContainer {
            var parts: [UInt64] = []
            for (place, child) in arena.children(of: id).enumerated() {
                guard let part = value(child) else { return nil }
                let isFileName = node.type == .code && arena.layout.fields[place] == .filename
                parts.append(isFileName ? fileName ?? part : part)
            }
            if node.type == .code {
                for number in arena.layout.leadingNumbers + [.firstLine] {
                    parts.append(UInt64(bitPattern: Int64(arena.number(number, of: id) ?? 0)))
                }
            }
            if node.type == .frozenSet { parts.sort() }
            result = Self.combined(UInt64((node.type.isTuple ? .tuple : node.type).rawValue), parts)
        } else {
            let isText = arena.layout != .python2 && node.type.isText(in: arena.layout)
            let isBytes = node.type.isBytes(in: arena.layout)
            var content = arena.content(of: id)
            if node.type == .bigInteger { content = Int(node.start) + 1..<content.upperBound }
            result = Self.leaf(isText ? .unicode : isBytes ? .bytes : node.type, Array(body[content]))
        }
        known[id] = max(result, 1)
        return known[id]
    }
}
