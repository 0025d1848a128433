// A hash table of positions. It stores neither keys nor hashes: whoever has the rows compares and hashes them.

/// Open addressing with linear probing: four to eight bytes for each position.
struct PositionIndex: Sendable {
    private static let vacant = UInt32.max
    /// Marks a position that was removed, so that those that were put behind it are still found.
    private static let removed = UInt32.max - 1

    private var slots: [UInt32]
    /// Slots that are not vacant.
    private var used = 0

    init(capacity: Int = 0) {
        slots = Array(repeating: Self.vacant, count: Self.size(for: capacity))
    }

    /// A power of two, of which at most two thirds are used.
    private static func size(for count: Int) -> Int {
        var size = 16
        while size * 2 < count * 3 { size *= 2 }
        return size
    }

    /// The position with this hash for which `isRight` is true.
    func find(_ hash: UInt64, where isRight: (UInt32) -> Bool) -> UInt32? {
        slots.withUnsafeBufferPointer { slots in
            let mask = slots.count - 1
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != Self.vacant {
                if slots[slot] != Self.removed, isRight(slots[slot]) { return slots[slot] }
                slot = (slot + 1) & mask
            }
            return nil
        }
    }

    /// Adds a position that is not in the table.
    ///
    /// - Parameters:
    ///   - count: how many positions there are with this one.
    ///   - rehash: the hash of a position, for a table that grows.
    mutating func insert(_ hash: UInt64, _ position: UInt32, count: Int, rehash: (UInt32) -> UInt64) {
        if (used + 1) * 3 > slots.count * 2 {
            let old = slots
            slots = Array(repeating: Self.vacant, count: Self.size(for: count * 2))
            used = 0
            for other in old where other < Self.removed { put(rehash(other), other) }
        }
        put(hash, position)
    }

    private mutating func put(_ hash: UInt64, _ position: UInt32) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != Self.vacant { slot = (slot + 1) & mask }
        slots[slot] = position
        used += 1
    }

    /// Removes a position with its hash.
    mutating func remove(_ hash: UInt64, _ position: UInt32) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != Self.vacant {
            if slots[slot] == position {
                slots[slot] = Self.removed
                return
            }
            slot = (slot + 1) & mask
        }
    }
}
