// Reads what CPython's marshal module writes.
//
// Accepts any bytes: reading takes linear time and ends with an arena or an error. It never allocates for a length that
// the data merely claims, so memory stays within a constant times the input (20 bytes for each object, and an object
// takes at least one byte). Nesting is kept in an array, not on the call stack.

package struct MarshalReader: ~Copyable {
    /// `MAX_MARSHAL_STACK_DEPTH` of CPython on Linux, in all versions: the top object is at depth 1.
    package static let deepest = 2000

    /// An object whose children are being read.
    private struct OpenObject: BitwiseCopyable {
        var node: Int
        /// `null` outside all objects.
        var type: MarshalType
        /// Children still to read. A dictionary has no count; a null ends it.
        var remaining: UInt32
    }

    private let bytes: UnsafeRawBufferPointer
    private let layout: CodeLayout
    private let types: [MarshalType?]
    private let fields: [CodeField]
    private let leadingNumbers: Int
    private let fieldsAfterFirstLine: UInt32
    private var position = 0
    /// The innermost open object, and those around it.
    private var current = OpenObject(node: 0, type: .null, remaining: 1)
    private var outer = GrowingBuffer<OpenObject>(capacity: 32)

    private var nodes: GrowingBuffer<MarshalNode>
    private var numbered: GrowingBuffer<MarshalNodeID>
    private var numbers = GrowingBuffer<Int32>(capacity: 256)
    private var codes: [MarshalNodeID] = []

    /// - Parameters:
    ///   - body: a .pyc without its header. The arena stores offsets into it.
    ///   - layout: the layout of the interpreter that wrote the body.
    package static func read(
        _ body: UnsafeRawBufferPointer, layout: CodeLayout
    ) throws(MarshalError) -> MarshalArena {
        guard body.count <= Int(Int32.max) else { throw MarshalError(problem: .tooLarge, offset: 0) }
        var reader = MarshalReader(body, layout)
        repeat {
            try reader.readObject()
            while reader.current.remaining == 0 {
                guard reader.outer.count > 0 else { return reader.arena() }
                try reader.closeCurrent()
            }
        } while true
    }

    private init(_ bytes: UnsafeRawBufferPointer, _ layout: CodeLayout) {
        self.bytes = bytes
        self.layout = layout
        types = MarshalType.byByte(in: layout)
        fields = layout.fields
        leadingNumbers = layout.leadingNumbers.count
        fieldsAfterFirstLine = UInt32(layout.fieldsAfterFirstLine)
        // CPython writes at most one object for every ten bytes.
        nodes = GrowingBuffer(capacity: bytes.count / 8)
        numbered = GrowingBuffer(capacity: bytes.count / 32)
    }

    private func arena() -> MarshalArena {
        MarshalArena(
            layout: layout, fields: fields, length: position, nodes: nodes.array(), numbers: numbers.array(),
            numbered: numbered.array(),
            codes: codes)
    }

    // MARK: Objects

    /// Reads one object up to its first child.
    @inline(__always)
    private mutating func readObject() throws(MarshalError) {
        guard outer.count < Self.deepest else { throw failure(.nestedTooDeeply) }
        if current.type == .code, current.remaining == fieldsAfterFirstLine { try readFirstLine() }
        current.remaining &-= 1
        let start = position
        guard start < bytes.count else { throw failure(.truncated) }
        let byte = bytes[start]
        guard let type = types[Int(byte)] else { throw failure(.unknownType(byte)) }
        position = start &+ 1
        var count: UInt32 = 0
        // CPython numbers every object that has FLAG_REF, except singletons and references, where it ignores the flag.
        var isNumbered = byte & 0x80 != 0

        switch type {
        case .none, .stopIteration, .ellipsis, .false, .true:
            isNumbered = false
        case .null:
            try endDictionary(at: start)
            return
        case .integer32:
            count = 4
            try skip(4, from: start)
        case .integer64, .float:
            count = 8
            try skip(8, from: start)
        case .complex:
            count = 16
            try skip(16, from: start)
        case .bigInteger: count = try readDigits(from: start)
        case .floatText, .shortASCII, .shortASCIIInterned:
            count = try readByte(from: start)
            try skip(Int(count), from: start)
        case .complexText:
            for _ in 0..<2 { try skip(Int(readByte(from: start)), from: start) }
            count = UInt32(truncatingIfNeeded: position &- start &- 1)
        case .interned:
            isNumbered = isNumbered || layout == .python2
            count = try readLength(from: start)
            try skip(Int(count), from: start)
        case .bytes, .unicode, .ascii, .asciiInterned:
            count = try readLength(from: start)
            try skip(Int(count), from: start)
        case .reference, .internedReference:
            count = try readReference(from: start)
            isNumbered = false
        case .smallTuple: count = try readByte(from: start)
        case .tuple, .list, .set, .frozenSet: count = try readLength(from: start)
        case .dictionary: count = 0
        case .slice: count = 3
        case .code: count = try readLeadingNumbers(from: start)
        }

        let index = UInt32(truncatingIfNeeded: nodes.count)
        var number = MarshalNode.unnumbered
        if isNumbered {
            number = UInt32(truncatingIfNeeded: numbered.count)
            numbered.append(MarshalNodeID(index))
        }
        nodes.append(
            MarshalNode(
                type: type, start: UInt32(truncatingIfNeeded: start), count: count, end: index &+ 1, number: number))
        if type.isContainer { try openLast(type, count: count, from: start) }
    }

    /// Opens the last node, a container, so that its children are read next.
    private mutating func openLast(_ type: MarshalType, count: UInt32, from start: Int) throws(MarshalError) {
        let node = nodes.count &- 1
        let remaining: UInt32
        switch type {
        case .dictionary: remaining = .max
        case .code:
            remaining = UInt32(truncatingIfNeeded: fields.count)
            codes.append(MarshalNodeID(UInt32(truncatingIfNeeded: node)))
        default:
            // Each child takes at least one byte: reject a count that cannot fit before allocating anything.
            guard Int(count) <= bytes.count &- position else { throw failure(.truncated, at: start) }
            if count == 0 { return }
            remaining = count
        }
        nodes[node].end = 0
        outer.append(current)
        current = OpenObject(node: node, type: type, remaining: remaining)
    }

    /// Closes the innermost object once all its children are read.
    private mutating func closeCurrent() throws(MarshalError) {
        if current.type == .code { try checkFields(of: current.node) }
        nodes[current.node].end = UInt32(truncatingIfNeeded: nodes.count)
        if let around = outer.removeLast() { current = around }
    }

    /// A null in place of a key ends the dictionary. (CPython also accepts one in place of a value, but nothing writes
    /// that.)
    private mutating func endDictionary(at start: Int) throws(MarshalError) {
        // The null itself has been counted.
        let children = UInt32.max &- current.remaining &- 1
        guard current.type == .dictionary, children.isMultiple(of: 2) else { throw failure(.misplacedNull, at: start) }
        nodes[current.node].count = children
        current.remaining = 0
    }

    // MARK: Code

    /// - Returns: the index of the numbers in the arena. Leaves room for the first line, which is read later.
    private mutating func readLeadingNumbers(from start: Int) throws(MarshalError) -> UInt32 {
        let place = UInt32(truncatingIfNeeded: numbers.count)
        for _ in 0..<leadingNumbers { numbers.append(try readNumber(from: start)) }
        numbers.append(0)
        return place
    }

    private mutating func readFirstLine() throws(MarshalError) {
        let line = try readNumber(from: position)
        numbers[Int(nodes[current.node].count) &+ leadingNumbers] = line
    }

    /// Checks the types of a code object's fields, so that users of the arena can rely on them.
    private mutating func checkFields(of code: Int) throws(MarshalError) {
        var next = code &+ 1
        for field in fields {
            let node = nodes[next]
            let target = node.type.isReference ? Int(node.count) : next
            let type = nodes[target].type
            let isRight =
                switch field.kind {
                case .bytes: type.isBytes(in: layout)
                case .text: type.isText(in: layout)
                case .tuple: type.isTuple
                case .tupleOfText: type.isTuple && isTupleOfText(target)
                }
            guard isRight else { throw failure(.wrongType(field), at: Int(node.start)) }
            next = Int(node.end)
        }
    }

    /// Checks each tuple once, however many code objects share it.
    private mutating func isTupleOfText(_ tuple: Int) -> Bool {
        let node = nodes[tuple]
        // A tuple that is still open contains the code object.
        if node.isTupleOfText || node.end == 0 { return node.isTupleOfText }
        var next = tuple &+ 1
        while next < Int(node.end) {
            let item = nodes[next]
            let type = item.type.isReference ? nodes[Int(item.count)].type : item.type
            guard type.isText(in: layout) else { return false }
            next = Int(item.end)
        }
        nodes[tuple].isTupleOfText = true
        return true
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func skip(_ count: Int, from start: Int) throws(MarshalError) {
        guard count <= bytes.count &- position else { throw failure(.truncated, at: start) }
        position &+= count
    }

    @inline(__always)
    private mutating func readByte(from start: Int) throws(MarshalError) -> UInt32 {
        guard position < bytes.count else { throw failure(.truncated, at: start) }
        let byte = bytes[position]
        position &+= 1
        return UInt32(byte)
    }

    @inline(__always)
    private mutating func readNumber(from start: Int) throws(MarshalError) -> Int32 {
        guard bytes.count &- position >= 4 else { throw failure(.truncated, at: start) }
        let number = Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self))
        position &+= 4
        return number
    }

    @inline(__always)
    private mutating func readLength(from start: Int) throws(MarshalError) -> UInt32 {
        let length = try readNumber(from: start)
        guard length >= 0 else { throw failure(.negativeLength, at: start) }
        return UInt32(truncatingIfNeeded: length)
    }

    /// - Returns: the number of digits.
    private mutating func readDigits(from start: Int) throws(MarshalError) -> UInt32 {
        let count = Int(try readNumber(from: start).magnitude)
        let first = position
        try skip(count * 2, from: start)
        for digit in 0..<count {
            let value = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: first + digit * 2, as: UInt16.self))
            guard value < 0x8000, value != 0 || digit < count - 1 else {
                throw failure(.malformedInteger, at: start)
            }
        }
        return UInt32(truncatingIfNeeded: count)
    }

    /// - Returns: the index of the target node.
    @inline(__always)
    private mutating func readReference(from start: Int) throws(MarshalError) -> UInt32 {
        let number = try readNumber(from: start)
        guard number >= 0, Int(number) < numbered.count else {
            throw failure(.invalidReference(number), at: start)
        }
        let target = numbered[Int(number)].index
        let node = nodes[Int(target)]
        guard node.end != 0 || !node.type.isReservedUntilComplete else {
            throw failure(.invalidReference(number), at: start)
        }
        return target
    }

    private func failure(_ problem: MarshalError.Problem, at offset: Int? = nil) -> MarshalError {
        MarshalError(problem: problem, offset: offset ?? position)
    }
}
