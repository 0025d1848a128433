// Keeping the store within its limit by removing the entries that were not used for the longest time.

import BasicTypes
import LinuxSystem
import Synchronization

/// The file that remembers how much is in the store, so that not every run has to count. It is an estimate: what two
/// runs save twice counts twice, and what is removed for being broken still counts. Being wrong costs a count.
struct StoreUsage {
    static let name = BytePath("usage")
    private static let mostBytes = 256

    /// Locked for as long as it is open.
    private let file: OwnedDescriptor
    /// `nil` where it says nothing that makes sense.
    let bytes: Int64?

    /// Opens and locks it.
    ///
    /// - Returns: `nil` where another process has the lock.
    init?(in root: Directory, user: UInt32) throws(SystemError) {
        file = try root.file(Self.name, .append(0o600))
        let status = try file.status(Self.name)
        guard status.kind == .regular, status.isWritten(onlyBy: user) else {
            throw SystemError("openat", Self.name, .foreignOwner)
        }
        // Whoever only adds to it is done at once. Whoever evicts counts what we have added.
        var isOurs = try file.lock(waits: false, path: Self.name)
        for _ in 0..<5 where !isOurs {
            Host.sleep(nanoseconds: 1_000_000)
            isOurs = try file.lock(waits: false, path: Self.name)
        }
        guard isOurs else { return nil }
        bytes = Self.decode(try file.read(count: Self.mostBytes, path: Self.name))
    }

    func write(_ bytes: Int64) throws(SystemError) {
        // Killed in between, it is empty, and the next one counts.
        try file.truncate(to: 0, path: Self.name)
        try Self.encode(bytes).withRawBytes { text throws(SystemError) in try file.writeAll(text, path: Self.name) }
    }

    static func encode(_ bytes: Int64) -> [UInt8] {
        var writer = JSONLineWriter()
        writer.open("{")
        writer.key("bytes")
        writer.value(bytes)
        writer.close("}")
        writer.lastNewline()
        return writer.bytes
    }

    static func decode(_ text: [UInt8]) -> Int64? {
        text.withUnsafeBytes { buffer in
            var reader = JSONLineReader(buffer)
            guard reader.take("{\"bytes\":"), let bytes = try? reader.integer(Int64.self), bytes >= 0,
                reader.take("}\n"), reader.isAtEnd
            else { return nil }
            return bytes
        }
    }
}

extension BytecodeStore {
    /// Once the store is over its limit, what is left of it in parts of a hundred.
    private static let percentKept: Int128 = 80

    /// How many entries are held in memory at once, at 32 bytes each. As each takes up a block of 4 KiB or more, all
    /// entries of a store of 1 GiB are.
    static let mostHeld = 1 << 18

    /// Nanoseconds that removing may take: where a disk is busy, it was seen to take 0.4 ms an entry.
    static let removalTime: Int64 = 500_000_000

    /// Adds what was saved since the last call to the estimate and, where that is over the limit, counts and removes the
    /// least recently used entries. For the end of a run; it does nothing where nothing was saved.
    ///
    /// The work is bounded: a count is one `stat` an entry, after one a fifth of the limit must be filled before the next,
    /// and what cannot be removed within `removalTime` is left to the run that saves something next.
    package func evictIfNeeded() {
        let new = added.exchange(0, ordering: .relaxed)
        guard new > 0 else { return }
        let root = root
        // Where the estimate cannot be kept, nothing can be saved either, which `notice` tells; or another process counts
        // just now, and what we have saved with it.
        guard let usage = (try? StoreUsage(in: root, user: user)) ?? nil else { return }
        let (estimate, overflow) = (usage.bytes ?? .max).addingReportingOverflow(new)
        if !overflow {
            // Also where entries go now: should we be killed, the next run is over the limit as well.
            try? usage.write(estimate)
            if estimate <= limit { return }
        }
        try? usage.write(sweep(root))
    }

    /// For `freshpyc status`: the number of entries and their bytes on disk.
    package func measure() -> (entries: Int, bytes: Int64) {
        let listing = DirectoryListing()
        var entries = 0
        var bytes: Int64 = 0
        for index in UInt8.min...UInt8.max {
            guard let shard = try? openShard(index, in: root, makes: false) else { continue }
            forEachFile(in: shard, index, listing) { _, address, status in
                if address != nil { entries += 1 }
                bytes += Self.occupied(status.stamp.size)
            }
        }
        return (entries, bytes)
    }

    private struct Entry {
        var modified: Int64
        var size: Int64
        var address: StoreAddress
    }

    /// Counts, and where there is too much, removes the oldest. Shards are taken together for as long as their entries fit
    /// into memory; those that do not are the next group, with its own part of the limit.
    ///
    /// - Returns: bytes on disk that are left.
    func sweep(
        _ root: Directory, mostHeld: Int = BytecodeStore.mostHeld, removalTime: Int64 = BytecodeStore.removalTime
    ) -> Int64 {
        var timeLeft = removalTime
        let listing = DirectoryListing()
        let stale = Host.realtime - Self.usePrecision
        var left: Int64 = 0
        var group: [Entry] = []
        var groupBytes: Int64 = 0
        var groupShards: Int128 = 0
        for index in UInt8.min...UInt8.max {
            groupShards += 1
            if let shard = try? openShard(index, in: root, makes: false) {
                var abandoned: [BytePath] = []
                forEachFile(in: shard, index, listing) { name, address, status in
                    let size = Self.occupied(status.stamp.size)
                    if let address {
                        group.append(Entry(modified: status.stamp.modified, size: size, address: address))
                    } else if status.stamp.modified < stale {
                        // No save takes that long: its process was killed.
                        abandoned.append(BytePath(cString: name))
                        return
                    }
                    groupBytes += size
                }
                for name in abandoned { _ = try? shard.removeFile(name) }
            }
            guard group.count >= mostHeld || index == .max else { continue }
            let most = Int64(Int128(limit) * groupShards / Int128(Self.shardCount))
            if groupBytes > most {
                let kept = Int64(Int128(limit) * Self.percentKept * groupShards / (100 * Int128(Self.shardCount)))
                groupBytes -= remove(&group, bytes: groupBytes - kept, timeLeft: &timeLeft)
            }
            left += groupBytes
            group.removeAll(keepingCapacity: true)
            (groupBytes, groupShards) = (0, 0)
        }
        return left
    }

    /// Removes the least recently used of these, until so many bytes went or the time is over.
    ///
    /// - Returns: bytes on disk that went.
    private func remove(_ entries: inout [Entry], bytes: Int64, timeLeft: inout Int64) -> Int64 {
        let start = Host.monotonic
        defer { timeLeft -= Host.monotonic - start }
        entries.sort { ($0.modified, $0.address) < ($1.modified, $1.address) }
        var removed: Int64 = 0
        for entry in entries {
            if removed >= bytes || Host.monotonic - start >= timeLeft { break }
            // Where it is gone already, somebody else has removed it: that counts as well.
            guard let shard = try? shard(entry.address.shard, makes: false),
                (try? shard.removeFile(entry.address.name)) != nil
            else { continue }
            removed += entry.size
        }
        return removed
    }

    /// Calls `body` with each entry, and with each temporary file, which has no address. What else lies there is none of
    /// ours.
    private func forEachFile(
        in shard: Directory, _ index: UInt8, _ listing: DirectoryListing,
        _ body: (UnsafePointer<CChar>, StoreAddress?, FileStatus) -> Void
    ) {
        try? listing.forEach(in: shard, path: StoreAddress.shardName(index)) { name, kind throws(SystemError) in
            let address = StoreAddress(shard: index, name: name)
            guard address != nil || Self.isTemporary(name),
                let status = try shard.status(name, followsLinks: false), status.kind == .regular
            else { return }
            body(name, address, status)
        }
    }

    private static func isTemporary(_ name: UnsafePointer<CChar>) -> Bool {
        var index = 0
        for byte in temporaryPrefix.utf8 {
            // The name's NUL ends this as well.
            guard UInt8(bitPattern: name[index]) == byte else { return false }
            index += 1
        }
        return true
    }
}
