// Each encoding of line tables, entry by entry, and malformed tables.

import Testing

@testable import Bytecode

@Suite struct LineTableTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let format: LineTable.Format
        let bytes: [UInt8]
        var firstLine: Int32 = 10
        var codeLength = 20
        /// Start, end, line (0: none), last line.
        let expected: [[Int]]
        var testDescription: String { name }
    }

    @Test(arguments: [
        Case(name: "nothing", format: .locations, bytes: [], expected: []),
        Case(
            name: "short form, one unit: no step", format: .locations, bytes: [0x80, 0x12], expected: [[0, 2, 10, 10]]),
        Case(
            name: "one-line forms: steps of 0, 1 and 2", format: .locations,
            bytes: [0xD0, 1, 2, 0xDA, 1, 2, 0xE7, 1, 2],
            expected: [[0, 2, 10, 10], [2, 8, 11, 11], [8, 24, 13, 13]]),
        Case(
            name: "no columns: a signed step", format: .locations, bytes: [0xE8, 0x05, 0xE8, 0x04],
            expected: [[0, 2, 8, 8], [2, 4, 10, 10]]),
        Case(
            name: "long form: a step, more lines, columns", format: .locations, bytes: [0xF1, 0x02, 0x03, 0x01, 0x02],
            expected: [[0, 4, 11, 14]]),
        Case(name: "none", format: .locations, bytes: [0xF8, 0x80, 0], expected: [[0, 2, 0, 0], [2, 4, 10, 10]]),
        Case(
            name: "a number of two bytes", format: .locations, bytes: [0xE8, 0x40, 0x02], expected: [[0, 2, 74, 74]]),
        Case(name: "a number that does not end", format: .locations, bytes: [0xE8, 0x40], expected: []),
        Case(
            name: "a number of too many bytes", format: .locations,
            bytes: [0x80, 0, 0xE8, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x01], expected: [[0, 2, 10, 10]]),
        Case(
            name: "a line beyond 32 bits", format: .locations, bytes: [0xE8, 0x7E, 0x7F, 0x7F, 0x7F, 0x7F, 0x07],
            expected: []),
        Case(name: "no entry begins here", format: .locations, bytes: [0x00, 0x12], expected: [[0, 2, 10, 10]]),
        Case(
            name: "ranges", format: .ranges, bytes: [4, 0, 2, 1, 0, 5, 2, 0xFE, 6, 0x80, 2, 1],
            expected: [[0, 4, 10, 10], [4, 6, 11, 11], [6, 8, 14, 14], [8, 14, 0, 0], [14, 16, 15, 15]]),
        Case(name: "half a pair", format: .ranges, bytes: [4, 0, 2], expected: [[0, 4, 10, 10]]),
        Case(
            name: "signed steps", format: .signedSteps, bytes: [4, 1, 0, 1, 6, 0xFF],
            expected: [[0, 4, 10, 10], [4, 10, 12, 12], [10, 20, 11, 11]]),
        Case(
            name: "unsigned steps", format: .unsignedSteps, bytes: [4, 0xFF, 0, 0xFF, 6, 1],
            expected: [[0, 4, 10, 10], [4, 10, 520, 520], [10, 20, 521, 521]]),
        Case(name: "no steps", format: .signedSteps, bytes: [], expected: [[0, 20, 10, 10]]),
        Case(
            name: "steps beyond the code", format: .signedSteps, bytes: [18, 1, 18, 1, 18, 1],
            expected: [[0, 18, 10, 10], [18, 20, 11, 11]]),
        Case(name: "no code", format: .signedSteps, bytes: [2, 1], codeLength: 0, expected: [[0, 0, 10, 10]]),
    ])
    func entries(_ one: Case) {
        one.bytes.withUnsafeBytes { bytes in
            let table = LineTable(
                bytes, format: one.format, firstLine: one.firstLine, codeLength: one.codeLength)
            #expect(table.map { [$0.start, $0.end, $0.line ?? 0, $0.lastLine ?? 0] } == one.expected)
        }
    }

    @Test func spanIsOfLinesAboveZero() {
        let bytes: [UInt8] = [0xD0, 1, 2, 0xDB, 1, 2]
        bytes.withUnsafeBytes { bytes in
            #expect(LineTable.span(bytes, format: .locations, firstLine: 0, codeLength: 10) == 1...1)
            #expect(LineTable.span(bytes, format: .locations, firstLine: 5, codeLength: 10) == 5...6)
            #expect(LineTable.span(bytes, format: .locations, firstLine: -5, codeLength: 10) == nil)
            #expect(
                LineTable.span(bytes, format: .locations, firstLine: .max, codeLength: 10) == 2147483647...2147483647)
        }
    }

    @Test(
        arguments: [
            (.localsPlus, 3531, .locations), (.positionalOnly, 3439, .ranges), (.positionalOnly, 3425, .signedSteps),
            (.positionalOnly, 336, .signedSteps), (.keywordOnly, 3379, .signedSteps),
            (.keywordOnly, 3351, .unsignedSteps),
            (.python2, 62211, .unsignedSteps),
        ] as [(CodeLayout, UInt16, LineTable.Format)])
    func formats(_ layout: CodeLayout, _ magic: UInt16, _ expected: LineTable.Format) {
        #expect(LineTable.Format(layout, magicNumber: magic) == expected)
    }
}
