import BasicTypes
import Testing

@Suite struct SipHashTests {
    private static let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

    private func hash(_ length: Int, _ function: (UnsafeRawBufferPointer, (UInt64, UInt64)) -> UInt64) -> UInt64 {
        (0..<length).map { UInt8($0) }.withUnsafeBytes { function($0, Self.key) }
    }

    /// From the reference implementation's vectors (vectors_sip64, read little-endian).
    @Test func sipHash24MatchesTheReference() {
        #expect(hash(0) { SipHash.hash24($0, key: $1) } == 0x726f_db47_dd0e_0e31)
        #expect(hash(1) { SipHash.hash24($0, key: $1) } == 0x74f8_39c5_93dc_67fd)
        #expect(hash(8) { SipHash.hash24($0, key: $1) } == 0x93f5_f579_9a93_2462)
        #expect(hash(15) { SipHash.hash24($0, key: $1) } == 0xa129_ca61_49be_45e5)
    }

    /// From vectors_sip128.
    @Test func sipHash128MatchesTheReference() {
        let (first, second) = [UInt8]().withUnsafeBytes { SipHash.hash128($0, key: Self.key) }
        #expect(first == 0xe6a8_25ba_047f_81a3)
        #expect(second == 0x9302_55c7_1472_f66d)
    }

    /// The results of `importlib.util.source_hash(b"freshpyc")` in CPython 3.12.1 and 3.8.18.
    @Test func matchesCPython() {
        let sample = Array("freshpyc".utf8)
        let new = sample.withUnsafeBytes { SipHash.hash13($0, key: (0x0a0d_0dcb, 0)) }
        let old = sample.withUnsafeBytes { SipHash.hash24($0, key: (0x0a0d_0d55, 0)) }
        #expect(new.byteSwapped == 0xb22b_81b8_800f_8449)
        #expect(old.byteSwapped == 0xd2ca_6f23_399b_976c)
    }

    /// However a message is cut into pieces, its hash is the same.
    @Test func piecesHashLikeTheWhole() {
        let message = (0..<67).map { UInt8($0 &* 37 & 0xFF) }
        for length in [0, 1, 7, 8, 9, 16, 67] {
            let whole = message.prefix(length).withContiguousStorageIfAvailable {
                SipHash.hash13(UnsafeRawBufferPointer($0), key: Self.key)
            }
            for step in [1, 2, 3, 5, 7, 8, 9, 64, 100] {
                var stream = SipHash.Stream13(key: Self.key)
                stream.add([])
                for start in stride(from: 0, to: length, by: step) {
                    stream.add(Array(message[start..<min(start + step, length)]))
                }
                #expect(stream.finished() == whole, "\(length) bytes in steps of \(step)")
            }
        }
    }
}
