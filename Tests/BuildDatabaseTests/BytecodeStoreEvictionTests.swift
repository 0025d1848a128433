import BuildModel
import LinuxSystem
import Testing

@testable import BuildDatabase

/// The store stays within its limit by removing the least recently used entries.
@Suite struct BytecodeStoreEvictionTests {
    /// Created for each test, and removed after it.
    private let scratch: StoreScratch

    init() throws {
        scratch = try StoreScratch()
    }

    /// Each entry takes a block of 4,096 bytes.
    private static let block: Int64 = 4096

    private func fill(_ store: BytecodeStore, _ numbers: Range<UInt64>) throws {
        for number in numbers {
            store.save(StoreSamples.key(number), StoreSamples.code(number))
            // Entries with higher numbers are newer.
            try StoreScratch.setAge(
                StoreSamples.place(StoreSamples.key(number), in: scratch.store), seconds: 3000 - Int64(number))
        }
    }

    private func kept(_ store: BytecodeStore, _ numbers: Range<UInt64>) -> [UInt64] {
        numbers.filter { store.load(StoreSamples.key($0)) == StoreSamples.code($0) }
    }

    private var usage: Int64? {
        Host.contents(scratch.store.appending(StoreUsage.name)).flatMap { StoreUsage.decode($0) }
    }

    @Test func theOldestGoFirstDownToFourFifths() throws {
        let store = try BytecodeStore.open(scratch.store, limit: 100 * Self.block)
        try fill(store, 0..<100)
        store.evictIfNeeded()
        #expect(store.measure() == (100, 100 * Self.block))
        #expect(usage == 100 * Self.block)
        try fill(store, 100..<101)
        store.evictIfNeeded()
        #expect(kept(store, 0..<101) == Array(21..<101))
        #expect(store.measure() == (80, 80 * Self.block))
        #expect(usage == 80 * Self.block)
    }

    @Test func whatWasLoadedIsYounger() throws {
        let store = try BytecodeStore.open(scratch.store, limit: 10 * Self.block)
        try fill(store, 0..<10)
        let first = StoreSamples.place(StoreSamples.key(0), in: scratch.store)
        try StoreScratch.setAge(first, seconds: 1_000_000)
        #expect(store.load(StoreSamples.key(0)) != nil)
        try fill(store, 10..<11)
        store.evictIfNeeded()
        #expect(kept(store, 0..<11) == [0] + Array(4..<11))
    }

    /// A store whose entries do not fit into memory is evicted in groups of shards.
    @Test func groupsKeepTheirPart() throws {
        let limit = 200 * Self.block
        let store = try BytecodeStore.open(scratch.store, limit: limit)
        try fill(store, 0..<400)
        for mostHeld in [1, 10, 150] {
            let left = store.sweep(store.root, mostHeld: mostHeld)
            #expect(left <= limit && left == store.measure().bytes)
        }
        #expect(store.measure().entries > 20)
    }

    /// If there is no time to remove entries, the store stays over its limit, and the next run that saves something continues.
    @Test func whatTimeIsTooShortForIsLeftToTheNextRun() throws {
        let store = try BytecodeStore.open(scratch.store, limit: 10 * Self.block)
        try fill(store, 0..<20)
        #expect(store.sweep(store.root, removalTime: 0) == 20 * Self.block)
        #expect(store.measure().entries == 20)
        store.evictIfNeeded()
        #expect(kept(store, 0..<20) == Array(12..<20))
    }

    @Test func nothingSavedNothingLookedAt() throws {
        let store = try BytecodeStore.open(scratch.store, limit: 10 * Self.block)
        try fill(store, 0..<5)
        store.evictIfNeeded()
        let usageFile = scratch.store.appending(StoreUsage.name)
        try StoreScratch.write(Array("{\"bytes\":999999999}\n".utf8), to: usageFile)
        let before = try Host.status(usageFile)
        store.evictIfNeeded()
        #expect(try Host.status(usageFile) == before)
        // An estimate that is far too high only causes a count.
        try fill(store, 5..<6)
        store.evictIfNeeded()
        #expect(usage == 6 * Self.block && store.measure().entries == 6)
    }

    @Test func anEstimateWithoutSenseIsCountedAnew() throws {
        let store = try BytecodeStore.open(scratch.store, limit: 100 * Self.block)
        let usageFile = scratch.store.appending(StoreUsage.name)
        let rubbish = [
            "", "{", "{}", "[]\n", "{\"bytes\":-1}\n", "{\"bytes\":1}", "{\"bytes\":1}\n\n", "{\"bytes\":1e3}\n",
            "{\"bytes\":9223372036854775808}\n", "{\"bytes\":9223372036854775807}\n", "\u{0}",
            String(repeating: "{\"bytes\":", count: 1000),
        ]
        for (index, text) in rubbish.enumerated() {
            try StoreScratch.write(Array(text.utf8), to: usageFile)
            try fill(store, UInt64(index)..<UInt64(index + 1))
            store.evictIfNeeded()
            #expect(usage == Int64(index + 1) * Self.block, "after \(text.prefix(40))")
        }
        _ = try Directory(path: scratch.store).removeFile(StoreUsage.name)
        try fill(store, 50..<51)
        store.evictIfNeeded()
        #expect(usage == Int64(rubbish.count + 1) * Self.block)
    }

    @Test func whatIsNoUsageFileIsLeftAlone() throws {
        let store = try BytecodeStore.open(scratch.store, limit: 4 * Self.block)
        let usageFile = scratch.store.appending(StoreUsage.name)
        let target = scratch.path.appending("target")
        try StoreScratch.write([1, 2, 3], to: target)
        for make in [
            { StoreScratch.makeLink(usageFile, to: target) }, { StoreScratch.makeFIFO(usageFile) },
        ] {
            _ = try Directory(path: scratch.store).removeFile(StoreUsage.name)
            make()
            try fill(store, 0..<3)
            store.evictIfNeeded()
            #expect(kept(store, 0..<3).count == 3)
        }
        #expect(Host.contents(target) == [1, 2, 3])
    }

    @Test func whoeverHoldsTheLockCountsForOthers() throws {
        let stores = try (0..<2).map { _ in try BytecodeStore.open(scratch.store, limit: 4 * Self.block) }
        try fill(stores[0], 0..<8)
        let held = try #require(try StoreUsage(in: stores[1].root, user: stores[1].user))
        stores[0].evictIfNeeded()
        #expect(kept(stores[0], 0..<8).count == 8)
        try held.write(stores[1].sweep(stores[1].root))
        #expect(kept(stores[0], 0..<8) == [5, 6, 7])
    }

    @Test func temporaryFilesOfTheKilledGo() throws {
        let store = try BytecodeStore.open(scratch.store, limit: 4 * Self.block)
        try fill(store, 0..<1)
        let shard = StoreSamples.place(StoreSamples.key(0), in: scratch.store).parent
        for (name, age) in [(".new-1-2-3", 4000), (".new-1-2-4", 100), ("notes", 9000), (".hidden", 9000)]
            as [(String, Int64)]
        {
            try StoreScratch.write([1], to: shard.appending(name))
            try StoreScratch.setAge(shard.appending(name), seconds: age)
        }
        #expect(store.measure() == (1, 3 * Self.block))
        #expect(store.sweep(store.root) == 2 * Self.block)
        #expect(!StoreScratch.exists(shard.appending(".new-1-2-3")))
        for name in [".new-1-2-4", "notes", ".hidden"] { #expect(StoreScratch.exists(shard.appending(name))) }
    }

    @Test func largeEntriesDoNotDriveOutTheRest() throws {
        let store = try BytecodeStore.open(scratch.store, limit: 8 * 10_000)
        store.save(StoreSamples.key(1), StoreSamples.code(1, size: 10_001))
        store.save(StoreSamples.key(2), StoreSamples.code(2, size: 9_000))
        #expect(store.load(StoreSamples.key(1)) == nil && store.load(StoreSamples.key(2)) != nil)
        #expect(store.notice == nil)
        let none = try BytecodeStore.open(scratch.store, limit: 0)
        none.save(StoreSamples.key(3), StoreSamples.code(3))
        #expect(none.load(StoreSamples.key(3)) == nil)
    }
}
