import BasicTypes
import LinuxSystem
import Testing

@testable import BuildDatabase

/// Code that other users could have written is not executed, nothing is written through a link, and a store that cannot be
/// written can still be read.
@Suite struct BytecodeStoreTrustTests {
    /// Created for each test, and removed after it.
    private let scratch: StoreScratch

    init() throws {
        scratch = try StoreScratch()
    }

    private static let limit: Int64 = 1 << 30

    private func refusal(_ place: BytePath) -> String? {
        do throws(StoreError) {
            _ = try BytecodeStore.open(place, limit: Self.limit)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func aStoreOfOthersIsRefused() throws {
        #expect(refusal(scratch.store) == nil)
        for permissions: UInt32 in [0o777, 0o722, 0o720, 0o702, 0o1777] {
            StoreScratch.setPermissions(scratch.store, permissions)
            #expect(refusal(scratch.store)?.contains("other users may write") == true)
        }
        for permissions: UInt32 in [0o700, 0o755, 0o500] {
            StoreScratch.setPermissions(scratch.store, permissions)
            #expect(refusal(scratch.store) == nil)
        }
        #expect(refusal(BytePath("store"))?.contains("absolute") == true)
        #expect(refusal(BytePath("/proc/freshpyc/store"))?.contains("cannot be opened") == true)
    }

    @Test(.enabled(if: StoreScratch.isRoot, "only root can give a file away"))
    func foreignFilesAreNotTrusted() throws {
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        let key = StoreSamples.key(1)
        let place = StoreSamples.place(key, in: scratch.store)
        store.save(key, StoreSamples.code(1))
        StoreScratch.setOwner(place, 12_345)
        #expect(store.load(key) == nil)
        #expect(!StoreScratch.exists(place))
        store.save(key, StoreSamples.code(1))
        StoreScratch.setOwner(place.parent, 12_345)
        let other = try BytecodeStore.open(scratch.store, limit: Self.limit)
        #expect(other.load(key) == nil)
        other.save(key, StoreSamples.code(1))
        #expect(other.notice != nil)
        StoreScratch.setOwner(scratch.store, 12_345)
        #expect(refusal(scratch.store)?.contains("user 12345") == true)
    }

    @Test func whatOthersMayWriteIsNotTrusted() throws {
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        let key = StoreSamples.key(1)
        let place = StoreSamples.place(key, in: scratch.store)
        for permissions: UInt32 in [0o620, 0o602, 0o666] {
            store.save(key, StoreSamples.code(1))
            StoreScratch.setPermissions(place, permissions)
            #expect(store.load(key) == nil)
            #expect(!StoreScratch.exists(place))
        }
        store.save(key, StoreSamples.code(1))
        StoreScratch.setPermissions(place, 0o644)
        #expect(store.load(key) != nil)
        StoreScratch.setPermissions(place.parent, 0o777)
        let other = try BytecodeStore.open(scratch.store, limit: Self.limit)
        #expect(other.load(key) == nil)
    }

    @Test func linksAreNotFollowed() throws {
        let key = StoreSamples.key(1)
        let elsewhere = scratch.path.appending("elsewhere")
        let place = StoreSamples.place(key, in: scratch.store)
        let first = try BytecodeStore.open(scratch.store, limit: Self.limit)
        first.save(key, StoreSamples.code(1))
        // A link in place of an entry, to a valid entry.
        StoreScratch.move(place, to: elsewhere)
        StoreScratch.makeLink(place, to: elsewhere)
        #expect(first.load(key) == nil)
        #expect(!StoreScratch.exists(place) && StoreScratch.exists(elsewhere))
        // A save replaces a link, and does not write through it.
        StoreScratch.makeLink(place, to: scratch.path.appending("nothing"))
        first.save(key, StoreSamples.code(2))
        #expect(first.load(key) == StoreSamples.code(2))
        #expect(!StoreScratch.exists(scratch.path.appending("nothing")))
        // A link in place of a shard.
        let moved = scratch.path.appending("moved")
        StoreScratch.move(place.parent, to: moved)
        StoreScratch.makeLink(place.parent, to: moved)
        let second = try BytecodeStore.open(scratch.store, limit: Self.limit)
        #expect(second.load(key) == nil)
        second.save(key, StoreSamples.code(3))
        #expect(second.notice != nil && second.measure().entries == 0)
        #expect(StoreScratch.exists(moved.appending(key.address.name)))
        // A link in place of the store.
        StoreScratch.move(scratch.store, to: scratch.path.appending("real"))
        StoreScratch.makeLink(scratch.store, to: scratch.path.appending("real"))
        #expect(refusal(scratch.store)?.contains("is a symbolic link") == true)
        StoreScratch.move(scratch.store, to: scratch.path.appending("link"))
        StoreScratch.makeLink(scratch.store, to: scratch.path.appending("nothing"))
        #expect(refusal(scratch.store)?.contains("is a symbolic link") == true)
        #expect(refusal(elsewhere)?.contains("is a symbolic link") == true)
        // Links in the path to the store are allowed: the user chose that path.
        #expect(refusal(scratch.path.appending("link/below")) == nil)
    }

    @Test func whatIsNoFileIsInNobodysWay() throws {
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        let key = StoreSamples.key(1)
        let place = StoreSamples.place(key, in: scratch.store)
        store.save(key, StoreSamples.code(1))
        for make in [
            { StoreScratch.makeFIFO(place) }, { #expect((try? Host.makeDirectory(place, permissions: 0o700)) == true) },
        ] {
            _ = try Directory(path: place.parent).removeFile(key.address.name)
            make()
            #expect(store.load(key) == nil)
            #expect(!StoreScratch.exists(place))
            store.save(key, StoreSamples.code(1))
            #expect(store.load(key) != nil)
        }
        // A sparse file that claims to be huge.
        try Directory(path: place.parent).file(key.address.name, .readWrite).truncate(to: 1 << 40)
        #expect(store.measure().bytes < 1 << 30)
        #expect(store.load(key) == nil)
        #expect(!StoreScratch.exists(place) && store.notice == nil)
    }

    @Test(.enabled(if: StoreScratch.mayMount, "no file system can be mounted here"))
    func aFullDiskIsToldOnce() throws {
        try #require(scratch.mount("store", bytes: 65_536))
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        for number: UInt64 in 0..<8 { store.save(StoreSamples.key(number), StoreSamples.code(number, size: 20_000)) }
        #expect(store.notice?.contains("no space left on device") == true)
        #expect(store.notice == nil)
        let kept = (0..<8).filter { store.load(StoreSamples.key($0)) == StoreSamples.code($0, size: 20_000) }.count
        #expect(kept == store.measure().entries && kept > 0)
        #expect(try scratch.files().count == kept)
        store.evictIfNeeded()
    }

    @Test(.enabled(if: StoreScratch.mayMount, "no file system can be mounted here"))
    func aReadOnlyStoreStillServes() throws {
        try #require(scratch.mount("disk", bytes: 1 << 20))
        let place = scratch.path.appending("disk/store")
        let key = StoreSamples.key(1)
        let first = try BytecodeStore.open(place, limit: Self.limit)
        first.save(key, StoreSamples.code(1))
        try StoreScratch.setAge(StoreSamples.place(key, in: place), seconds: 100_000)
        try StoreScratch.write(
            [1], to: StoreSamples.place(key, in: place).parent.appending(StoreSamples.key(2).address.name))
        try #require(scratch.makeReadOnly("disk"))
        let store = try BytecodeStore.open(place, limit: Self.limit)
        #expect(store.load(key) == StoreSamples.code(1))
        #expect(store.load(StoreSamples.key(2)) == nil)
        store.save(StoreSamples.key(3), StoreSamples.code(3))
        store.evictIfNeeded()
        #expect(store.notice?.contains("read-only file system") == true)
        #expect(store.load(key) == StoreSamples.code(1))
        #expect(refusal(scratch.path.appending("disk/other"))?.contains("read-only file system") == true)
    }

    @Test(.enabled(if: !StoreScratch.isRoot, "root may write everywhere"))
    func aStoreWithoutPermissionStillServes() throws {
        let first = try BytecodeStore.open(scratch.store, limit: Self.limit)
        let key = StoreSamples.key(1)
        first.save(key, StoreSamples.code(1))
        let shard = StoreSamples.place(key, in: scratch.store).parent
        for path in [shard, scratch.store] { StoreScratch.setPermissions(path, 0o500) }
        defer { for path in [scratch.store, shard] { StoreScratch.setPermissions(path, 0o700) } }
        let store = try BytecodeStore.open(scratch.store, limit: Self.limit)
        #expect(store.load(key) == StoreSamples.code(1))
        store.save(StoreSamples.key(2), StoreSamples.code(2))
        #expect(store.notice?.contains("permission denied") == true)
    }
}
