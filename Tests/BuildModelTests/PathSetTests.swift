import BasicTypes
import Testing

@Suite struct PathSetTests {
    @Test func onlyTheTopmostPlacesAreKept() {
        let set = PathSet(["a/b", "a", "a-b", "a/b/c", "b/c.py", "b/c.py"].map { BytePath($0) })
        #expect(set.topmost == ["a", "a-b", "b/c.py"].map { BytePath($0) })
        #expect(!set.coversRoot)
        #expect(PathSet([BytePath("a"), .empty]).topmost == [.empty])
        #expect(PathSet([BytePath]()).isEmpty)
    }

    /// Every answer agrees with a comparison with each place.
    @Test func answersAgreeWithAComparisonToEveryPlace() {
        var generator = SystemRandomNumberGenerator()
        let words = ["a", "a-", "a0", "b", "é", "a.py", "-", "aa"]
        func path() -> BytePath {
            BytePath(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    words[Int.random(in: words.indices, using: &generator)]
                }
                .joined(separator: "/"))
        }
        for _ in 0..<300 {
            let places = (0..<Int.random(in: 0...6, using: &generator)).map { _ in path() }.filter {
                !$0.isEmpty || Bool.random(using: &generator)
            }
            let set = PathSet(places)
            for _ in 0..<50 {
                let path = path()
                #expect(set.covers(path) == places.contains { path.isWithin($0) }, "\(places) \(path)")
                #expect(
                    set.touches(path) == places.contains { path.isWithin($0) || $0.isWithin(path) },
                    "\(places) \(path)")
            }
        }
    }

    @Test func absolutePathsAreCoveredByTheRootDirectory() {
        #expect(PathSet([BytePath("/")]).covers(BytePath("/usr/lib")))
        #expect(!PathSet([BytePath("/usr")]).covers(BytePath("/usr2")))
        #expect(!PathSet([.empty]).covers(BytePath("/usr")))
    }
}
