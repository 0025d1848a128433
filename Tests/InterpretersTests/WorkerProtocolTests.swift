import BasicTypes
import BuildModel
import Testing

@testable import Interpreters

@Suite struct WorkerProtocolTests {
    private func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    private func text(_ value: String) -> [UInt8] { word(UInt32(value.utf8.count)) + Array(value.utf8) }

    private var reply: [UInt8] {
        word(7) + [1] + word(1234) + word(1) + [0] + word(3) + word(5) + word(3) + word(9) + text("SyntaxError")
            + text("bad")
            + [1, 2, 3]
    }

    @Test func repliesAreRead() throws {
        guard case .reply(let reply) = WorkerFrame(payload: reply[...]) else {
            Issue.record("not a reply")
            return
        }
        #expect(reply.identifier == 7 && reply.isFailure && reply.microseconds == 1234 && reply.code == [1, 2, 3])
        #expect(
            reply.diagnostics == [
                Diagnostic(
                    .syntaxError, .error, line: 3, column: 5, endLine: 3, endColumn: 9, type: "SyntaxError",
                    message: "bad")
            ])
    }

    @Test func requestsAreFrames() {
        var request = CompileRequest(
            identifier: 7, level: .asserts, wantsCode: true, fileName: BytePath("a.py"), source: [1, 2])
        var frames: [UInt8] = []
        request.write(to: &frames, levelIsFixed: false)
        let first = word(16) + word(7) + [1, 1] + text("a.py") + [1, 2]
        #expect(frames == first)
        request.printing = .init(hasLines: true, warningOptions: BytePath("error"))
        request.write(to: &frames, levelIsFixed: true)
        #expect(frames == first + word(25) + word(7) + [255, 7] + text("a.py") + text("error") + [1, 2])
    }

    @Test func cutRepliesAreRefused() {
        for length in 0..<(reply.count - 3) {
            #expect(WorkerFrame(payload: reply[..<length]) == nil, "\(length)")
        }
    }

    @Test(arguments: [
        ("SyntaxError", "invalid syntax", Rule.syntaxError), ("TabError", "inconsistent", .syntaxError),
        ("SyntaxError", "(unicode error) 'utf-8' codec can't decode byte 0xff", .undecodable),
        ("SyntaxError", "(unicode error) 'unicodeescape' codec can't decode bytes in position 0-1", .syntaxError),
        ("SyntaxError", "unknown encoding: x", .undecodable), ("SyntaxError", "encoding problem: x", .undecodable),
        ("ValueError", "source code string cannot contain null bytes", .nullBytes),
        ("RecursionError", "deep", .compilerError),
        ("MemoryError", "MemoryError", .compilerError),
    ])
    func errorsHaveRules(_ type: String, _ message: String, _ rule: Rule) {
        let frame =
            word(1) + [1] + word(0) + word(1) + [0] + word(0) + word(0) + word(0) + word(0) + text(type) + text(message)
        guard case .reply(let reply) = WorkerFrame(payload: frame[...]) else {
            Issue.record("not a reply")
            return
        }
        #expect(reply.diagnostics.first?.rule == rule)
    }

    @Test func versionsAreOrderedAndCover() throws {
        let short = try #require(PythonVersion("3.9"))
        let long = try #require(PythonVersion("3.12.1"))
        #expect(short < long && !short.covers(long) && PythonVersion("3.12")?.covers(long) == true)
        #expect(PythonVersion("3.x") == nil && PythonVersion("") == nil && PythonVersion("1.2.3.4") == nil)
    }
}
