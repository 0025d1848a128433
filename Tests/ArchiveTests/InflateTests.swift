import Archive
import Testing

@Suite struct InflateTests {
    private static let text = Array((0..<60).map { String(($0 * $0 * 7 + $0 / 3) % 13, radix: 16) }.joined().utf8)
    /// The text, as zlib compresses it, with codes of its own.
    private static let deflated: [UInt8] = [
        0x6D, 0xCA, 0x41, 0x01, 0x00, 0x20, 0x08, 0x03, 0xC0, 0x4A, 0xC0, 0xC0, 0x61, 0x1C, 0x46, 0xFF, 0x0E, 0x16,
        0xF0, 0xDE, 0x67, 0x8C, 0xBD, 0x24, 0x5B, 0x5E, 0x4A, 0x11, 0xB6, 0x92, 0x45, 0x4D, 0x34, 0xC4, 0x42, 0x20,
        0xCF, 0xF8, 0xB1, 0x5F, 0x7B,
    ]

    @Test(
        arguments: [
            ([3, 0], ""), ([0xCB, 0x48, 0xCD, 0xC9, 0xC9, 7, 0], "hello"), ([1, 2, 0, 0xFD, 0xFF, 0x68, 0x69], "hi"),
            ([0x4B, 0x4C, 0x44, 5, 0], "aaaaaaaaaaaaaaaa"),
        ] as [([UInt8], String)])
    func knownContents(_ input: [UInt8], _ text: String) {
        #expect(Inflate.contents(of: input[...], size: text.utf8.count) == Array(text.utf8))
        #expect(Inflate.contents(of: input[...], size: text.utf8.count + 1) == nil)
        if !text.isEmpty { #expect(Inflate.contents(of: input[...], size: text.utf8.count - 1) == nil) }
        #expect(Inflate.contents(of: (input + [0])[...], size: text.utf8.count) == nil)
        for count in 0..<input.count { #expect(Inflate.contents(of: input[..<count], size: text.utf8.count) == nil) }
    }

    @Test func codesOfItsOwn() {
        #expect(Inflate.contents(of: Self.deflated[...], size: Self.text.count) == Self.text)
        for count in 0..<Self.deflated.count {
            #expect(Inflate.contents(of: Self.deflated[..<count], size: Self.text.count) == nil)
        }
    }

    /// Any bytes give contents of the right size, or nothing.
    @Test func anyBytes() {
        for round in 0..<20_000 {
            var input =
                round % 2 == 0 ? Self.deflated : (0..<Int.random(in: 0...80)).map { _ in UInt8.random(in: 0...255) }
            if round % 2 == 0 { input[Int.random(in: 0..<input.count)] = UInt8.random(in: 0...255) }
            let size = Int.random(in: 0...1000)
            if let contents = Inflate.contents(of: input[...], size: size) { #expect(contents.count == size) }
        }
    }
}
