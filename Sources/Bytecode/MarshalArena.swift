// The objects of a marshalled body, flat: which object is where, what it holds, what refers to it. Holds no byte of the
// body: strings and numbers are ranges into it, so the content of an object needs the body as well.

/// An object of one arena. Numbers grow in the order in which objects begin.
package struct MarshalNodeID: Hashable, Comparable, Sendable, BitwiseCopyable {
    package let index: UInt32

    init(_ index: UInt32) { self.index = index }

    package static func < (left: Self, right: Self) -> Bool { left.index < right.index }
}

/// An object, or a reference to one.
package struct MarshalNode: Hashable, Sendable, BitwiseCopyable {
    static let unnumbered = UInt32.max

    package let type: MarshalType
    /// Only for tuples: each of its items is text. Set when a code object has the tuple as its names.
    var isTupleOfText = false
    /// Bytes from the beginning of the body to the byte of the type.
    package let start: UInt32
    /// Strings and texts of numbers: bytes of content. Big integers: digits. Containers: children. References: the
    /// node that is meant. Code: its place among the numbers. Otherwise 0.
    var count: UInt32
    /// The node after this one and all that is in it; 0 while it is being read.
    var end: UInt32
    /// The number by which references name this object, or `unnumbered`.
    let number: UInt32
}

/// All objects of one body, in the order in which they begin: what an object holds follows it.
///
/// Children form a tree. A reference is a leaf of it, and may name an object that it is inside of, as a list may hold
/// itself: whoever follows references must not do so without end.
package struct MarshalArena: Sendable {
    package let layout: CodeLayout
    /// Bytes that the top object takes. Those after it are nothing that Python looks at.
    package let length: Int

    let nodes: [MarshalNode]
    /// The numbers of code objects: the leading ones in the layout's order, then the first line.
    let numbers: [Int32]
    /// What each reference number names.
    package let numbered: [MarshalNodeID]
    /// All code objects, the outer before the inner.
    package let codes: [MarshalNodeID]

    /// The top object. An arena that a reader returned has one.
    package var root: MarshalNodeID { MarshalNodeID(0) }
    package var count: Int { nodes.count }

    package subscript(id: MarshalNodeID) -> MarshalNode { nodes[Int(id.index)] }

    /// What a reference names; any other object is itself. No reference names a reference.
    package func resolved(_ id: MarshalNodeID) -> MarshalNodeID {
        let node = self[id]
        return node.type.isReference ? MarshalNodeID(node.count) : id
    }

    /// The number by which references name this object.
    package func referenceNumber(of id: MarshalNodeID) -> Int? {
        let number = self[id].number
        return number == MarshalNode.unnumbered ? nil : Int(number)
    }

    /// Where the object's own bytes are in the body: of strings their contents, of numbers what follows the type
    /// (of big integers the digits without their count; of a text of a complex number also the lengths). Empty for
    /// containers and references.
    package func content(of id: MarshalNodeID) -> Range<Int> {
        let node = self[id]
        let start = Int(node.start) + 1 + node.type.lengthWidth
        let length =
            switch node.type {
            case .integer32: 4
            case .integer64, .float: 8
            case .complex: 16
            case .bigInteger: Int(node.count) * 2
            case .bytes, .interned, .unicode, .ascii, .asciiInterned, .shortASCII, .shortASCIIInterned, .floatText,
                .complexText:
                Int(node.count)
            default: 0
            }
        return start..<start + length
    }

    /// The objects that an object holds: keys and values of a dictionary in turn, the fields of a code object.
    package func children(of id: MarshalNodeID) -> MarshalChildren {
        MarshalChildren(arena: self, position: id.index + 1, end: self[id].end)
    }

    /// A field of a code object, as it stands there: it may be a reference.
    /// - Returns: `nil` where the layout has no such field, or the object is no code.
    package func field(_ field: CodeField, of id: MarshalNodeID) -> MarshalNodeID? {
        guard self[id].type == .code, let place = layout.fields.firstIndex(of: field) else { return nil }
        var next = id.index + 1
        for _ in 0..<place { next = nodes[Int(next)].end }
        return MarshalNodeID(next)
    }

    /// A number of a code object.
    /// - Returns: `nil` where the layout has no such number, or the object is no code.
    package func number(_ number: CodeNumber, of id: MarshalNodeID) -> Int32? {
        let node = self[id]
        guard node.type == .code else { return nil }
        if number == .firstLine { return numbers[Int(node.count) + layout.leadingNumbers.count] }
        guard let place = layout.leadingNumbers.firstIndex(of: number) else { return nil }
        return numbers[Int(node.count) + place]
    }
}

/// Goes from one child to the next.
package struct MarshalChildren: Sequence, IteratorProtocol {
    let arena: MarshalArena
    var position: UInt32
    let end: UInt32

    package mutating func next() -> MarshalNodeID? {
        guard position < end else { return nil }
        let id = MarshalNodeID(position)
        position = arena.nodes[Int(position)].end
        return id
    }
}
