import Testing

@testable import Bytecode

@Suite struct PycHeaderTests {
    @Test(arguments: [
        (16, PycValidation.timestamp(seconds: 0x1234_5678, size: 42)),
        (16, .hash(0x0123_4567_89ab_cdef, isChecked: true)),
        (16, .hash(1, isChecked: false)), (12, .timestamp(seconds: 1, size: 2)), (8, .timestamp(seconds: 7, size: nil)),
    ])
    func bytesAndBack(_ length: Int, _ validation: PycValidation) throws {
        let header = PycHeader(magic: 0x0a0d_0dcb, validation: validation)
        let bytes = header.bytes(length: length)
        #expect(bytes.count == length)
        #expect(bytes.withUnsafeBytes { PycHeader($0, length: length) } == header)
        for cut in 0..<length {
            #expect(bytes.prefix(cut).withUnsafeBytes { PycHeader($0, length: length) } == nil)
        }
    }

    @Test func knowsTheLayoutOfPEP552() {
        let header = PycHeader(magic: 0x0a0d_0dcb, validation: .timestamp(seconds: 0x0102_0304, size: 5))
        #expect(header.bytes(length: 16) == [0xcb, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 4, 3, 2, 1, 5, 0, 0, 0])
        let unknown: [UInt8] = [0xcb, 0x0d, 0x0d, 0x0a, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(unknown.withUnsafeBytes { PycHeader($0, length: 16) } == nil)
    }

    @Test(arguments: [
        ("m.py", "cpython-312", 0, "__pycache__", "m.cpython-312.pyc"),
        ("m.py", "cpython-312", 2, "__pycache__", "m.cpython-312.opt-2.pyc"),
        ("a.b.py", "pypy39", 0, "__pycache__", "a.b.pypy39.pyc"),
        (".py", "cpython-312", 0, "__pycache__", "py.cpython-312.pyc"),
        ("m.py", "", 0, "", "m.pyc"), ("m.py", "", 1, "", "m.pyo"), ("script", "", 2, "", "scripto"),
        ("script", "cpython-312", 1, "__pycache__", "scriptcpython-312.opt-1.pyc"),
    ])
    func cachePaths(_ source: String, _ tag: String, _ level: UInt8, _ directory: String, _ name: String) {
        let path = CachePath(cacheTag: tag, level: level)
        #expect(path.directory == directory)
        #expect(path.fileName(source: ArraySlice(source.utf8)) == Array(name.utf8))
    }
}
