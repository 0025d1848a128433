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
    private let nodes: MarshalNodes
    private let body: UnsafeRawBufferPointer
    private let secret = ContentHash.secret
    private var table: HashedSlots
    /// Objects used as file names: nearly always just one.
    private var fileNames: Set<UInt32> = []
    private var onlyFileName = Self.none
    /// Limits the work of sorting sets, over the whole body.
    private var stepsLeft: Int

    /// - Parameter nodes: the nodes of the arena. Whoever calls keeps them alive.
    init?(_ arena: MarshalArena, _ nodes: MarshalNodes, _ body: UnsafeRawBufferPointer) {
        self.arena = arena
        self.nodes = nodes
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
        var open = GrowingBuffer<UInt32>(capacity: 32)
        var index: UInt32 = 0
        let count = UInt32(truncatingIfNeeded: arena.count)
        while true {
            while let last = open.last, nodes[last].end == index {
                _ = open.removeLast()
                guard close(last) else { return false }
            }
            guard index < count else { return true }
            let node = nodes[index]
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
        let node = nodes[index]
        if node.type == .code {
            ofNode[Int(index)] = addContainer(index, node, hash: 0)
            return true
        }
        var hash = ContentHash(seed: secret ^ UInt64(Self.family(node.type)))
        if node.type == .frozenSet {
            guard let sorted = sortedMembers(of: index) else { return false }
            for member in sorted { hash.add(UInt64(member)) }
            let short = Self.short(hash)
            var slot = table.first(hash.value)
            while let other = table[slot] {
                if values[Int(other)].hash == short, members[other]?.elementsEqual(sorted) ?? false {
                    ofNode[Int(index)] = other
                    return true
                }
                slot = table.next(slot)
            }
            let value = addContainer(index, node, hash: short)
            table.set(slot, value)
            members[value] = sorted
            ofNode[Int(index)] = value
            return true
        }
        var child = index &+ 1
        while child < node.end {
            hash.add(UInt64(ofNode[Int(child)]))
            child = nodes[child].end
        }
        let short = Self.short(hash)
        var slot = table.first(hash.value)
        while let other = table[slot] {
            if values[Int(other)].hash == short, holdTheSame(index, node, other) {
                ofNode[Int(index)] = other
                return true
            }
            slot = table.next(slot)
        }
        let value = addContainer(index, node, hash: short)
        table.set(slot, value)
        ofNode[Int(index)] = value
        return true
    }

    private mutating func leaf(_ index: UInt32, _ node: MarshalNode) -> UInt32 {
        // NaNs are never equal, but containers compare items by identity first, so merging NaNs would change results.
        if node.type == .float || node.type == .complex, holdsNaN(node) { return add(index, hash: 0) }
        let isFileName = isFileName(index)
        let family = isFileName ? Self.fileNameFamily : Self.family(node.type)
        let content = bytes(in: node.identityOfLeaf)
        var hash = ContentHash(seed: secret ^ UInt64(family))
        hash.add(content)
        let short = Self.short(hash)
        var slot = table.first(hash.value)
        while let other = table[slot] {
            if values[Int(other)].hash == short, isLeaf(values[Int(other)].exemplar, family, content) { return other }
            slot = table.next(slot)
        }
        let value = add(index, hash: short)
        table.set(slot, value)
        return value
    }

    @inline(__always)
    private static func short(_ hash: ContentHash) -> UInt32 { UInt32(truncatingIfNeeded: hash.value >> 32) }

    @inline(__always)
    private func isFileName(_ index: UInt32) -> Bool {
        onlyFileName == Self.none ? fileNames.contains(index) : onlyFileName == index
    }

    private func holdsNaN(_ node: MarshalNode) -> Bool {
        let content = node.contentOfLeaf
        return stride(from: content.lowerBound, to: content.upperBound, by: 8).contains { place in
            let bits = UInt64(littleEndian: body.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            return Double(bitPattern: bits).isNaN
        }
    }

    /// The family of file names, which is the type of nothing.
    private static let fileNameFamily: UInt8 = 0xFF

    /// Types whose objects can be equal share a number: it does not matter how a text is encoded.
    private static func family(_ type: MarshalType) -> UInt8 {
        switch type {
        case .unicode, .interned, .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned:
            MarshalType.unicode.rawValue
        case .smallTuple: MarshalType.tuple.rawValue
        default: type.rawValue
        }
    }

    private mutating func add(_ index: UInt32, hash: UInt32) -> UInt32 {
        let value = UInt32(truncatingIfNeeded: values.count)
        values.append(Value(exemplar: index, hash: hash))
        return value
    }

    /// Adds a container, and counts that it uses its children.
    private mutating func addContainer(_ index: UInt32, _ node: MarshalNode, hash: UInt32) -> UInt32 {
        var child = index &+ 1
        while child < node.end {
            values[Int(ofNode[Int(child)])].uses &+= 1
            child = nodes[child].end
        }
        return add(index, hash: hash)
    }

    // MARK: Equality

    /// Whether this node is a leaf of this family and content.
    @inline(__always)
    private func isLeaf(_ index: UInt32, _ family: UInt8, _ content: UnsafeRawBufferPointer) -> Bool {
        let node = nodes[index]
        guard !node.type.isContainer, family == (isFileName(index) ? Self.fileNameFamily : Self.family(node.type))
        else {
            return false
        }
        let other = bytes(in: node.identityOfLeaf)
        return other.count == content.count && ContentHash.areEqual(other, content)
    }

    private func holdTheSame(_ index: UInt32, _ node: MarshalNode, _ other: UInt32) -> Bool {
        let exemplar = values[Int(other)].exemplar
        let known = nodes[exemplar]
        guard Self.family(node.type) == Self.family(known.type), node.count == known.count,
            known.type != .code, known.type.isContainer
        else { return false }
        var left = index &+ 1
        var right = exemplar &+ 1
        while left < node.end, right < known.end {
            guard ofNode[Int(left)] == ofNode[Int(right)] else { return false }
            left = nodes[left].end
            right = nodes[right].end
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
            let types = (nodes[exemplars.0].type, nodes[exemplars.1].type)
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
        let fields = arena.fields
        for code in arena.codes {
            var child = code.index &+ 1
            for field in fields {
                switch field {
                case .name, .qualifiedName: values[Int(ofNode[Int(child)])].isName = true
                case .names, .localNames, .freeNames, .cellNames, .localsPlusNames:
                    markItems(of: ofNode[Int(child)])
                default: break
                }
                child = nodes[child].end
            }
        }
    }

    /// Marks a tuple of names, once.
    private mutating func markItems(of tuple: UInt32) {
        guard !values[Int(tuple)].isName else { return }
        values[Int(tuple)].isName = true
        let exemplar = values[Int(tuple)].exemplar
        let end = nodes[exemplar].end
        var name = exemplar &+ 1
        while name < end {
            values[Int(ofNode[Int(name)])].isName = true
            name = nodes[name].end
        }
    }

    /// Decides which texts are written as interned: as in the compiler, names and constants made of letters, digits and
    /// underscores (`all_name_chars` in Objects/codeobject.c). What the input says is ignored, because it can depend on
    /// the modules compiled before in the same process: single characters are shared by all of them in CPython, and any
    /// text in PyPy.
    private mutating func decideInterning() {
        let layout = arena.layout
        for index in 0..<values.count {
            let value = values[index]
            let node = nodes[value.exemplar]
            guard node.type.isText(in: layout) else { continue }
            // File names are not, whatever their characters, so that one can replace another.
            values[index].isInterned =
                value.isName || !isFileName(value.exemplar) && Self.isLikeAName(bytes(in: node.contentOfLeaf))
        }
    }

    private static func isLikeAName(_ text: UnsafeRawBufferPointer) -> Bool {
        for byte in text where !isNameCharacter(byte) { return false }
        return !text.isEmpty
    }

    /// The letters, the digits and the underscore, as bits of the first 128 characters.
    private static let nameCharacters: (UInt64, UInt64) = (0x03FF_0000_0000_0000, 0x07FF_FFFE_87FF_FFFE)

    @inline(__always)
    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? nameCharacters.0 : nameCharacters.1
        return byte < 128 && word >> UInt64(byte & 63) & 1 == 1
    }

    // MARK: Contents

    @inline(__always)
    private func bytes(in range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: body.baseAddress.map { $0 + range.lowerBound }, count: range.count)
    }

    /// The bytes that distinguish two leaves of one family.
    private func bytes(of index: UInt32) -> UnsafeRawBufferPointer { bytes(in: nodes[index].identityOfLeaf) }
}
