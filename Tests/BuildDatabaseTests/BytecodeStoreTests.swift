import BasicTypes
import BuildModel
import Dispatch
import LinuxSystem
import Synchronization
import Testing

@testable import BuildDatabase

/// Saved code is loaded unchanged or not at all.
@Suite struct BytecodeStoreTests {
    /// Created for each test, and removed after it.
    private let scratch: StoreScratch

    init() throws {
        scratch = try StoreScratch()
    }

    private static let limit: Int64 = 1 << 30

    @Test func whatIsSavedComesBack() throws {
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        #expect(store.load(StoreSamples.key(1)) == nil)
        var codes = [0, 1, 7, 8, 9, 4095, 4096, 100_000].map { StoreSamples.code(UInt64($0), size: $0) }
        codes[3].diagnostics = StoreSamples.warnings
        codes[4].fileName = 0..<9
        codes[5].fileName = 4095..<4095
        codes[6].microseconds = .max
        for (number, code) in codes.enumerated() { store.save(StoreSamples.key(UInt64(number)), code) }
        #expect(store.notice == nil)
        let other = try BytecodeStore.open(scratch.store, limit: Self.limit)
        for (number, code) in codes.enumerated() {
            #expect(store.load(StoreSamples.key(UInt64(number))) == code)
            #expect(other.load(StoreSamples.key(UInt64(number))) == code)
            #expect(store.load(StoreSamples.key(UInt64(number), level: .asserts)) == nil)
        }
        let (entries, bytes) = store.measure()
        #expect(entries == codes.count && bytes == 5 * 4096 + 2 * 8192 + 102_400)
        for name in try scratch.files() {
            let status = try Host.status(scratch.store.appending(name), followsLinks: false)
            #expect(status?.permissions == 0o600)
        }
        #expect(try Host.status(scratch.store)?.permissions == 0o700)
        // The last save wins.
        store.save(StoreSamples.key(0), StoreSamples.code(99))
        #expect(other.load(StoreSamples.key(0)) == StoreSamples.code(99))
    }

    @Test func everythingThatDecidesTheCodeIsInTheKey() {
        let source = Fingerprint(high: 1, low: 2)
        var keys = [
            StoreKey(source: source, interpreter: StoreSamples.interpreter, level: .none),
            StoreKey(source: source, interpreter: StoreSamples.interpreter, level: .asserts),
            StoreKey(source: Fingerprint(high: 1, low: 3), interpreter: StoreSamples.interpreter, level: .none),
            StoreKey(source: Fingerprint(high: 2, low: 1), interpreter: StoreSamples.interpreter, level: .none),
        ]
        let changes: [(inout Interpreter) -> Void] = [
            { $0.version = "3.12.2" }, { $0.implementation = "pypy" }, { $0.cacheTag = "cpython-3121" },
            { $0.magic += 1 }, { $0.codeLayout = "" },
            // Characters that move from one text to the next.
            { ($0.version, $0.cacheTag) = ("3.12.1c", "python-312") },
            { ($0.cacheTag, $0.codeLayout) = ("cpython-31", "2locals-plus") },
        ]
        for change in changes {
            var interpreter = StoreSamples.interpreter
            change(&interpreter)
            keys.append(StoreKey(source: source, interpreter: interpreter, level: .none))
        }
        #expect(Set(keys).count == keys.count)
        #expect(Set(keys.map(\.address)).count == keys.count)
        // The path of an interpreter and the layout of its headers are not in the key.
        var interpreter = StoreSamples.interpreter
        interpreter.path = BytePath("/opt/python")
        interpreter.executable.inode = 99
        interpreter.opcodes = [1]
        interpreter.standardLibrary = "abc"
        #expect(StoreKey(source: source, interpreter: interpreter, level: .none) == keys[0])
    }

    @Test func namesAreReadAsTheyAreWritten() {
        for number in 0..<100 {
            let address = StoreSamples.key(UInt64(number)).address
            #expect(address.name.count == 30)
            #expect(address.name.withCString { StoreAddress(shard: address.shard, name: $0) } == address)
        }
        for name in ["", "0", String(repeating: "0", count: 29), String(repeating: "0", count: 31)] {
            #expect(BytePath(name).withCString { StoreAddress(shard: 0, name: $0) } == nil)
        }
        #expect(
            BytePath(String(repeating: "0", count: 29) + "A").withCString { StoreAddress(shard: 0, name: $0) } == nil)
        #expect(StoreAddress.shardName(0x0a).description == "0a")
    }

    /// Truncated anywhere or with any bit flipped, an entry is not loaded, and it is removed.
    @Test func whatIsDamagedIsNeverLoaded() throws {
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        let key = StoreSamples.key(1)
        var code = StoreSamples.code(1)
        code.diagnostics = StoreSamples.warnings
        store.save(key, code)
        let place = StoreSamples.place(key, in: scratch.store)
        let whole = try #require(Host.contents(place))
        func isTaken(_ bytes: [UInt8]) throws -> Bool {
            try StoreScratch.write(bytes, to: place)
            return store.load(key) != nil || StoreScratch.exists(place)
        }
        for length in whole.indices where try isTaken(Array(whole[..<length])) {
            Issue.record("cut at \(length)")
        }
        for index in whole.indices {
            for bit in 0..<8 {
                var flipped = whole
                flipped[index] ^= 1 << UInt8(bit)
                if try isTaken(flipped) { Issue.record("flipped at \(index), bit \(bit)") }
            }
        }
        #expect(try !isTaken(whole + [0]))
        #expect(try !isTaken(whole + whole))
        #expect(try !isTaken(Array(repeating: 0xFF, count: 1000)))
        try StoreScratch.write(whole, to: place)
        #expect(store.load(key) == code)
    }

    /// Heads with valid hashes and invalid contents.
    @Test func whatIsForgedIsNoTrap() {
        let key = StoreSamples.key(1)
        let body = StoreSamples.code(1).body
        for range in [0..<41, 40..<41, -1..<3] {
            let code = StoredCode(body: body, fileName: range, diagnostics: [], microseconds: 0)
            #expect(StoreEntry.head(key, code) == nil)
        }
        // Only the range of the file name is invalid.
        for (lower, upper) in [(0, 41), (41, 41), (9, 3), (UInt32.max, 1), (1, UInt32.max)] as [(UInt32, UInt32)] {
            let bytes = StoreEntry.forged(key, body: body, lower: lower, upper: upper, diagnostics: 0)
            #expect(StoreEntry.decode(bytes, for: key) == nil)
        }
        #expect(
            StoreEntry.decode(StoreEntry.forged(key, body: body, lower: 3, upper: 9, diagnostics: 0), for: key) != nil)
        for count in [1, 2, UInt32.max] {
            let bytes = StoreEntry.forged(key, body: body, lower: 3, upper: 9, diagnostics: count)
            #expect(StoreEntry.decode(bytes, for: key) == nil)
        }
    }

    @Test func anEntryUnderAnotherNameIsNone() throws {
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        let (first, second) = (StoreSamples.key(1), StoreSamples.key(2))
        store.save(first, StoreSamples.code(1))
        store.save(second, StoreSamples.code(2))
        let place = StoreSamples.place(second, in: scratch.store)
        StoreScratch.move(StoreSamples.place(first, in: scratch.store), to: place)
        #expect(store.load(second) == nil && store.load(first) == nil)
        #expect(!StoreScratch.exists(place))
    }

    @Test func theTimeOfUseIsRefreshedOnceAnHour() throws {
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        let key = StoreSamples.key(1)
        store.save(key, StoreSamples.code(1))
        let place = StoreSamples.place(key, in: scratch.store)
        for (age, isRefreshed) in [(0, false), (3000, false), (4000, true), (-3000, false), (-9000, true)]
            as [(Int64, Bool)]
        {
            try StoreScratch.setAge(place, seconds: age)
            let before = try Host.status(place)?.stamp.modified
            #expect(store.load(key) != nil)
            let after = try Host.status(place)?.stamp.modified
            #expect((before != after) == isRefreshed, "at an age of \(age) s")
            if isRefreshed { #expect(after?.clampedNanoseconds ?? 0 > Host.realtime - 60_000_000_000) }
        }
        // Times so extreme that subtracting the current time would overflow.
        for extreme in [Int64.min, .max] {
            let file = try Directory(path: place.parent).file(key.address.name, .read)
            try? file.setModified(FileTime(seconds: extreme, nanosecond: 0))
            #expect(store.load(key) == StoreSamples.code(1))
        }
    }

    @Test func manyThreadsAndTwoStoresAgree() throws {
        // So small that entries are evicted all the time.
        let limit: Int64 = 400_000
        let stores = try (0..<2).map { _ in try BytecodeStore.open(scratch.store, limit: limit) }
        let wrong = Atomic(0)
        let found = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let store = stores[thread % 2]
            for turn in 0..<400 {
                let number = UInt64((turn * 7 + thread * 13) % 120)
                if let code = store.load(StoreSamples.key(number)) {
                    found.add(1, ordering: .relaxed)
                    if code != StoreSamples.code(number, size: 1000) { wrong.add(1, ordering: .relaxed) }
                } else {
                    store.save(StoreSamples.key(number), StoreSamples.code(number, size: 1000))
                }
                if turn % 40 == 39 { store.evictIfNeeded() }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0 && found.load(ordering: .relaxed) > 0)
        #expect(stores.allSatisfy { $0.notice == nil })
        #expect(try scratch.files().allSatisfy { !$0.contains(BytecodeStore.temporaryPrefix) })
    }

    @Test func aStoreThatIsDeletedIsMadeAgain() throws {
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        let key = StoreSamples.key(1)
        for victim in [StoreSamples.place(key, in: scratch.store).parent, scratch.store, scratch.store] {
            store.save(key, StoreSamples.code(1))
            #expect(store.load(key) != nil)
            StoreScratch.removeAll(victim)
            #expect(store.load(key) == nil)
            store.save(key, StoreSamples.code(1))
            #expect(store.notice == nil)
            #expect(try BytecodeStore.open(scratch.store, limit: Self.limit).load(key) == StoreSamples.code(1))
        }
        // But not if the directory there now can be written to by others.
        StoreScratch.removeAll(scratch.store)
        _ = try Host.makeDirectory(scratch.store, permissions: 0o700)
        StoreScratch.setPermissions(scratch.store, 0o777)
        store.save(key, StoreSamples.code(1))
        #expect(store.load(key) == nil)
        #expect(store.notice?.contains("other users may write") == true)
        #expect(try scratch.files().isEmpty)
    }
}

extension StoreEntry {
    /// An entry with these numbers and valid hashes.
    static func forged(_ key: StoreKey, body: [UInt8], lower: UInt32, upper: UInt32, diagnostics: UInt32) -> [UInt8] {
        let code = StoredCode(body: body, fileName: 3..<9, diagnostics: [], microseconds: 0)
        guard var head = head(key, code) else { return [] }
        head.removeLast(24)
        for number in [lower, upper, 0, diagnostics] { head.append(littleEndian: number) }
        seal(&head)
        return head + body
    }
}
