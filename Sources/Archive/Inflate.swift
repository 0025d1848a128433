// Decompresses Deflate (RFC 1951). Written here because verifying a bundle must not start the Python that it came from; speed
// does not matter. Total: any bytes give contents or nothing.

/// Decompresses one file of an archive.
package struct Inflate {
    private let input: ArraySlice<UInt8>
    private let size: Int
    private var position: Int
    private var bits: UInt32 = 0
    private var bitCount = 0
    private var output: [UInt8] = []

    /// - Parameter size: of the contents, as the archive says.
    /// - Returns: `nil` if the input is not Deflate, or if there are more or fewer contents.
    package static func contents(of input: ArraySlice<UInt8>, size: Int) -> [UInt8]? {
        var inflate = Inflate(input: input, size: size)
        guard inflate.run(), inflate.output.count == size, inflate.position == input.endIndex else { return nil }
        return inflate.output
    }

    private init(input: ArraySlice<UInt8>, size: Int) {
        self.input = input
        self.size = size
        position = input.startIndex
        output.reserveCapacity(min(size, input.count &* 8))
    }

    private mutating func run() -> Bool {
        while true {
            guard let isLast = take(1), let type = take(2) else { return false }
            let isGood =
                switch type {
                case 0: stored()
                case 1: compressed(Self.fixedLiterals, Self.fixedDistances)
                case 2: dynamic()
                default: false
                }
            if !isGood { return false }
            if isLast == 1 { return true }
        }
    }

    /// The next bits, the lowest first.
    private mutating func take(_ count: Int) -> Int? {
        while bitCount < count {
            guard position < input.endIndex else { return nil }
            bits |= UInt32(input[position]) << UInt32(bitCount)
            position += 1
            bitCount += 8
        }
        defer {
            bits >>= UInt32(count)
            bitCount -= count
        }
        return Int(bits & (1 << UInt32(count) - 1))
    }

    private mutating func stored() -> Bool {
        bits = 0
        bitCount = 0
        guard let count = take(16), let complement = take(16), count == ~complement & 0xFFFF,
            count <= input.endIndex - position, count <= size - output.count
        else { return false }
        output += input[position..<position + count]
        position += count
        return true
    }

    /// Codes in canonical order (3.2.2): how many there are of each length, and their symbols.
    private struct Codes {
        var counts = [Int](repeating: 0, count: 16)
        var symbols: [Int] = []

        init?(_ lengths: [Int]) {
            for length in lengths { counts[length] += 1 }
            counts[0] = 0
            var left = 1
            for length in 1...15 {
                left = left << 1 - counts[length]
                if left < 0 { return nil }
            }
            for length in 1...15 { symbols += lengths.indices.filter { lengths[$0] == length } }
        }
    }

    private mutating func symbol(_ codes: Codes) -> Int? {
        var (code, first, index) = (0, 0, 0)
        for length in 1...15 {
            guard let bit = take(1) else { return nil }
            code |= bit
            let count = codes.counts[length]
            if code - count < first { return codes.symbols[index + code - first] }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        return nil
    }

    private static let fixedLiterals = Codes(
        (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
    private static let fixedDistances = Codes([Int](repeating: 5, count: 30))

    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    private mutating func dynamic() -> Bool {
        guard let literals = take(5), let distances = take(5), let count = take(4), literals <= 29, distances <= 29
        else {
            return false
        }
        var lengths = [Int](repeating: 0, count: 19)
        for place in 0..<count + 4 {
            guard let length = take(3) else { return false }
            lengths[Self.order[place]] = length
        }
        guard let codes = Codes(lengths) else { return false }
        var all: [Int] = []
        let total = literals + 257 + distances + 1
        while all.count < total {
            guard let symbol = symbol(codes) else { return false }
            if symbol < 16 {
                all.append(symbol)
                continue
            }
            guard symbol > 16 || !all.isEmpty else { return false }
            let value = symbol == 16 ? all[all.count - 1] : 0
            let (base, extra) = symbol == 16 ? (3, 2) : symbol == 17 ? (3, 3) : (11, 7)
            guard let more = take(extra), all.count + base + more <= total else { return false }
            all += [Int](repeating: value, count: base + more)
        }
        guard all[256] > 0, let first = Codes(Array(all[..<(literals + 257)])),
            let second = Codes(Array(all[(literals + 257)...]))
        else { return false }
        return compressed(first, second)
    }

    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145,
        8193, 12289, 16385, 24577,
    ]

    private mutating func compressed(_ literals: Codes?, _ distances: Codes?) -> Bool {
        guard let literals, let distances else { return false }
        while true {
            guard let symbol = symbol(literals) else { return false }
            if symbol == 256 { return true }
            if symbol < 256 {
                guard output.count < size else { return false }
                output.append(UInt8(symbol))
                continue
            }
            let place = symbol - 257
            guard place < Self.lengthBases.count, let extra = take(place < 8 || place == 28 ? 0 : (place - 4) / 4),
                let code = self.symbol(distances), code < Self.distanceBases.count,
                let more = take(code < 4 ? 0 : (code - 2) / 2)
            else { return false }
            let (length, distance) = (Self.lengthBases[place] + extra, Self.distanceBases[code] + more)
            guard distance <= output.count, length <= size - output.count else { return false }
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }
}
