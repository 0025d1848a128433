// Hashing for the values of one body.
//
// Not a Dictionary of slices, because that hashes each byte with SipHash behind three calls. Hashes never leave the
// process: the seed is random in each run, so nobody can choose contents that collide.

/// A hash of words and bytes, eight bytes at a time.
struct ContentHash {
    private(set) var value: UInt64

    /// What all hashes of this run are seeded with.
    static let secret = UInt64.random(in: 0 ... .max)

    /// - Parameter seed: `secret`, changed by what is not among the contents.
    init(seed: UInt64) {
        value = seed &* 0x9E37_79B9_7F4A_7C15
    }

    @inline(__always)
    mutating func add(_ word: UInt64) { value = Self.mixed(value, word) }

    @inline(__always)
    private static func mixed(_ value: UInt64, _ word: UInt64) -> UInt64 {
        let product = (value ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low &+ 0x9E37_79B9_7F4A_7C15
    }

    @inline(__always)
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        if bytes.count >= 64 {
            // Code and line tables: two chains, which the processor computes at the same time.
            var other = value &+ 0x9E37_79B9_7F4A_7C15
            while offset &+ 16 <= bytes.count {
                value = Self.mixed(value, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                other = Self.mixed(other, bytes.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self))
                offset &+= 16
            }
            add(other)
        }
        while offset &+ 8 <= bytes.count {
            add(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset &+= 8
        }
        add(Self.last(of: bytes) &+ UInt64(truncatingIfNeeded: bytes.count) &<< 56)
    }

    /// A word that contains all bytes after the last whole word, perhaps with some before them.
    @inline(__always)
    private static func last(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        let count = bytes.count
        if count >= 8 { return bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self) }
        if count >= 4 {
            let first = bytes.loadUnaligned(as: UInt32.self)
            let last = bytes.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            return UInt64(first) | UInt64(last) &<< 32
        }
        if count == 0 { return 0 }
        return UInt64(bytes[0]) | UInt64(bytes[count &>> 1]) &<< 8 | UInt64(bytes[count &- 1]) &<< 16
    }

    /// Whether two buffers of the same length have equal contents.
    @inline(__always)
    static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset &+ 8 <= left.count {
            if left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                != right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            {
                return false
            }
            offset &+= 8
        }
        return last(of: left) == last(of: right)
    }
}

/// An open-addressing hash table of numbers. It has at least twice as many slots as `capacity` and does not grow.
struct HashedSlots: ~Copyable {
    private let slots: UnsafeMutablePointer<UInt32>
    private let mask: Int
    private static let free = UInt32.max

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = .allocate(capacity: size)
        slots.initialize(repeating: Self.free, count: size)
        mask = size - 1
    }

    deinit { slots.deallocate() }

    @inline(__always)
    func first(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & mask }

    @inline(__always)
    func next(_ slot: Int) -> Int { (slot &+ 1) & mask }

    /// The number in a slot returned by `first` or `next`; `nil` if the slot is free.
    @inline(__always)
    subscript(slot: Int) -> UInt32? {
        let number = slots[slot]
        return number == Self.free ? nil : number
    }

    @inline(__always)
    func set(_ slot: Int, _ number: UInt32) { slots[slot] = number }
}
