import BasicTypes
import Testing

@testable import Impact

@Suite struct OutsideAssignmentsTests {
    @Test(arguments: [
        ("shop.money.RATE = 3\n", ["RATE"]),
        ("money.a == b\nmoney.c=d", ["c"]),
        ("plain = 1\n", []),
        ("setattr(money, \"RATE\", 3)\n", ["RATE"]),
        ("setattr(money, 'RATE', x=3)\n", ["RATE", "x"]),
        ("money.__dict__['A'] = 1\nother['B'] = 1\n", ["A"]),
        ("setattr(\n  money, 'A', 1)\n", []),
        ("a.ü = 1", ["ü"]),
        ("'", []), ("=", []), (".=", []), ("", []), ("a.b =", ["b"]), ("setattr('x'", ["x"]),
    ]) func namesThatAreSet(_ source: String, _ names: [String]) {
        let found = OutsideAssignments.assignedNames(in: Array(source.utf8))
        #expect(Set(found.map { String(decoding: $0, as: UTF8.self) }) == Set(names), "\(source)")
    }

    @Test func wordsAreFoundAnywhere() {
        func has(_ word: String, _ text: String) -> Bool {
            ByteSearch.contains(Array(word.utf8), in: Array(text.utf8))
        }
        #expect(has("abc", "abc") && has("abc", "xabc") && has("abc", "ababc") && has("c", "abc"))
        #expect(!has("abc", "ab") && !has("abc", "abxabx") && !has("abc", "") && !has("", "abc"))
    }
}
