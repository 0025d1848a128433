// A growable buffer without copy-on-write.
//
// An Array checks at each mutation whether it is shared. The reader appends an object for every ten bytes or so, and
// that check took a third of its time.

struct GrowingBuffer<Element: BitwiseCopyable>: ~Copyable {
    private(set) var count = 0
    private var capacity: Int
    private var elements: UnsafeMutablePointer<Element>

    init(capacity: Int) {
        self.capacity = Swift.max(capacity, 16)
        elements = .allocate(capacity: self.capacity)
    }

    init(repeating element: Element, count: Int) {
        self.init(capacity: count)
        elements.initialize(repeating: element, count: count)
        self.count = count
    }

    deinit { elements.deallocate() }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        (elements + count).initialize(to: element)
        count &+= 1
    }

    var last: Element? { count > 0 ? elements[count &- 1] : nil }

    @inline(__always)
    mutating func removeLast() -> Element? {
        guard count > 0 else { return nil }
        count &-= 1
        return elements[count]
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.initialize(from: elements, count: count)
        elements.deallocate()
        elements = larger
        capacity *= 2
    }

    /// Not bounds-checked in a release build: positions come from the reader, never from the input.
    @inline(__always)
    subscript(position: Int) -> Element {
        get {
            assert(position >= 0 && position < count)
            return elements[position]
        }
        _modify {
            assert(position >= 0 && position < count)
            yield &elements[position]
        }
    }

    /// The elements in place. Valid while the buffer exists and does not grow.
    var pointer: UnsafePointer<Element> { UnsafePointer(elements) }

    func array() -> [Element] { Array(UnsafeBufferPointer(start: elements, count: count)) }
}
