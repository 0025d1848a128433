// Writes each value of a body in full once, and as a reference after that. MarshalValues decides which objects are
// equal.

/// Writes the values of one body. Open containers are kept in an array, not on the call stack.
struct CanonicalWriter: ~Copyable {
    /// An object whose children are being written.
    private struct OpenObject: BitwiseCopyable {
        var next: UInt32
        /// The first line number is written when this many children remain; `UInt32.max` if there is none.
        let lineBefore: UInt32
        var remaining: UInt32
        let line: Int32
        /// Sets only: the value whose members are written, in canonical order. Otherwise `MarshalValues.none`.
        let set: UInt32
    }

    private static let unwritten = Int32.min

    private let arena: MarshalArena
    private let body: UnsafeRawBufferPointer
    private let replacement: [UInt8]?
    private let nodes: MarshalNodes
    /// The numbers of a code object before its first child, and how many children it has and has after the first line.
    private let leadingNumbers: Int
    private let fields: UInt32
    private let fieldsAfterFirstLine: UInt32
    private let fileNameValue: UInt32
    /// Both point into the `MarshalValues` passed to `init`. The caller must keep it alive until `write` returns.
    private let exemplars: UnsafePointer<MarshalValues.Value>
    private let ofNode: UnsafePointer<UInt32>
    private let members: [UInt32: [UInt32]]
    private var numbers: GrowingBuffer<Int32>
    private var nextNumber: Int32 = 0
    private var output: ByteBuffer
    private var open = GrowingBuffer<OpenObject>(capacity: 32)

    /// Where in the output the top code's file name was first written.
    private(set) var fileName: Range<Int>?

    /// - Parameter fileName: a marshalled object to write instead of the top code's file name.
    init(
        _ arena: MarshalArena, _ nodes: MarshalNodes, _ body: UnsafeRawBufferPointer,
        _ values: borrowing MarshalValues, fileName: [UInt8]?
    ) {
        self.arena = arena
        self.body = body
        replacement = fileName
        self.nodes = nodes
        leadingNumbers = arena.layout.leadingNumbers.count
        fields = UInt32(truncatingIfNeeded: arena.fields.count)
        fieldsAfterFirstLine = UInt32(truncatingIfNeeded: arena.layout.fieldsAfterFirstLine)
        exemplars = values.values.pointer
        ofNode = values.ofNode.pointer
        members = values.members
        numbers = GrowingBuffer(repeating: Self.unwritten, count: values.values.count)
        output = ByteBuffer(capacity: arena.length + 64 + (fileName?.count ?? 0))
        fileNameValue = arena.field(.filename, of: arena.root).map { [ofNode] in ofNode[Int($0.index)] } ?? .max
    }

    consuming func finish() -> [UInt8] { output.array() }

    mutating func write() {
        write(ofNode[0])
        while var current = open.last {
            if current.remaining == current.lineBefore { output.append(current.line) }
            guard current.remaining > 0 else {
                _ = open.removeLast()
                continue
            }
            current.remaining &-= 1
            let value: UInt32
            if current.set != MarshalValues.none, let members = members[current.set] {
                value = members[members.count - Int(current.remaining) - 1]
            } else {
                value = ofNode[Int(current.next)]
                current.next = nodes[current.next].end
            }
            open[open.count &- 1] = current
            write(value)
        }
    }

    private mutating func write(_ value: UInt32) {
        let known = numbers[Int(value)]
        if known >= 0 {
            output.append(MarshalType.reference.rawValue)
            output.append(known)
            return
        }
        let exemplar = exemplars[Int(value)]
        let node = nodes[exemplar.exemplar]
        var flag: UInt8 = 0
        if exemplar.uses > 1, isWorthAReference(node) {
            flag = MarshalText.flag
            numbers[Int(value)] = nextNumber
            nextNumber &+= 1
        }
        if value == fileNameValue, fileName == nil {
            let start = output.count
            if let replacement {
                output.append(replacement[0] | flag)
                replacement.withUnsafeBytes { output.append(UnsafeRawBufferPointer(rebasing: $0.dropFirst())) }
            } else {
                writeLeaf(exemplar, node, flag)
            }
            fileName = start..<output.count
        } else if node.type.isContainer {
            writeContainer(value, exemplar.exemplar, node, flag)
        } else {
            writeLeaf(exemplar, node, flag)
        }
    }

    /// Singletons of a byte or two are repeated: a reference would be longer, and reading them creates no object.
    private func isWorthAReference(_ node: MarshalNode) -> Bool {
        switch node.type {
        case .none, .stopIteration, .ellipsis, .false, .true: false
        case .smallTuple, .tuple, .shortASCII, .shortASCIIInterned: node.count > 0
        default: true
        }
    }

    private mutating func writeLeaf(_ value: MarshalValues.Value, _ node: MarshalNode, _ flag: UInt8) {
        let type: MarshalType =
            switch node.type {
            case .unicode, .interned: value.isInterned ? .interned : .unicode
            case .ascii, .asciiInterned: value.isInterned ? .asciiInterned : .ascii
            case .shortASCII, .shortASCIIInterned: value.isInterned ? .shortASCIIInterned : .shortASCII
            default: node.type
            }
        output.append(type.rawValue | flag)
        let start = Int(node.start) &+ 1
        output.append(
            UnsafeRawBufferPointer(
                start: body.baseAddress.map { $0 + start }, count: node.contentOfLeaf.upperBound &- start))
    }

    private mutating func writeContainer(_ value: UInt32, _ index: UInt32, _ node: MarshalNode, _ flag: UInt8) {
        output.append(node.type.rawValue | flag)
        var remaining = node.count
        var line: Int32 = 0
        var lineBefore = UInt32.max
        switch node.type {
        case .code:
            for place in 0..<leadingNumbers { output.append(arena.numbers[Int(node.count) + place]) }
            line = arena.numbers[Int(node.count) + leadingNumbers]
            remaining = fields
            lineBefore = fieldsAfterFirstLine
        case .smallTuple: output.append(UInt8(truncatingIfNeeded: node.count))
        case .slice: break
        default: output.append(Int32(truncatingIfNeeded: node.count))
        }
        guard remaining > 0 else { return }
        open.append(
            OpenObject(
                next: index &+ 1, lineBefore: lineBefore, remaining: remaining, line: line,
                set: node.type == .frozenSet ? value : MarshalValues.none))
    }
}

/// A growable byte buffer.
struct ByteBuffer: ~Copyable {
    private(set) var count = 0
    private var capacity: Int
    private var base: UnsafeMutableRawPointer

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 8)
    }

    deinit { base.deallocate() }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if capacity &- count < more { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ number: Int32) {
        reserve(4)
        base.storeBytes(of: number.littleEndian, toByteOffset: count, as: Int32.self)
        count &+= 4
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        if bytes.count <= 16 {
            copyShort(from: source, bytes.count)
        } else {
            (base + count).copyMemory(from: source, byteCount: bytes.count)
        }
        count &+= bytes.count
    }

    /// Copies up to 16 bytes in words that may overlap.
    @inline(__always)
    private mutating func copyShort(from source: UnsafeRawPointer, _ length: Int) {
        let target = base + count
        if length >= 8 {
            let last = source.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
            target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
            target.storeBytes(of: last, toByteOffset: length &- 8, as: UInt64.self)
        } else if length >= 4 {
            let last = source.loadUnaligned(fromByteOffset: length &- 4, as: UInt32.self)
            target.storeBytes(of: source.loadUnaligned(as: UInt32.self), as: UInt32.self)
            target.storeBytes(of: last, toByteOffset: length &- 4, as: UInt32.self)
        } else {
            for offset in 0..<length {
                target.storeBytes(
                    of: source.load(fromByteOffset: offset, as: UInt8.self), toByteOffset: offset, as: UInt8.self)
            }
        }
    }

    func array() -> [UInt8] { Array(UnsafeRawBufferPointer(start: base, count: count)) }
}
