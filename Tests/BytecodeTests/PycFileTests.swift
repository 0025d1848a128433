// Files are decoded without knowing which Python wrote them, and the results agree with Python's own.

import Testing

@testable import Bytecode

@Suite struct PycFileTests {
    private static let limit = 4000

    private static func guess(_ bytes: [UInt8]) -> PycFile? { bytes.withUnsafeBytes { PycFile.guessing($0) } }

    private static func outlines(_ bytes: [UInt8], _ file: PycFile, limit: Int = limit) throws -> [CodeOutline] {
        let arena = try file.code.get()
        return bytes.withUnsafeBytes { bytes in
            var outliner = CodeOutliner(
                arena, body: PycFile.body(of: bytes, file.shape), magicNumber: file.magicNumber, limit: limit)
            return (0..<outliner.count).map { outliner.outline($0) }
        }
    }

    @Test(arguments: PycSample.all)
    func shapeIsFound(_ sample: PycSample) throws {
        let bytes = sample.bytes
        let file = try #require(Self.guess(bytes))
        #expect(file.shape == sample.shape && file.isWhole && file.hasMagicEnding)
        #expect(file.trailing == 0 && file.bodyLength == bytes.count - sample.shape.headerLength)
        let longer = try #require(Self.guess(bytes + [1, 2, 3]))
        #expect(longer.shape == sample.shape && longer.holdsCode && !longer.isWhole && longer.trailing == 3)
        // Truncated anywhere in the second half, a file is still recognized.
        for length in stride(from: bytes.count - 1, to: bytes.count / 2, by: -7) {
            let file = try #require(Self.guess(Array(bytes[..<length])))
            #expect(file.shape == sample.shape, "\(length) bytes")
            #expect(file.arena == nil)
        }
    }

    @Test(arguments: PycSample.all)
    func headerIsRead(_ sample: PycSample) throws {
        let header = try #require(Self.guess(sample.bytes)?.header)
        switch header.validation {
        case .timestamp(let seconds, let size):
            #expect(seconds == 1_714_564_800)
            #expect((size == nil) == (sample.shape.headerLength == 8))
        case .hash(_, let isChecked):
            #expect(isChecked == sample.version.hasPrefix("3.8"))
        }
    }

    @Test(arguments: PycSample.all)
    func linesAreThoseOfPython(_ sample: PycSample) throws {
        let outlines = try Self.outlines(sample.bytes, try #require(Self.guess(sample.bytes)))
        #expect(outlines.map(\.name) == sample.spans.map(\.name))
        #expect(outlines.map { $0.lines?.lowerBound } == sample.spans.map(\.first))
        #expect(outlines.map { $0.lines?.upperBound } == sample.spans.map(\.last))
        #expect(outlines.allSatisfy { $0.fileName == "s.py" })
    }

    @Test(arguments: PycSample.all)
    func constantsAreThoseOfPython(_ sample: PycSample) throws {
        let module = try Self.outlines(sample.bytes, try #require(Self.guess(sample.bytes)))[0]
        #expect(module.constants.count == sample.constants.count && module.constants.sameAs == nil)
        for (shown, expected) in zip(module.constants.items, sample.constants) {
            if let expected {
                #expect(shown.text == expected && shown.code == nil)
            } else {
                #expect(shown.type == "code" && shown.code != nil)
            }
        }
    }

    @Test(arguments: PycSample.all)
    func treeAndNames(_ sample: PycSample) throws {
        let outlines = try Self.outlines(sample.bytes, try #require(Self.guess(sample.bytes)))
        let byName = Dictionary(outlines.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let outer = try #require(byName["outer"])
        let inner = try #require(byName["Inner"])
        let method = try #require(byName["m"])
        let isPython2 = sample.shape.layout == .python2
        #expect(outer.parent == 0 && outer.depth == 1)
        #expect(inner.parent == outer.place && method.parent == inner.place && method.depth == 3)
        #expect(
            outer.arguments
                == (isPython2 ? "2 arguments, *args, **kwargs" : "2 arguments, 1 keyword-only, *args, **kwargs"))
        #expect(outer.flags.isFunction && !inner.flags.isFunction)
        #expect(method.flags.words(in: sample.shape.layout).contains("coroutine") == !isPython2)
        #expect(outer.names.items == ["g"])
        if !isPython2 {
            #expect(outer.locals.items.starts(with: ["x", "y", "z", "rest", "more"]))
            #expect(Set(outer.cells.items) == ["x", "rest", "Inner"])
        }
        #expect(outlines[0].names.items.starts(with: ["__doc__", "os", "o"]))
        let expected: String? = sample.shape.layout == .localsPlus ? "outer.<locals>.Inner.m" : nil
        #expect(method.qualifiedName == expected)
    }

    @Test func whatIsCutIsClosed() throws {
        let sample = try #require(PycSample.all.first { $0.version.hasPrefix("3.12") })
        let file = try #require(Self.guess(sample.bytes))
        for limit in 1..<120 {
            for outline in try Self.outlines(sample.bytes, file, limit: limit) {
                for constant in outline.constants.items {
                    #expect(constant.text.count < limit * 2 + 40)
                    if constant.type == "str" { #expect(constant.text.last == constant.text.first) }
                    if constant.type == "tuple" { #expect(constant.text.last == ")") }
                }
            }
        }
        let cut = try Self.outlines(sample.bytes, file, limit: 12)[0].constants.items
        #expect(cut.contains { $0.text == #"'doc\nof two…'"# }, "\(cut.map(\.text))")
        #expect(cut.contains { $0.text == "('x', -2.5, 1j, …)" }, "\(cut.map(\.text))")
    }

    @Test func whatIsTooShortOrNoneIsSaid() {
        #expect(Self.guess([]) == nil)
        #expect(Self.guess([1, 2, 3, 4, 5, 6, 7]) == nil)
        let text = Self.guess(Array("import os\nprint(os.getcwd())\n".utf8))
        #expect(text != nil && text?.hasMagicEnding == false)
        // Only a header, of 3.7 or later.
        let header = Self.guess([0xCB, 0x0D, 0x0D, 0x0A] + [UInt8](repeating: 0, count: 12))
        #expect(header?.shape.headerLength == 16 && header?.magicNumber == 3531 && header?.arena == nil)
    }

    @Test(arguments: [
        ("x.cpython-312.pyc", "x", "cpython-312", ""), ("x.cpython-312.opt-2.pyc", "x", "cpython-312", "2"),
        ("a.b.pypy39.pyc", "a.b", "pypy39", ""), ("x.cpython-34.pyo", "x", "cpython-34", ""),
        ("test_x.cpython-312-pytest-8.1.1.pyc", "test_x", "cpython-312-pytest-8.1.1", ""),
        ("x.opt-1.pyc", "x", "opt-1", ""), ("opt-1.cpython-39.pyc", "opt-1", "cpython-39", ""),
    ])
    func cacheNames(_ name: String, _ stem: String, _ tag: String, _ optimization: String) throws {
        let parsed = try #require(CacheName(ArraySlice(name.utf8)))
        #expect(String(decoding: parsed.stem, as: UTF8.self) == stem)
        #expect(parsed.tag == tag && parsed.optimization == optimization)
        // Names that we make are parsed back.
        if tag.hasPrefix("cpython-3") || tag.hasPrefix("pypy"), !name.hasSuffix("o"), !tag.contains("pytest") {
            let path = CachePath(cacheTag: tag, level: UInt8(optimization) ?? 0)
            #expect(path.fileName(source: ArraySlice((stem + ".py").utf8)) == Array(name.utf8))
        }
    }

    @Test(arguments: ["x.pyc", ".pyc", "x.py", "x.cpython-312.pyc.1234", ".cpython-312.pyc", "x..pyc", ""])
    func otherNames(_ name: String) {
        #expect(CacheName(ArraySlice(name.utf8)) == nil)
    }

    @Test(arguments: [
        ("cpython-312", "3.12"), ("cpython-36", "3.6"), ("pypy39", "3.9"), ("cpython-312-pytest-8.1.1", "3.12"),
        ("cpython-3", nil), ("none", nil), ("", nil),
    ])
    func versionsOfTags(_ tag: String, _ version: String?) {
        #expect(CacheName.version(ofTag: tag) == version)
    }
}
