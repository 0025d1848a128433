import BasicTypes
import Testing

@testable import FileWatching

@Suite struct WatchTableTests {
    private func table() -> WatchTable {
        var table = WatchTable(configurationFiles: ["pyproject.toml"])
        table.add(1, path: .empty, role: .sources)
        table.add(2, path: BytePath("p"), role: .sources)
        table.add(3, path: BytePath("p/q"), role: .sources)
        table.add(4, path: BytePath("p"), role: .artifacts)
        return table
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let event: InotifyEvent
        let hints: [TreeHint]
        let ended: Set<Int32>
        var testDescription: String { "\(String(decoding: event.name, as: UTF8.self)) \(event.mask.rawValue)" }

        init(_ watch: Int32, _ mask: InotifyEvent.Mask, _ name: String, _ hints: [TreeHint], ended: Set<Int32> = []) {
            event = InotifyEvent(watch: watch, mask: mask, name: Array(name.utf8))
            self.hints = hints
            self.ended = ended
        }
    }

    @Test(arguments: [
        Case(1, .closedAfterWriting, "a.py", [.source(BytePath("a.py"))]),
        Case(2, .movedTo, "m.py", [.source(BytePath("p/m.py"))]),
        Case(2, .deleted, "m.py", [.sourceDeleted(BytePath("p/m.py"))]),
        Case(2, .attributes, "m.py", [.source(BytePath("p/m.py"))]),
        Case(2, .created, "m.py", [.sourceBeingWritten(BytePath("p/m.py"))]),
        Case(2, .modified, "m.py", [.sourceBeingWritten(BytePath("p/m.py"))]),
        Case(2, .closedAfterWriting, "notes.txt", []),
        Case(2, .closedAfterWriting, ".gitignore", [.rulesChanged]),
        Case(2, .created, "link", [.importable(BytePath("p/link"))]), Case(2, .modified, "link", []),
        Case(1, .movedTo, "pyproject.toml", [.configurationTouched]),
        Case(1, .deleted, "pyproject.toml", [.configurationTouched]),
        Case(1, .modified, "pyproject.toml", []), Case(2, .closedAfterWriting, "pyproject.toml", []),
        Case(1, [.created, .isDirectory], "n", [.directoryAppeared(BytePath("n"))]),
        Case(1, [.movedTo, .isDirectory], "n", [.directoryAppeared(BytePath("n"))]),
        Case(1, [.movedFrom, .isDirectory], "p", [.directoryGone(BytePath("p"))], ended: [2, 3, 4]),
        Case(2, [.deleted, .isDirectory], "q", [.directoryGone(BytePath("p/q"))], ended: [3]),
        Case(2, [.deleted, .isDirectory], "__pycache__", [.artifact(directory: BytePath("p"), name: [])], ended: [4]),
        Case(3, [.created, .isDirectory], "__pycache__", [.artifact(directory: BytePath("p/q"), name: [])]),
        Case(4, .deleted, "m.x.pyc", [.artifact(directory: BytePath("p"), name: Array("m.x.pyc".utf8))]),
        Case(1, .deletedSelf, "", [.rootGone]), Case(1, .movedSelf, "", [.rootGone]),
        Case(1, .unmounted, "", [.rootGone]),
        Case(1, [.attributes, .isDirectory], "", []), Case(2, [.attributes, .isDirectory], "", []),
        Case(2, .deletedSelf, "", []), Case(99, .closedAfterWriting, "a.py", []),
        Case(-1, .overflowed, "", [.eventsLost]),
    ])
    func hints(_ one: Case) {
        var table = table()
        var ended: [Int32] = []
        #expect(table.hints(for: one.event, ended: &ended) == one.hints)
        #expect(Set(ended) == one.ended)
    }

    @Test func anEndedWatchIsForgotten() {
        var table = table()
        var ended: [Int32] = []
        _ = table.hints(for: InotifyEvent(watch: 2, mask: .ignored), ended: &ended)
        #expect(!table.isWatched(BytePath("p")) && table.directoryCount == 2)
        // The kernel does not reuse watch descriptors, but a moved directory keeps its watch: the new path replaces the old.
        table.add(3, path: BytePath("elsewhere"), role: .sources)
        #expect(!table.isWatched(BytePath("p/q")) && table.isWatched(BytePath("elsewhere")))
    }

    @Test func eventsAreDecodedAndRubbishIsNot() {
        func record(_ watch: Int32, _ mask: UInt32, _ name: [UInt8]) -> [UInt8] {
            var bytes: [UInt8] = []
            for word in [UInt32(bitPattern: watch), mask, 0, UInt32(name.count)] {
                withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
            }
            return bytes + name
        }
        let bytes = record(5, 0x8, [0x61, 0xFF, 0, 0]) + record(-1, 0x4000, [])
        let events = bytes.withUnsafeBytes { InotifyEvent.decode($0) }
        #expect(
            events == [
                InotifyEvent(watch: 5, mask: .closedAfterWriting, name: [0x61, 0xFF]),
                InotifyEvent(watch: -1, mask: .overflowed),
            ])
        for length in 0..<bytes.count { _ = bytes[..<length].withUnsafeBytes { InotifyEvent.decode($0) } }
        let endless = record(1, 8, []).dropLast(4) + [0xFF, 0xFF, 0xFF, 0x7F]
        #expect(Array(endless).withUnsafeBytes { InotifyEvent.decode($0) }.isEmpty)
    }
}

@Suite struct WatchTreeTests {
    /// After any additions, moves and removals, the table agrees with a model that searches all watches.
    @Test func whatLiesBelowADirectoryIsForgottenWithIt() {
        var generator = SystemRandomNumberGenerator()
        let paths = ["", "a", "a/b", "a/b/c", "a-b", "b", "b/c/d/e", "a/b/c/d"].map { BytePath($0) }
        for _ in 0..<200 {
            var table = WatchTable()
            var model: [Int32: BytePath] = [:]
            for _ in 0..<30 {
                let path = paths[Int.random(in: paths.indices, using: &generator)]
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    let gone = model.filter { $0.value.isWithin(path) }.keys
                    #expect(Set(table.removeTree(path)) == Set(gone))
                    for watch in gone { model[watch] = nil }
                } else {
                    let watch = Int32.random(in: 1...12, using: &generator)
                    table.add(watch, path: path, role: Bool.random(using: &generator) ? .sources : .artifacts)
                    model[watch] = path
                }
                #expect(table.watchCount == model.count)
            }
            _ = table.removeTree(.empty)
            #expect(table.watchCount == 0 && table.directoryCount == 0)
        }
    }

    /// Thousands of directories with one event each. Searching all watches for each event would take too long.
    @Test func aLargeTreeIsDeletedDirectoryByDirectory() {
        var table = WatchTable()
        table.add(1, path: .empty, role: .sources)
        let count: Int32 = 20_000
        for index in 0..<count { table.add(index + 2, path: BytePath("d\(index)"), role: .sources) }
        var ended: [Int32] = []
        for index in 0..<count {
            let event = InotifyEvent(watch: 1, mask: [.deleted, .isDirectory], name: Array("d\(index)".utf8))
            #expect(table.hints(for: event, ended: &ended) == [.directoryGone(BytePath("d\(index)"))])
        }
        #expect(ended.count == Int(count) && table.watchCount == 1)
    }
}
