// Keeps the store within its limit by removing the least recently used entries.

import BasicTypes
import LinuxSystem
import Synchronization

/// The file that holds the size of the store, so that a run need not count the entries. The size is an estimate: an entry
/// that two runs save counts twice, and broken entries that were removed still count. A wrong estimate only causes an
/// early count.
struct StoreUsage {
    static let name = BytePath("usage")
    private static let mostBytes = 256

    /// Locked for as long as it is open.
    private let file: OwnedDescriptor
    /// `nil` if the file is malformed.
    let bytes: Int64?

    /// Opens and locks it.
    ///
    /// - Returns: `nil` if another process holds the lock.
    init?(in root: Directory, user: UInt32) throws(SystemError) {
        file = try root.file(Self.name, .append(0o600))
        let status = try file.status(Self.name)
        guard status.kind == .regular, status.isWritten(onlyBy: user) else {
            throw SystemError("openat", Self.name, .foreignOwner)
        }
        // A process that only adds its sum releases the lock at once, so wait for it. One that evicts also counts our
        // entries, so give up.
        var isOurs = try file.lock(waits: false, path: Self.name)
        for _ in 0..<5 where !isOurs {
            Host.sleep(nanoseconds: 1_000_000)
            isOurs = try file.lock(waits: false, path: Self.name)
        }
        guard isOurs else { return nil }
        bytes = Self.decode(try file.read(count: Self.mostBytes, path: Self.name))
    }

    func write(_ bytes: Int64) throws(SystemError) {
        // If this process is killed here, the file is empty, and the next one counts.
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
            guard reader.take("{\"bytes\":"), let bytes: Int64 = try? reader.integer(), bytes >= 0,
                reader.take("}\n"), reader.isAtEnd
            else { return nil }
            return bytes
        }
    }
}

extension BytecodeStore {
    /// How much of the limit an eviction keeps.
    private static let percentKept: Int128 = 80

    /// Maximum number of entries in memory at once, at 32 bytes each. As an entry occupies 4 KiB or more on disk, this is
    /// enough for a store of 1 GiB.
    static let mostHeld = 1 << 18

    /// Maximum time to spend on removing, in nanoseconds. On a busy disk, removing one entry took 0.4 ms.
    static let removalTime: Int64 = 500_000_000

    /// Adds the size of the entries saved since the last call to the estimate. If it exceeds the limit, counts all entries and
    /// removes the least recently used ones. Called at the end of a run; does nothing if nothing was saved.
    ///
    /// The work is bounded: counting costs one `stat` for each entry, a fifth of the limit must be filled before the next
    /// count, and entries that cannot be removed within `removalTime` are left to the next run that saves something.
    package func evictIfNeeded() {
        let new = added.exchange(0, ordering: .relaxed)
        guard new > 0 else { return }
        let root = root
        // If the file cannot be opened, entries cannot be saved either, and `notice` says so. If another process holds its
        // lock, that process is counting, and counts our entries as well.
        guard let usage = (try? StoreUsage(in: root, user: user)) ?? nil else { return }
        let (estimate, overflow) = (usage.bytes ?? .max).addingReportingOverflow(new)
        if !overflow {
            // Write it before evicting too: if this process is killed, the next run also finds the limit exceeded.
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
        var modified: FileTime
        var size: Int64
        var address: StoreAddress
    }

    /// Counts all entries and removes the least recently used ones beyond the limit. Shards whose entries fit into memory
    /// together form a group, and each group has its share of the limit.
    ///
    /// - Returns: bytes on disk that are left.
    func sweep(
        _ root: Directory, mostHeld: Int = BytecodeStore.mostHeld, removalTime: Int64 = BytecodeStore.removalTime
    ) -> Int64 {
        var timeLeft = removalTime
        let listing = DirectoryListing()
        let stale = FileTime(nanoseconds: Host.realtime - Self.usePrecision)
        var left: Int64 = 0
        var group: [Entry] = []
        var groupBytes: Int64 = 0
        var groupShards: Int128 = 0
        for index in UInt8.min...UInt8.max {
            groupShards += 1
            // A shard that cannot be opened counts as empty: the estimate is too low until the next count.
            if let shard = try? openShard(index, in: root, makes: false) {
                var abandoned: [BytePath] = []
                forEachFile(in: shard, index, listing) { name, address, status in
                    let size = Self.occupied(status.stamp.size)
                    if let address {
                        group.append(Entry(modified: status.stamp.modified, size: size, address: address))
                    } else if status.stamp.modified < stale {
                        // No save takes that long, so its process was killed.
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

    /// Removes the least recently used of these entries until `bytes` bytes are removed or `timeLeft` has passed.
    ///
    /// - Returns: bytes on disk that were removed.
    private func remove(_ entries: inout [Entry], bytes: Int64, timeLeft: inout Int64) -> Int64 {
        let start = Host.monotonic
        defer { timeLeft -= Host.monotonic - start }
        entries.sort { ($0.modified, $0.address) < ($1.modified, $1.address) }
        var removed: Int64 = 0
        for entry in entries {
            if removed >= bytes || Host.monotonic - start >= timeLeft { break }
            // An entry that another process has removed counts as well.
            guard let shard = try? shard(entry.address.shard, makes: false),
                (try? shard.removeFile(entry.address.name)) != nil
            else { continue }
            removed += entry.size
        }
        return removed
    }

    /// Calls `body` with each entry, and with each temporary file, which has no address. Other files are ignored.
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
            // The comparison also ends at the name's NUL.
            guard UInt8(bitPattern: name[index]) == byte else { return false }
            index += 1
        }
        return true
    }
}
