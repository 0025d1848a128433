// SipHash (Aumasson and Bernstein 2012).
//
// Implemented here because no module in use provides it. CPython's `_imp.source_hash` is SipHash-1-3 (2-4 before 3.11)
// with the magic number as its key, and staleness is judged without running Python. The 128-bit form is used for
// fingerprints of contents.

package enum SipHash {
    private struct State {
        var v0: UInt64
        var v1: UInt64
        var v2: UInt64
        var v3: UInt64

        @inline(__always)
        init(_ k0: UInt64, _ k1: UInt64) {
            v0 = k0 ^ 0x736f_6d65_7073_6575
            v1 = k1 ^ 0x646f_7261_6e64_6f6d
            v2 = k0 ^ 0x6c79_6765_6e65_7261
            v3 = k1 ^ 0x7465_6462_7974_6573
        }

        @inline(__always)
        private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
            (value &<< bits) | (value &>> (64 &- bits))
        }

        @inline(__always)
        mutating func round() {
            v0 = v0 &+ v1
            v1 = Self.rotated(v1, 13) ^ v0
            v0 = Self.rotated(v0, 32)
            v2 = v2 &+ v3
            v3 = Self.rotated(v3, 16) ^ v2
            v0 = v0 &+ v3
            v3 = Self.rotated(v3, 21) ^ v0
            v2 = v2 &+ v1
            v1 = Self.rotated(v1, 17) ^ v2
            v2 = Self.rotated(v2, 32)
        }

        @inline(__always)
        mutating func absorb(_ word: UInt64, rounds: Int) {
            v3 ^= word
            for _ in 0..<rounds { round() }
            v0 ^= word
        }

        /// Absorbs the whole message and its length.
        @inline(__always)
        mutating func absorb(_ bytes: UnsafeRawBufferPointer, rounds: Int) {
            let whole = bytes.count & ~7
            var offset = 0
            while offset < whole {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                absorb(word, rounds: rounds)
                offset &+= 8
            }
            var last = UInt64(truncatingIfNeeded: bytes.count) &<< 56
            var shift: UInt64 = 0
            while offset < bytes.count {
                last |= UInt64(bytes[offset]) &<< shift
                shift &+= 8
                offset &+= 1
            }
            absorb(last, rounds: rounds)
        }

        @inline(__always)
        mutating func finish(rounds: Int) -> UInt64 {
            for _ in 0..<rounds { round() }
            return v0 ^ v1 ^ v2 ^ v3
        }
    }

    /// SipHash-1-3, 64 bits, of a message that comes in pieces.
    package struct Stream13 {
        private var state: State
        /// The last bytes, fewer than eight, in the order of a little-endian number.
        private var rest: UInt64 = 0
        private var count: UInt64 = 0

        package init(key: (UInt64, UInt64)) {
            state = State(key.0, key.1)
        }

        package mutating func add(_ piece: [UInt8]) { piece.withUnsafeBytes { add($0) } }

        package mutating func add(_ piece: UnsafeRawBufferPointer) {
            var offset = 0
            while offset < piece.count, count & 7 != 0 {
                add(piece[offset])
                offset &+= 1
            }
            while offset &+ 8 <= piece.count {
                let word = UInt64(littleEndian: piece.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                state.absorb(word, rounds: 1)
                count &+= 8
                offset &+= 8
            }
            while offset < piece.count {
                add(piece[offset])
                offset &+= 1
            }
        }

        private mutating func add(_ byte: UInt8) {
            rest |= UInt64(byte) &<< (8 &* (count & 7))
            count &+= 1
            if count & 7 == 0 {
                state.absorb(rest, rounds: 1)
                rest = 0
            }
        }

        package func finished() -> UInt64 {
            var state = state
            state.absorb(rest | count &<< 56, rounds: 1)
            state.v2 ^= 0xFF
            return state.finish(rounds: 3)
        }
    }

    /// SipHash-1-3, 64 bits.
    package static func hash13(_ bytes: UnsafeRawBufferPointer, key: (UInt64, UInt64)) -> UInt64 {
        var state = State(key.0, key.1)
        state.absorb(bytes, rounds: 1)
        state.v2 ^= 0xFF
        return state.finish(rounds: 3)
    }

    /// SipHash-2-4, 64 bits.
    package static func hash24(_ bytes: UnsafeRawBufferPointer, key: (UInt64, UInt64)) -> UInt64 {
        var state = State(key.0, key.1)
        state.absorb(bytes, rounds: 2)
        state.v2 ^= 0xFF
        return state.finish(rounds: 4)
    }

    /// SipHash-2-4, 128 bits.
    package static func hash128(_ bytes: UnsafeRawBufferPointer, key: (UInt64, UInt64)) -> (UInt64, UInt64) {
        var state = State(key.0, key.1)
        state.v1 ^= 0xEE
        state.absorb(bytes, rounds: 2)
        state.v2 ^= 0xEE
        let first = state.finish(rounds: 4)
        state.v1 ^= 0xDD
        return (first, state.finish(rounds: 4))
    }
}
