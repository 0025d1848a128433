// Finds which objects of a marshalled body are equal, by type and content.

/// Numbers the distinct values of a body. Two objects have the same value if Python could only tell them apart with
/// `is`. Every code object is a value of its own. File names are kept apart from equal texts that are not file names.
struct MarshalValues: ~Copyable {
    /// One distinct value.
    struct Value: BitwiseCopyable {
        /// The first object of this value.
        let exemplar: UInt32
        let hash: UInt32
        /// Number of places in other values that use it.
        var uses: UInt32 = 0
        /// If it is text: whether it is written as interned.
        var isInterned = false
        /// Whether a code object uses it as a name, or (tuples) its items.
        var isName = false
    }

    static let none = UInt32.max

    /// The value of each object; for a reference, the value of its target.
    private(set) var ofNode: GrowingBuffer<UInt32>
    private(set) var values: GrowingBuffer<Value>
    /// The members of each set, in canonical order.
    private(set) var members: [UInt32: [UInt32]] = [:]
    /// Whether all code objects have the same file name, and nothing else uses that object.
    private(set) var hasOneFileName = false

    private let arena: MarshalArena
    private let body: UnsafeRawBufferPointer
    private var table: HashedSlots
    /// Objects used as file names: nearly always just one.
    private var fileNames: Set<UInt32> = []
    private var onlyFileName = Self.none
    /// Limits the work of sorting sets, over the whole body.
    private var stepsLeft: Int

    init?(_ arena: MarshalArena, _ body: UnsafeRawBufferPointer) {
        self.arena = arena
        self.body = body
        ofNode = GrowingBuffer(capacity: arena.count)
        values = GrowingBuffer(capacity: arena.count)
        table = HashedSlots(capacity: arena.count)
        stepsLeft = 4096 + 256 * arena.count
        for code in arena.codes {
            if let name = arena.field(.filename, of: code) { fileNames.insert(arena.resolved(name).index) }
        }
        if fileNames.count == 1, let only = fileNames.first { onlyFileName = only }
        guard number() else { return nil }
        markNames()
        decideInterning()
        if let first = fileNames.first {
            let value = ofNode[Int(first)]
            hasOneFileName =
                fileNames.allSatisfy { ofNode[Int($0)] == value } && Int(values[Int(value)].uses) == arena.codes.count
        }
    }

    // MARK: Numbering

    /// Gives each object its value: leaves as they come, containers once all their children have one.
    private mutating func number() -> Bool {
        var open: [UInt32] = []
        var index: UInt32 = 0
        let count = UInt32(truncatingIfNeeded: arena.count)
        while true {
            while let last = open.last, arena.nodes[Int(last)].end == index {
                open.removeLast()
                guard close(last) else { return false }
            }
            guard index < count else { return true }
            let node = arena.nodes[Int(index)]
            switch node.type {
            case .reference, .internedReference:
                let value = ofNode[Int(node.count)]
                // The target is still open, so it contains this reference. No compiler writes such code.
                guard value != Self.none else { return false }
                ofNode.append(value)
            case .list, .dictionary, .set, .null:
                return false
            case .code, .tuple, .smallTuple, .frozenSet, .slice:
                ofNode.append(Self.none)
                open.append(index)
            default:
                ofNode.append(leaf(index, node))
            }
            index &+= 1
        }
    }

    private mutating func close(_ index: UInt32) -> Bool {
        let node = arena.nodes[Int(index)]
        if node.type == .code {
            ofNode[Int(index)] = add(index, hash: 0)
            return true
        }
        var hash = ContentHash(seed: UInt64(Self.family(node.type)))
        if node.type == .frozenSet {
            guard let sorted = sortedMembers(of: index) else { return false }
            for member in sorted { hash.add(UInt64(member)) }
            let value = find(hash.value, index) { values, other in
                values.members[other]?.elementsEqual(sorted) ?? false
            }
            if members[value] == nil {
                members[value] = sorted
            }
            ofNode[Int(index)] = value
            return true
        }
        var child = index &+ 1
        while child < node.end {
            hash.add(UInt64(ofNode[Int(child)]))
            child = arena.nodes[Int(child)].end
        }
        ofNode[Int(index)] = find(hash.value, index) { values, other in values.holdTheSame(index, other) }
        return true
    }

    private mutating func leaf(_ index: UInt32, _ node: MarshalNode) -> UInt32 {
        // NaNs are never equal, but containers compare items by identity first, so merging NaNs would change results.
        if node.type == .float || node.type == .complex, holdsNaN(index) { return add(index, hash: 0) }
        let family = isFileName(index) ? 0xFF : Self.family(node.type)
        var hash = ContentHash(seed: UInt64(family))
        hash.add(bytes(of: index))
        return find(hash.value, index) { values, other in values.areEqualLeaves(index, other) }
    }

    private func isFileName(_ index: UInt32) -> Bool {
        onlyFileName == Self.none ? fileNames.contains(index) : onlyFileName == index
    }

    private func holdsNaN(_ index: UInt32) -> Bool {
        let content = arena.content(of: MarshalNodeID(index))
        return stride(from: content.lowerBound, to: content.upperBound, by: 8).contains { place in
            let bits = UInt64(littleEndian: body.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            return Double(bitPattern: bits).isNaN
        }
    }

    /// Types whose objects can be equal share a number: it does not matter how a text is encoded.
    private static func family(_ type: MarshalType) -> UInt8 {
        switch type {
        case .unicode, .interned, .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned:
            MarshalType.unicode.rawValue
        case .smallTuple: MarshalType.tuple.rawValue
        default: type.rawValue
        }
    }

    private mutating func find(
        _ hash: UInt64, _ index: UInt32, isEqual: (borrowing MarshalValues, UInt32) -> Bool
    ) -> UInt32 {
        let short = UInt32(truncatingIfNeeded: hash >> 32)
        var slot = table.first(hash)
        while let other = table[slot] {
            if values[Int(other)].hash == short, isEqual(self, other) { return other }
            slot = table.next(slot)
        }
        let value = add(index, hash: short)
        table.set(slot, value)
        return value
    }

    private mutating func add(_ index: UInt32, hash: UInt32) -> UInt32 {
        let value = UInt32(truncatingIfNeeded: values.count)
        values.append(Value(exemplar: index, hash: hash))
        let node = arena.nodes[Int(index)]
        if node.type.isContainer {
            var child = index &+ 1
            while child < node.end {
                let used = ofNode[Int(child)]
                values[Int(used)].uses &+= 1
                child = arena.nodes[Int(child)].end
            }
        }
        return value
    }

    // MARK: Equality

    private func areEqualLeaves(_ index: UInt32, _ other: UInt32) -> Bool {
        let exemplar = values[Int(other)].exemplar
        let types = (arena.nodes[Int(index)].type, arena.nodes[Int(exemplar)].type)
        guard Self.family(types.0) == Self.family(types.1), !types.1.isContainer,
            isFileName(index) == isFileName(exemplar)
        else { return false }
        let left = bytes(of: index)
        let right = bytes(of: exemplar)
        return left.count == right.count && ContentHash.areEqual(left, right)
    }

    private func holdTheSame(_ index: UInt32, _ other: UInt32) -> Bool {
        let exemplar = values[Int(other)].exemplar
        let nodes = (arena.nodes[Int(index)], arena.nodes[Int(exemplar)])
        guard Self.family(nodes.0.type) == Self.family(nodes.1.type), nodes.0.count == nodes.1.count,
            nodes.1.type != .code, nodes.1.type.isContainer
        else { return false }
        var left = index &+ 1
        var right = exemplar &+ 1
        while left < nodes.0.end, right < nodes.1.end {
            guard ofNode[Int(left)] == ofNode[Int(right)] else { return false }
            left = arena.nodes[Int(left)].end
            right = arena.nodes[Int(right)].end
        }
        return true
    }

    // MARK: Order of sets

    /// The members of a set, sorted by type and content.
    ///
    /// - Returns: `nil` if sorting takes more steps than any compiler's code needs: long tuples with common prefixes
    ///   could be made to take very long.
    private mutating func sortedMembers(of index: UInt32) -> [UInt32]? {
        var sorted = arena.children(of: MarshalNodeID(index)).map { ofNode[Int($0.index)] }
        var steps = stepsLeft
        sorted.sort { steps > 0 && precedes($0, $1, &steps) }
        stepsLeft = steps
        return steps > 0 ? sorted : nil
    }

    /// Orders values by content, not by position in the body. Descends only into the first pair of items that differ,
    /// so it terminates.
    private func precedes(_ left: UInt32, _ right: UInt32, _ steps: inout Int) -> Bool {
        var pair = (left, right)
        while pair.0 != pair.1 {
            steps -= 1
            let exemplars = (values[Int(pair.0)].exemplar, values[Int(pair.1)].exemplar)
            let types = (arena.nodes[Int(exemplars.0)].type, arena.nodes[Int(exemplars.1)].type)
            let families = (Self.family(types.0), Self.family(types.1))
            if families.0 != families.1 { return families.0 < families.1 }
            guard types.0.isContainer else {
                let contents = (bytes(of: exemplars.0), bytes(of: exemplars.1))
                steps -= min(contents.0.count, contents.1.count) / 64
                return contents.0.lexicographicallyPrecedes(contents.1)
            }
            // Code objects are ordered by their position, which the compiler determines.
            if types.0 == .code { return exemplars.0 < exemplars.1 }
            let children = (childValues(pair.0), childValues(pair.1))
            steps -= children.0.count + children.1.count
            guard let place = zip(children.0, children.1).first(where: { $0 != $1 }) else {
                return children.0.count < children.1.count
            }
            pair = place
        }
        return false
    }

    /// The values that a value contains, in the order in which they are written.
    private func childValues(_ value: UInt32) -> [UInt32] {
        members[value] ?? arena.children(of: MarshalNodeID(values[Int(value)].exemplar)).map { ofNode[Int($0.index)] }
    }

    // MARK: Interning

    /// Marks the values that code objects use as names.
    private mutating func markNames() {
        for code in arena.codes {
            for field in arena.layout.fields {
                switch field {
                case .name, .qualifiedName:
                    if let id = arena.field(field, of: code) { values[Int(ofNode[Int(id.index)])].isName = true }
                case .names, .localNames, .freeNames, .cellNames, .localsPlusNames:
                    guard let id = arena.field(field, of: code) else { continue }
                    let tuple = ofNode[Int(id.index)]
                    guard !values[Int(tuple)].isName else { continue }
                    values[Int(tuple)].isName = true
                    let node = arena.nodes[Int(values[Int(tuple)].exemplar)]
                    var name = values[Int(tuple)].exemplar &+ 1
                    while name < node.end {
                        values[Int(ofNode[Int(name)])].isName = true
                        name = arena.nodes[Int(name)].end
                    }
                default: continue
                }
            }
        }
    }

    /// Decides which texts are written as interned: as in the compiler, names and constants made of letters, digits and
    /// underscores (`all_name_chars` in Objects/codeobject.c). What the input says is ignored, because it can depend on
    /// the modules compiled before in the same process: single characters are shared by all of them in CPython, and any
    /// text in PyPy.
    private mutating func decideInterning() {
        for index in 0..<values.count {
            let value = values[index]
            guard arena.nodes[Int(value.exemplar)].type.isText(in: arena.layout) else { continue }
            // File names are not, whatever their characters, so that one can replace another.
            values[index].isInterned =
                value.isName || !isFileName(value.exemplar) && Self.isLikeAName(bytes(of: value.exemplar))
        }
    }

    private static func isLikeAName(_ text: UnsafeRawBufferPointer) -> Bool {
        for byte in text where !isNameCharacter(byte) { return false }
        return !text.isEmpty
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The bytes that distinguish two leaves of one family.
    private func bytes(of index: UInt32) -> UnsafeRawBufferPointer {
        var content = arena.content(of: MarshalNodeID(index))
        // Include the digit count, which carries the sign.
        let node = arena.nodes[Int(index)]
        if node.type == .bigInteger { content = Int(node.start) + 1..<content.upperBound }
        return UnsafeRawBufferPointer(rebasing: body[content])
    }
}
