// The objects of a marshalled body, in a flat array. The arena does not store the bytes of the body: strings and
// numbers are ranges into it, so reading an object's content needs the body as well.

/// Identifies an object of one arena. IDs ascend in the order in which objects begin.
package struct MarshalNodeID: Hashable, Comparable, Sendable, BitwiseCopyable {
    package let index: UInt32

    init(_ index: UInt32) { self.index = index }

    package static func < (left: Self, right: Self) -> Bool { left.index < right.index }
}

/// An object, or a reference to one.
package struct MarshalNode: Hashable, Sendable, BitwiseCopyable {
    static let unnumbered = UInt32.max

    package let type: MarshalType
    /// Tuples only: every item is text. Set once a code object uses the tuple for its names.
    var isTupleOfText = false
    /// Offset of the type byte in the body.
    package let start: UInt32
    /// Strings and numbers: bytes of content. Big integers: digits. Containers: children. References: index of the target
    /// node. Code: index of its first number in `MarshalArena.numbers`. Otherwise 0.
    var count: UInt32
    /// Index of the node after this object and its contents; 0 while the object is being read.
    var end: UInt32
    /// The number that references to this object use, or `unnumbered`.
    let number: UInt32

    /// The range in the body of the content of an object that is neither a container nor a reference.
    @inline(__always)
    var contentOfLeaf: Range<Int> {
        let first = Int(start) &+ 1 &+ type.lengthWidth
        let length = type == .bigInteger ? Int(count) &* 2 : Int(count)
        return Range(uncheckedBounds: (first, first &+ length))
    }

    /// The same with the digit count of a big integer, which carries its sign: what distinguishes two objects of one type.
    @inline(__always)
    var identityOfLeaf: Range<Int> {
        let content = contentOfLeaf
        return type == .bigInteger
            ? Range(uncheckedBounds: (Int(start) &+ 1, content.upperBound)) : content
    }
}

/// The nodes of an arena in place: an array checks its bounds, and the canonical form reads each node many times.
///
/// Not bounds-checked in a release build: positions come from the reader, never from the input.
struct MarshalNodes: BitwiseCopyable {
    private let elements: UnsafePointer<MarshalNode>
    private let count: Int

    /// - Parameter nodes: must outlive this value. `nil` if it is empty.
    init?(_ nodes: UnsafeBufferPointer<MarshalNode>) {
        guard let base = nodes.baseAddress, !nodes.isEmpty else { return nil }
        elements = base
        count = nodes.count
    }

    @inline(__always)
    subscript(index: UInt32) -> MarshalNode {
        assert(Int(index) < count)
        return elements[Int(index)]
    }
}

/// All objects of one body, in the order in which they begin: an object's contents follow it.
///
/// Children form a tree in which references are leaves. A reference can point to an object that contains it, since a
/// list can contain itself, so code that follows references must guard against cycles.
package struct MarshalArena: Sendable {
    package let layout: CodeLayout
    /// Those of the layout.
    let fields: [CodeField]
    /// Length of the top object in bytes. Python ignores any bytes after it.
    package let length: Int

    let nodes: [MarshalNode]
    /// The numbers of each code object: the leading ones in the layout's order, then the first line.
    let numbers: [Int32]
    /// The target of each reference number.
    package let numbered: [MarshalNodeID]
    /// All code objects, outer before inner.
    package let codes: [MarshalNodeID]

    /// The top object. Every arena that a reader returns has one.
    package var root: MarshalNodeID { MarshalNodeID(0) }
    package var count: Int { nodes.count }

    package subscript(id: MarshalNodeID) -> MarshalNode { nodes[Int(id.index)] }

    /// The target of a reference; any other object resolves to itself. A reference never points to a reference.
    package func resolved(_ id: MarshalNodeID) -> MarshalNodeID {
        let node = self[id]
        return node.type.isReference ? MarshalNodeID(node.count) : id
    }

    /// The number that references to this object use; `nil` if it has none.
    package func referenceNumber(of id: MarshalNodeID) -> Int? {
        let number = self[id].number
        return number == MarshalNode.unnumbered ? nil : Int(number)
    }

    /// The range of the object's content in the body. Strings: their text or bytes. Numbers: what follows the type byte
    /// (of big integers the digits without their count; of complex numbers written as text both parts, each with its
    /// length). Empty for containers and references.
    package func content(of id: MarshalNodeID) -> Range<Int> {
        let node = self[id]
        if node.type.isContainer || node.type.isReference {
            let start = Int(node.start) + 1
            return start..<start
        }
        return node.contentOfLeaf
    }

    /// The objects that an object contains: a dictionary's keys and values in turn, a code object's fields.
    package func children(of id: MarshalNodeID) -> MarshalChildren {
        MarshalChildren(arena: self, position: id.index + 1, end: self[id].end)
    }

    /// A field of a code object, unresolved: it may be a reference.
    /// - Returns: `nil` if the layout has no such field, or the object is not code.
    package func field(_ field: CodeField, of id: MarshalNodeID) -> MarshalNodeID? {
        guard self[id].type == .code, let place = fields.firstIndex(of: field) else { return nil }
        var next = id.index + 1
        for _ in 0..<place { next = nodes[Int(next)].end }
        return MarshalNodeID(next)
    }

    /// A number of a code object.
    /// - Returns: `nil` if the layout has no such number, or the object is not code.
    package func number(_ number: CodeNumber, of id: MarshalNodeID) -> Int32? {
        let node = self[id]
        guard node.type == .code else { return nil }
        if number == .firstLine { return numbers[Int(node.count) + layout.leadingNumbers.count] }
        guard let place = layout.leadingNumbers.firstIndex(of: number) else { return nil }
        return numbers[Int(node.count) + place]
    }
}

/// Iterates over the children of an object.
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
