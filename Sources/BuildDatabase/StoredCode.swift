// The result of one compilation as the store keeps it, and the format of its file (STORE.md describes it).

import BasicTypes
import BuildModel

/// The result of a compilation.
package struct StoredCode: Hashable, Sendable {
    /// Marshalled code in canonical form, without a header, with the file name it was compiled under.
    package var body: [UInt8]
    /// The bytes of `body` that hold the whole object of the embedded file name (type byte, length, text). Whoever loads
    /// the code replaces them with its own file name.
    package var fileName: Range<Int>
    /// Warnings from the compiler, to be shown again.
    package var diagnostics: [Diagnostic]
    /// How long the compiler took.
    package var microseconds: UInt32

    package init(body: [UInt8], fileName: Range<Int>, diagnostics: [Diagnostic], microseconds: UInt32) {
        self.body = body
        self.fileName = fileName
        self.diagnostics = diagnostics
        self.microseconds = microseconds
    }
}

/// One entry as bytes: a head, then the unchanged body.
///
/// Each has its own SipHash-1-3, and the hash of the head covers the hash of the body, so that every bit is checked, and
/// one call can write both without joining them first. SipHash-1-3 is fast enough: 2 µs for 10 kB, of the 10 µs that a
/// load from the page cache takes.
enum StoreEntry {
    /// Maximum size in bytes. Larger code is not saved, and a larger file is not an entry.
    static let mostBytes = 64 << 20

    private static let signature = Array("freshpyc".utf8)
    /// Signature, format, length of the head, length and hash of the body.
    private static let fixedLength = 32
    private static let lengthOffset = 12
    private static let sumLength = 8

    /// Fixed keys: the hashes protect against accidents. Only owner and permissions protect against forgery.
    private static let headKey: (UInt64, UInt64) = (0x6672_6573_6870_7963, 0x7374_6f72_652e_6864)
    private static let bodyKey: (UInt64, UInt64) = (0x6672_6573_6870_7963, 0x7374_6f72_652e_6264)

    private static func sum(_ bytes: UnsafeRawBufferPointer, _ key: (UInt64, UInt64)) -> UInt64 {
        SipHash.hash13(bytes, key: key)
    }

    /// The bytes before the body.
    ///
    /// - Returns: `nil` for code that is not saved: it is too large, or `fileName` is not a range of `body`.
    static func head(_ key: StoreKey, _ code: StoredCode) -> [UInt8]? {
        guard code.fileName.lowerBound >= 0, code.fileName.upperBound <= code.body.count else { return nil }
        var head = [UInt8]()
        head.reserveCapacity(256)
        head.append(contentsOf: signature)
        head.append(littleEndian: StoreKey.format)
        head.append(littleEndian: UInt32(0))
        head.append(littleEndian: UInt64(code.body.count))
        head.append(littleEndian: code.body.withUnsafeBytes { sum($0, bodyKey) })
        head.append(littleEndian: UInt32(truncatingIfNeeded: key.bytes.count))
        head.append(contentsOf: key.bytes)
        head.append(littleEndian: UInt32(truncatingIfNeeded: code.fileName.lowerBound))
        head.append(littleEndian: UInt32(truncatingIfNeeded: code.fileName.upperBound))
        head.append(littleEndian: code.microseconds)
        head.append(littleEndian: UInt32(truncatingIfNeeded: code.diagnostics.count))
        for diagnostic in code.diagnostics {
            head.append(text: diagnostic.rule.rawValue)
            head.append(text: diagnostic.severity.rawValue)
            for number in [diagnostic.line, diagnostic.column, diagnostic.endLine, diagnostic.endColumn] {
                head.append(littleEndian: Int64(number))
            }
            head.append(text: diagnostic.type)
            head.append(text: diagnostic.message)
        }
        guard head.count + sumLength + code.body.count <= mostBytes else { return nil }
        seal(&head)
        return head
    }

    /// Fills in the length, which is known now, and appends the hash.
    static func seal(_ head: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: head.count + sumLength).littleEndian) { bytes in
            head.replaceSubrange(lengthOffset..<lengthOffset + bytes.count, with: bytes)
        }
        head.append(littleEndian: head.withUnsafeBytes { sum($0, headKey) })
    }

    /// Reads an entry; `nil` for any bytes that are not a whole entry for this key.
    static func decode(_ bytes: [UInt8], for key: StoreKey) -> StoredCode? {
        bytes.withUnsafeBytes { buffer in
            guard buffer.count >= fixedLength + sumLength, buffer.count <= mostBytes,
                buffer.prefix(signature.count).elementsEqual(signature)
            else { return nil }
            var cursor = Cursor(buffer, from: signature.count, to: fixedLength)
            guard cursor.number(UInt32.self) == StoreKey.format, let length = cursor.length(),
                length >= fixedLength + sumLength, length <= buffer.count,
                cursor.number(UInt64.self) == UInt64(buffer.count - length), let bodySum = cursor.number(UInt64.self)
            else { return nil }
            let end = length - sumLength
            var trailer = Cursor(buffer, from: end, to: length)
            guard trailer.number(UInt64.self) == sum(UnsafeRawBufferPointer(rebasing: buffer[..<end]), headKey),
                bodySum == sum(UnsafeRawBufferPointer(rebasing: buffer[length...]), bodyKey)
            else { return nil }
            // The bytes are ours unless they were forged, so everything below is still checked.
            cursor = Cursor(buffer, from: fixedLength, to: end)
            guard cursor.take(key.bytes), let lower = cursor.length(), let upper = cursor.length(), lower <= upper,
                upper <= buffer.count - length, let microseconds = cursor.number(UInt32.self),
                let diagnostics = cursor.diagnostics(), cursor.isAtEnd
            else { return nil }
            return StoredCode(
                body: Array(bytes[length...]), fileName: lower..<upper, diagnostics: diagnostics,
                microseconds: microseconds)
        }
    }

    /// Reads the head from front to back; each method returns `nil` if the bytes end too early.
    private struct Cursor {
        private let bytes: UnsafeRawBufferPointer
        private var offset: Int
        private let end: Int

        init(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) {
            self.bytes = bytes
            offset = start
            self.end = end
        }

        var isAtEnd: Bool { offset == end }

        mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type) -> Number? {
            let size = MemoryLayout<Number>.size
            guard end - offset >= size else { return nil }
            defer { offset += size }
            return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }

        mutating func length() -> Int? { number(UInt32.self).map { Int($0) } }

        private mutating func part() -> UnsafeRawBufferPointer? {
            guard let length = length(), end - offset >= length else { return nil }
            defer { offset += length }
            return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
        }

        /// Whether these bytes come next, with their length before them.
        mutating func take(_ expected: [UInt8]) -> Bool {
            part()?.elementsEqual(expected) ?? false
        }

        private mutating func text() -> String? {
            part().flatMap { String(validating: $0, as: UTF8.self) }
        }

        mutating func diagnostics() -> [Diagnostic]? {
            guard let count = length() else { return nil }
            var diagnostics: [Diagnostic] = []
            for _ in 0..<count {
                guard let diagnostic = diagnostic() else { return nil }
                diagnostics.append(diagnostic)
            }
            return diagnostics
        }

        private mutating func place() -> Int? { number(Int64.self).map { Int($0) } }

        private mutating func diagnostic() -> Diagnostic? {
            guard let rule = text().flatMap({ Rule(rawValue: $0) }),
                let severity = text().flatMap({ Severity(rawValue: $0) }), let line = place(), let column = place(),
                let endLine = place(), let endColumn = place(), let type = text(), let message = text()
            else { return nil }
            return Diagnostic(
                rule, severity, line: line, column: column, endLine: endLine, endColumn: endColumn, type: type,
                message: message)
        }
    }
}
