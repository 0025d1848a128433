// Rewrites marshalled code so that equal code has equal bytes.
//
// CPython's output depends on more than the code: an object is flagged for references if anything else in the process
// happens to hold it (`w_ref` in Python/marshal.c checks the reference count), a single character (in PyPy any text) is
// interned if an earlier module interned it, and a set of constants is written in hash order. Here, equal constants of
// the same type become one object; an object is flagged only if it is used again; a character is interned if it is a
// name or could be part of one, as the compiler does with longer texts; and set members are sorted. Code objects are
// never merged: two functions that look alike are still two.
//
// Python 2 is left as it is: its format can only refer to interned strings, and which strings are interned follows from
// the text.

/// A body in canonical form.
package struct CanonicalMarshal: Sendable {
    /// The marshalled code.
    package let body: [UInt8]
    /// Range in `body` of the embedded file name: the whole object, from its type byte to its last byte. `nil` if the
    /// name is stored in several places or the object has other uses, so that it cannot be replaced; always `nil` for
    /// Python 2.
    package let fileName: Range<Int>?

    /// - Parameters:
    ///   - arena: the arena that a reader made from `body`.
    ///   - body: the bytes that the arena was read from.
    ///   - fileName: the new `co_filename`, as the bytes of a path; `nil` keeps the current one.
    /// - Returns: `nil` if the top object is not code, or contains what code never contains (a list, a dictionary, a
    ///   tuple in itself): such a body has no canonical form. Also `nil` if the file name differs from `fileName` and
    ///   cannot be replaced: code of several files, or a constant that is the same object.
    package init?(_ arena: MarshalArena, body: UnsafeRawBufferPointer, fileName: [UInt8]? = nil) {
        guard arena[arena.root].type == .code, arena.length <= body.count else { return nil }
        var replacement = fileName.map { MarshalText.path($0, in: arena.layout) }
        if arena.layout == .python2 {
            if let wanted = replacement, Self.isFileName(wanted, of: arena, body) { replacement = nil }
            guard let copied = Self.python2(arena, body, fileName: replacement) else { return nil }
            self.body = copied
            self.fileName = nil
            return
        }
        let written = arena.nodes.withUnsafeBufferPointer { nodes -> (body: [UInt8], fileName: Range<Int>?)? in
            guard let nodes = MarshalNodes(nodes), let values = MarshalValues(arena, nodes, body) else { return nil }
            if let wanted = replacement, !values.hasOneFileName {
                guard Self.isFileName(wanted, of: arena, body) else { return nil }
                replacement = nil
            }
            var writer = CanonicalWriter(arena, nodes, body, values, fileName: replacement)
            writer.write()
            let fileName = values.hasOneFileName ? writer.fileName : nil
            return (writer.finish(), fileName)
        }
        guard let written else { return nil }
        self.body = written.body
        self.fileName = written.fileName
    }

    /// The same body with another file name, without reading it again.
    ///
    /// - Parameters:
    ///   - body: a canonical body.
    ///   - place: the `fileName` range of that body's `CanonicalMarshal`.
    /// - Returns: `nil` for Python 2, or if `place` is not a range of the body.
    package static func splice(_ body: [UInt8], at place: Range<Int>, fileName: [UInt8], layout: CodeLayout)
        -> [UInt8]?
    {
        guard layout != .python2, place.lowerBound >= 0, place.upperBound <= body.count, !place.isEmpty else {
            return nil
        }
        var name = MarshalText.path(fileName, in: layout)
        name[0] |= body[place.lowerBound] & MarshalText.flag
        if body[place].elementsEqual(name) { return body }
        var spliced: [UInt8] = []
        spliced.reserveCapacity(body.count + name.count)
        spliced.append(contentsOf: body[..<place.lowerBound])
        spliced.append(contentsOf: name)
        spliced.append(contentsOf: body[place.upperBound...])
        return spliced
    }

    /// `co_filename` of the top code, as the bytes of a path.
    ///
    /// - Returns: `nil` if the top object is not code.
    package static func fileName(of arena: MarshalArena, body: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let field = arena.field(.filename, of: arena.root), arena.length <= body.count else { return nil }
        return MarshalText.pathBytes(body[arena.content(of: arena.resolved(field))])
    }

    /// Whether `body` equals these bytes.
    package func hasBody(_ other: UnsafeRawBufferPointer) -> Bool {
        body.withUnsafeBytes { $0.count == other.count && ContentHash.areEqual($0, other) }
    }

    /// Whether every code object already has this file name.
    private static func isFileName(
        _ object: [UInt8], of arena: MarshalArena, _ body: UnsafeRawBufferPointer
    ) -> Bool {
        let content = object[MarshalText.contentStart(of: object)...]
        return arena.codes.allSatisfy { code in
            arena.field(.filename, of: code).map {
                body[arena.content(of: arena.resolved($0))].elementsEqual(content)
            } ?? false
        }
    }

    /// In Python 2, each code object contains its file name in full.
    ///
    /// - Returns: `nil` if one is interned or a reference, which no compiler writes.
    private static func python2(
        _ arena: MarshalArena, _ body: UnsafeRawBufferPointer, fileName: [UInt8]?
    ) -> [UInt8]? {
        guard let fileName else { return Array(body[..<arena.length]) }
        var copied: [UInt8] = []
        copied.reserveCapacity(arena.length + fileName.count)
        var position = 0
        let places = arena.codes.compactMap { arena.field(.filename, of: $0) }.sorted()
        for place in places {
            guard arena[place].type == .bytes else { return nil }
            copied.append(contentsOf: body[position..<Int(arena[place].start)])
            copied.append(contentsOf: fileName)
            position = arena.content(of: place).upperBound
        }
        copied.append(contentsOf: body[position..<arena.length])
        return copied
    }
}

/// Converts paths to and from marshalled objects.
enum MarshalText {
    /// FLAG_REF.
    static let flag: UInt8 = 0x80

    /// A path as a `co_filename` object. It is decoded as Python decodes paths: UTF-8, with a lone surrogate for each
    /// invalid byte (PEP 383).
    static func path(_ bytes: [UInt8], in layout: CodeLayout) -> [UInt8] {
        if layout == .python2 { return object(.bytes, bytes) }
        if bytes.allSatisfy({ $0 < 0x80 }) {
            return object(bytes.count < 256 ? .shortASCII : .ascii, bytes)
        }
        var text: [UInt8] = []
        var rest = bytes[...]
        while let first = rest.first {
            let length = Self.length(of: rest)
            if length > 0 {
                text.append(contentsOf: rest.prefix(length))
                rest = rest.dropFirst(length)
            } else {
                // U+DC80 to U+DCFF, in three bytes like other code points in UTF-8.
                text += [0xED, 0xB0 | (first >> 6), 0x80 | (first & 0x3F)]
                rest = rest.dropFirst()
            }
        }
        return object(.unicode, text)
    }

    /// The reverse of `path`: lone surrogates become the bytes that they stand for.
    static func pathBytes(_ text: some Collection<UInt8>) -> [UInt8] {
        let text = Array(text)
        var path: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == 0xED, index + 2 < text.count, text[index + 1] == 0xB2 || text[index + 1] == 0xB3 {
                path.append((text[index + 1] & 0x03) << 6 | (text[index + 2] & 0x3F))
                index += 3
            } else {
                path.append(text[index])
                index += 1
            }
        }
        return path
    }

    /// Offset of the content in an object that `path` returned.
    static func contentStart(of object: [UInt8]) -> Int { object.first == MarshalType.shortASCII.rawValue ? 2 : 5 }

    private static func object(_ type: MarshalType, _ content: [UInt8]) -> [UInt8] {
        var object = [type.rawValue]
        if type.lengthWidth == 1 {
            object.append(UInt8(truncatingIfNeeded: content.count))
        } else {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: content.count).littleEndian) {
                object.append(contentsOf: $0)
            }
        }
        return object + content
    }

    /// Length in bytes of the UTF-8 sequence at the beginning; 0 if it is invalid.
    private static func length(of bytes: ArraySlice<UInt8>) -> Int {
        guard let first = bytes.first else { return 0 }
        let length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0
        guard length > 0, bytes.count >= length else { return 0 }
        return String(validating: bytes.prefix(length), as: UTF8.self) == nil ? 0 : length
    }
}
