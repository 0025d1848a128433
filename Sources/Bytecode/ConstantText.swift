// Shows constants of marshalled code in readable form, truncated to a limit.

/// A constant in a readable short form.
package struct ConstantText: Hashable, Sendable {
    /// Python's name of the type: `int`, `str`, `tuple`, `code`.
    package let type: String
    /// As in Python's `repr`, except for code objects. `…` replaces what exceeds the limit.
    package let text: String
    /// If the constant is a code object: its index in the arena's `codes`.
    package let code: Int?

    init(type: String, text: String, code: Int?) {
        self.type = type
        self.text = text
        self.code = code
    }

    /// - Parameters:
    ///   - body: the bytes that the arena was read from.
    ///   - limit: maximum length in characters (approximate: quotes and brackets are always closed).
    package init(_ id: MarshalNodeID, of arena: MarshalArena, body: UnsafeRawBufferPointer, limit: Int) {
        let target = arena.resolved(id)
        var writer = ConstantWriter(arena, body, limit: limit)
        writer.append(target)
        text = writer.text
        type = Self.type(arena[target].type, layout: arena.layout)
        code = arena[target].type == .code ? arena.place(ofCode: target) : nil
    }

    private static func type(_ type: MarshalType, layout: CodeLayout) -> String {
        switch type {
        case .none: "NoneType"
        case .stopIteration: "type"
        case .ellipsis: "ellipsis"
        case .false, .true: "bool"
        case .integer32, .integer64: "int"
        case .bigInteger: layout == .python2 ? "long" : "int"
        case .float, .floatText: "float"
        case .complex, .complexText: "complex"
        case .bytes: layout == .python2 ? "str" : "bytes"
        case .interned, .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned: "str"
        case .unicode: layout == .python2 ? "unicode" : "str"
        case .tuple, .smallTuple: "tuple"
        case .list: "list"
        case .dictionary: "dict"
        case .set: "set"
        case .frozenSet: "frozenset"
        case .slice: "slice"
        case .code: "code"
        // Not objects: a null ends a dictionary, and references were resolved.
        case .null, .reference, .internedReference: "object"
        }
    }
}

extension MarshalArena {
    /// The index of a code object in `codes`.
    package func place(ofCode id: MarshalNodeID) -> Int? {
        var low = 0
        var high = codes.count
        while low < high {
            let middle = (low + high) / 2
            if codes[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low < codes.count && codes[low] == id ? low : nil
    }
}

/// Writes one constant. Each object uses up at least one character of the limit, so a tuple that contains itself, or
/// has a million items, is followed no further than it can be shown.
private struct ConstantWriter {
    private let arena: MarshalArena
    private let body: UnsafeRawBufferPointer
    private var line: EscapedText

    init(_ arena: MarshalArena, _ body: UnsafeRawBufferPointer, limit: Int) {
        self.arena = arena
        self.body = body
        line = EscapedText(limit: limit)
    }

    var text: String { line.text }

    mutating func append(_ id: MarshalNodeID) {
        guard !line.isFull else {
            line.append("…")
            return
        }
        let id = arena.resolved(id)
        let isPython2 = arena.layout == .python2
        switch arena[id].type {
        case .none: line.append("None")
        case .stopIteration: line.append("StopIteration")
        case .ellipsis: line.append("Ellipsis")
        case .false: line.append("False")
        case .true: line.append("True")
        case .integer32: line.append(String(integer(id, Int32.self)))
        case .integer64: line.append(String(integer(id, Int64.self)))
        case .bigInteger: appendBigInteger(id)
        case .float: line.append(Self.float(integer(id, UInt64.self)))
        case .complex: appendComplex(id)
        case .floatText, .complexText: line.append(content(id), as: .name)
        case .bytes:
            if !isPython2 { line.append("b") }
            line.append(content(id), as: .bytes)
        case .interned: line.append(content(id), as: isPython2 ? .bytes : .text)
        case .unicode:
            if isPython2 { line.append("u") }
            line.append(content(id), as: isPython2 ? .asciiText : .text)
        case .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned: line.append(content(id), as: .text)
        case .tuple, .smallTuple: appendItems(of: id, "(", arena[id].count == 1 ? ",)" : ")")
        case .list: appendItems(of: id, "[", "]")
        case .set: appendItems(of: id, "{", "}")
        case .frozenSet:
            if arena[id].count == 0 { line.append("frozenset()") } else { appendItems(of: id, "frozenset({", "})") }
        case .dictionary: appendDictionary(id)
        case .slice: appendItems(of: id, "slice(", ")")
        case .code: appendCode(id)
        case .null, .reference, .internedReference: line.append("?")
        }
    }

    // MARK: Containers

    private mutating func appendItems(of id: MarshalNodeID, _ opening: String, _ closing: String) {
        line.append(opening)
        var isFirst = true
        for item in arena.children(of: id) {
            if !isFirst { line.append(", ") }
            isFirst = false
            append(item)
            // An item that did not fit has already added its `…`.
            if line.isFull, arena[item].end < arena[id].end {
                if !line.hasMark { line.append(", …") }
                break
            }
        }
        line.append(closing)
    }

    private mutating func appendDictionary(_ id: MarshalNodeID) {
        line.append("{")
        var isKey = true
        var isFirst = true
        for item in arena.children(of: id) {
            if isKey, !isFirst {
                line.append(", ")
                if line.isFull {
                    line.append("…")
                    break
                }
            }
            isFirst = false
            append(item)
            if isKey { line.append(": ") }
            isKey.toggle()
        }
        line.append("}")
    }

    private mutating func appendCode(_ id: MarshalNodeID) {
        line.append("<code ")
        if let name = arena.field(.name, of: id) { line.append(content(arena.resolved(name)), as: .name) }
        if let first = arena.number(.firstLine, of: id) { line.append(", line \(first)") }
        line.append(">")
    }

    // MARK: Numbers

    private mutating func appendBigInteger(_ id: MarshalNodeID) {
        let digits = content(id)
        // The digit count, which precedes the digits, carries the sign.
        let place = arena.content(of: id).lowerBound - 4
        let isNegative =
            place >= 0 && Int32(littleEndian: body.loadUnaligned(fromByteOffset: place, as: Int32.self)) < 0
        var units: [UInt32] = []
        let count = digits.count / 2
        // Converting n digits takes n² steps: only describe numbers that would not fit the line anyway.
        guard count <= 32 else {
            let highest = digits.loadUnaligned(fromByteOffset: (count - 1) * 2, as: UInt16.self)
            let bits = (count - 1) * 15 + (16 - UInt16(littleEndian: highest).leadingZeroBitCount)
            line.append("<\(isNegative ? "negative " : "")integer of \(bits) bits>")
            return
        }
        for digit in (0..<count).reversed() {
            var carry = UInt64(
                UInt16(littleEndian: digits.loadUnaligned(fromByteOffset: digit * 2, as: UInt16.self)))
            for index in units.indices {
                carry += UInt64(units[index]) << 15
                units[index] = UInt32(carry % 1_000_000_000)
                carry /= 1_000_000_000
            }
            if carry > 0 { units.append(UInt32(carry)) }
        }
        var text = isNegative ? "-" : ""
        text += units.last.map { String($0) } ?? "0"
        for unit in units.dropLast().reversed() {
            let part = String(unit)
            text += String(repeating: "0", count: 9 - part.count) + part
        }
        if text.count > max(line.remaining, 20) { text = text.prefix(max(line.remaining, 20)) + "…" }
        line.append(text + (arena.layout == .python2 ? "L" : ""))
    }

    private mutating func appendComplex(_ id: MarshalNodeID) {
        let bytes = content(id)
        func half(_ offset: Int) -> Double {
            Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        }
        // `repr` omits the `.0` of whole numbers.
        func short(_ value: Double) -> String {
            let text = Self.float(value.bitPattern)
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
        let real = half(0)
        let imaginary = short(half(8)) + "j"
        if real == 0, real.sign == .plus {
            line.append(imaginary)
        } else {
            let sign = imaginary.first == "-" ? "" : "+"
            line.append("(\(short(real))\(sign)\(imaginary))")
        }
    }

    /// `repr` of a float: the shortest digits that read back as the same number, with an exponent below 1e-4 and from
    /// 1e16.
    private static func float(_ bits: UInt64) -> String {
        let value = Double(bitPattern: bits)
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        // Swift produces the same digits but places the point by other rules.
        let parts = value.magnitude.description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        var digits = mantissa.joined()
        var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            point -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        let sign = value.sign == .minus ? "-" : ""
        if digits == "0" { return sign + "0.0" }
        if point <= -4 || point > 16 {
            let exponent = point - 1
            let shown = String(exponent.magnitude)
            return sign + String(digits.prefix(1)) + (digits.count > 1 ? "." + digits.dropFirst() : "") + "e"
                + (exponent < 0 ? "-" : "+") + (shown.count < 2 ? "0" : "") + shown
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if point >= digits.count { return sign + digits + String(repeating: "0", count: point - digits.count) + ".0" }
        return sign + String(digits.prefix(point)) + "." + String(digits.dropFirst(point))
    }

    // MARK: Bytes

    private func content(_ id: MarshalNodeID) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: body[arena.content(of: id)])
    }

    /// Little-endian, as all numbers in the format.
    private func integer<Number: FixedWidthInteger & BitwiseCopyable>(_ id: MarshalNodeID, _: Number.Type) -> Number {
        Number(littleEndian: content(id).loadUnaligned(as: Number.self))
    }
}
