import BasicTypes
import Testing

@testable import BuildModel

@Suite struct BytePathTests {
    @Test(arguments: [("a/b", "a"), ("a", ""), ("/a", "/"), ("/", "/"), ("/a/b/c.py", "/a/b")])
    func parents(_ path: String, _ parent: String) { #expect(BytePath(path).parent == BytePath(parent)) }

    @Test(arguments: [
        ("a/../b", "b"), ("./a//b/.", "a/b"), ("/../x", "/x"), ("../x", "../x"), ("a/..", ""), ("/", "/"),
    ])
    func normalization(_ path: String, _ normal: String) { #expect(BytePath(path).normalized == BytePath(normal)) }

    @Test func containment() {
        #expect(BytePath("a/b").isWithin(BytePath("a")))
        #expect(!BytePath("ab").isWithin(BytePath("a")))
        #expect(BytePath("a").isWithin(.empty) && BytePath("/a").isWithin(BytePath("/")))
        #expect(BytePath("/r/a/b").relative(to: BytePath("/r")) == BytePath("a/b"))
        #expect(BytePath("/r").relative(to: BytePath("/r")) == .empty)
        #expect(BytePath("/x").relative(to: BytePath("/r")) == nil)
    }

    @Test func bytesAreKeptAndControlCharactersShown() throws {
        let odd = try #require(BytePath([0x61, 0xFF, 0x0A]))
        #expect(Array(odd.bytes) == [0x61, 0xFF, 0x0A])
        #expect(odd.description == "a\u{FFFD}\\n")
        #expect(odd.exactText == nil)
        #expect(BytePath([0x61, 0]) == nil)
        #expect(odd.withCString { BytePath(cString: $0) } == odd)
    }

    @Test func summariesAreSentences() {
        var report = WaveReport(clock: 1)
        (report.modules, report.compiled, report.restamped, report.upToDate, report.failed) = (7722, 7700, 12, 8, 2)
        report.duration = 2_310_000_000
        #expect(report.summary == "7722 modules: 7700 compiled, 12 restamped, 8 up to date, 2 failed in 2.31 s")
        #expect(WaveReport.seconds(4_400_000) == "0.004 s")
        #expect(WaveReport.seconds(99_999_999) == "0.100 s")
    }
}
