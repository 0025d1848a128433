// Creates outlines of the code objects in an arena.
//
// Code objects can share tuples, strings and line tables through references of five bytes, so a small file could expand
// to an enormous text. Three limits keep time and text within a constant times the size of the file: texts are
// truncated, a long list that was already shown is referred to instead of repeated, and all texts share a budget of
// characters.

package struct CodeOutliner {
    /// Shared lists with up to this many items are repeated: that reads better than a reference.
    private static let longestRepeated = 16

    /// Identifies a list. The same tuple looks different as names and as constants.
    private struct ListKey: Hashable {
        enum Kind: Hashable { case names, constants, locals, cells, frees }

        let kind: Kind
        let tuple: MarshalNodeID
        /// `co_localspluskinds`, since 3.11.
        let kinds: MarshalNodeID?
    }

    private let arena: MarshalArena
    private let body: UnsafeRawBufferPointer
    private let lineFormat: LineTable.Format
    private let limit: Int
    /// For each code object, the index of the one that contains it, and how many do.
    private let parents: [(parent: Int?, depth: Int)]
    private var shown: [ListKey: (place: Int, count: Int)] = [:]
    private var walkedTables: Set<MarshalNodeID> = []
    /// Bytes of shared line tables that may still be walked again. Starts at the size of the body.
    private var bytesToWalkAgain: Int
    private var charactersLeft: Int

    /// - Parameters:
    ///   - body: the bytes that the arena was read from.
    ///   - magicNumber: of the file; decides how lines are encoded where the layout does not.
    ///   - limit: maximum length of one name or constant, in characters (approximate).
    package init(_ arena: MarshalArena, body: UnsafeRawBufferPointer, magicNumber: UInt16, limit: Int) {
        self.arena = arena
        self.body = body
        self.limit = limit
        lineFormat = LineTable.Format(arena.layout, magicNumber: magicNumber)
        bytesToWalkAgain = body.count
        charactersLeft = 65_536 + body.count * 4
        var parents: [(parent: Int?, depth: Int)] = []
        parents.reserveCapacity(arena.codes.count)
        var open: [Int] = []
        for code in arena.codes {
            while let last = open.last, arena[arena.codes[last]].end <= code.index { open.removeLast() }
            open.append(parents.count)
            parents.append((open.dropLast().last, open.count - 1))
        }
        self.parents = parents
    }

    /// Number of code objects.
    package var count: Int { arena.codes.count }

    /// - Parameter place: index in the arena's `codes`, outer before inner. Call with ascending indices.
    package mutating func outline(_ place: Int) -> CodeOutline {
        let code = arena.codes[place]
        let lists = nameLists(of: code, place)
        return CodeOutline(
            place: place, parent: parents[place].parent, depth: parents[place].depth,
            name: name(.name, of: code) ?? "", qualifiedName: name(.qualifiedName, of: code),
            fileName: name(.filename, of: code) ?? "",
            argumentCount: arena.number(.argumentCount, of: code) ?? 0,
            positionalOnlyCount: arena.number(.positionalOnlyCount, of: code) ?? 0,
            keywordOnlyCount: arena.number(.keywordOnlyCount, of: code) ?? 0,
            stackSize: arena.number(.stackSize, of: code) ?? 0,
            flags: CodeFlags(bits: UInt32(bitPattern: arena.number(.flags, of: code) ?? 0)),
            firstLine: arena.number(.firstLine, of: code) ?? 0, lines: lines(of: code),
            codeLength: bytes(.code, of: code)?.count ?? 0,
            names: names(.names, of: code, .names, place), locals: lists.locals, cells: lists.cells,
            frees: lists.frees, constants: constants(of: code, place))
    }

    // MARK: Fields

    private func target(_ field: CodeField, of code: MarshalNodeID) -> MarshalNodeID? {
        arena.field(field, of: code).map(arena.resolved)
    }

    private func content(_ id: MarshalNodeID) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: body[arena.content(of: id)])
    }

    private func bytes(_ field: CodeField, of code: MarshalNodeID) -> UnsafeRawBufferPointer? {
        target(field, of: code).map(content)
    }

    private mutating func name(_ field: CodeField, of code: MarshalNodeID) -> String? {
        guard let bytes = bytes(field, of: code) else { return nil }
        return spent(EscapedText.name(bytes, limit: charactersLeft > 0 ? limit : 1))
    }

    private mutating func spent(_ text: String) -> String {
        charactersLeft -= text.utf8.count + 1
        return text
    }

    private mutating func lines(of code: MarshalNodeID) -> ClosedRange<Int>? {
        guard let table = target(.lineTable, of: code) else { return nil }
        let bytes = content(table)
        if !walkedTables.insert(table).inserted {
            guard bytes.count <= bytesToWalkAgain else { return nil }
            bytesToWalkAgain -= bytes.count
        }
        return LineTable.span(
            bytes, format: lineFormat, firstLine: arena.number(.firstLine, of: code) ?? 0,
            codeLength: self.bytes(.code, of: code)?.count ?? 0)
    }

    // MARK: Lists

    /// - Parameter length: number of items in the tuple.
    /// - Returns: a reference to show instead of a long list that was already shown; else `nil`.
    private func shownBefore<Item>(_ key: ListKey, length: Int) -> CodeOutline.List<Item>? {
        guard length > Self.longestRepeated, let before = shown[key] else { return nil }
        return CodeOutline.List(items: [], count: before.count, sameAs: before.place)
    }

    private mutating func list<Item>(_ key: ListKey, _ items: [Item], count: Int, _ place: Int)
        -> CodeOutline.List<Item>
    {
        if shown[key] == nil { shown[key] = (place, count) }
        return CodeOutline.List(items: items, count: count, sameAs: nil)
    }

    private mutating func names(
        _ field: CodeField, of code: MarshalNodeID, _ kind: ListKey.Kind, _ place: Int
    ) -> CodeOutline.List<String> {
        guard let tuple = target(field, of: code) else { return CodeOutline.List(items: [], count: 0, sameAs: nil) }
        let count = Int(arena[tuple].count)
        let key = ListKey(kind: kind, tuple: tuple, kinds: nil)
        if let other: CodeOutline.List<String> = shownBefore(key, length: count) { return other }
        var items: [String] = []
        for item in arena.children(of: tuple) {
            guard charactersLeft > 0 else { break }
            items.append(spent(EscapedText.name(content(arena.resolved(item)), limit: limit)))
        }
        return list(key, items, count: count, place)
    }

    private mutating func constants(of code: MarshalNodeID, _ place: Int) -> CodeOutline.List<ConstantText> {
        guard let tuple = target(.constants, of: code) else {
            return CodeOutline.List(items: [], count: 0, sameAs: nil)
        }
        let count = Int(arena[tuple].count)
        let key = ListKey(kind: .constants, tuple: tuple, kinds: nil)
        if let other: CodeOutline.List<ConstantText> = shownBefore(key, length: count) { return other }
        var items: [ConstantText] = []
        for item in arena.children(of: tuple) {
            guard charactersLeft > 0 else { break }
            let constant = ConstantText(item, of: arena, body: body, limit: limit)
            charactersLeft -= constant.text.utf8.count + 1
            items.append(constant)
        }
        return list(key, items, count: count, place)
    }

    // MARK: Local names

    private typealias NameLists = (
        locals: CodeOutline.List<String>, cells: CodeOutline.List<String>, frees: CodeOutline.List<String>
    )

    private mutating func nameLists(of code: MarshalNodeID, _ place: Int) -> NameLists {
        guard arena.layout == .localsPlus else {
            return (
                names(.localNames, of: code, .locals, place), names(.cellNames, of: code, .cells, place),
                names(.freeNames, of: code, .frees, place)
            )
        }
        return (
            localsPlus(of: code, .locals, 0x20, place), localsPlus(of: code, .cells, 0x40, place),
            localsPlus(of: code, .frees, 0x80, place)
        )
    }

    /// Since 3.11: the names whose byte has this bit set (CO_FAST_LOCAL, CO_FAST_CELL, CO_FAST_FREE of pycore_code.h).
    private mutating func localsPlus(
        of code: MarshalNodeID, _ kind: ListKey.Kind, _ bit: UInt8, _ place: Int
    ) -> CodeOutline.List<String> {
        guard let tuple = target(.localsPlusNames, of: code), let kinds = target(.localsPlusKinds, of: code) else {
            return CodeOutline.List(items: [], count: 0, sameAs: nil)
        }
        let key = ListKey(kind: kind, tuple: tuple, kinds: kinds)
        let length = Int(arena[tuple].count)
        if let other: CodeOutline.List<String> = shownBefore(key, length: length) { return other }
        var items: [String] = []
        var count = 0
        for (item, byte) in zip(arena.children(of: tuple), content(kinds)) where byte & bit != 0 {
            count += 1
            guard charactersLeft > 0 else { continue }
            items.append(spent(EscapedText.name(content(arena.resolved(item)), limit: limit)))
        }
        return list(key, items, count: count, place)
    }
}
