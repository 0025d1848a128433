// Compiled code that all trees of a user share, so that switching back to a branch, a second checkout or a recreated
// virtual environment needs no compiler. STORE.md describes the files.

import BasicTypes
import LinuxSystem
import Synchronization

/// Why the store cannot be used. It is a cache: the caller continues without it.
package enum StoreError: Error, Sendable {
    case notAbsolute(BytePath)
    case notADirectory(BytePath)
    case foreign(BytePath, owner: UInt32, user: UInt32)
    case writableByOthers(BytePath)
    case unusable(BytePath, SystemError)
    case unwritable(BytePath, SystemError)

    /// One line: what happened, to which path, and what to do.
    package var message: String {
        switch self {
        case .notAbsolute(let place):
            "the bytecode store needs an absolute path, not '\(place)'"
        case .notADirectory(let place):
            "\(place) is not a directory, or is a symbolic link, so it cannot be the bytecode store; remove it, or choose another with --store"
        case .foreign(let place, let owner, let user):
            "\(place) belongs to user \(owner), not to user \(user), so its bytecode is not trusted; "
                + "choose another with --store"
        case .writableByOthers(let place):
            "other users may write to \(place), so it is not used; change its permissions, or choose another with --store"
        case .unusable(let place, let error):
            "the bytecode store \(place) cannot be opened: \(error.reason); choose another with --store"
        case .unwritable(let place, let error):
            "cannot save compiled code in \(place): \(error.reason); free some space or change its permissions"
        }
    }
}

/// The store on disk. Many threads and processes may use it at once: an entry is renamed into place as a whole, removed
/// by unlink, and contains its own key.
package final class BytecodeStore: Sendable {
    /// The mutable state of an open store. Its lock is never held across a system call.
    private struct State {
        var root: Directory
        /// Open directories by the first byte of the address. A load then looks up a single path component, which cannot
        /// be a link.
        var shards: [Directory?]
        var problem: String?
        var isTold = false

        init(root: Directory) {
            self.root = root
            shards = Array(repeating: nil, count: BytecodeStore.shardCount)
        }
    }

    static let shardCount = 256
    static let temporaryPrefix = ".new-"
    /// How far the recorded time of last use may lag behind, in nanoseconds. Keeping it exact would cost a write for each
    /// load.
    static let usePrecision: Int64 = 3_600_000_000_000

    let place: BytePath
    /// Bytes on disk.
    let limit: Int64
    let user: UInt32
    private let state: Mutex<State>
    /// Bytes on disk that were saved since the limit was last checked.
    let added = Atomic<Int64>(0)

    private init(place: BytePath, root: Directory, limit: Int64, user: UInt32) {
        self.place = place
        self.limit = limit
        self.user = user
        state = Mutex(State(root: root))
    }

    // MARK: Opening

    /// `$XDG_CACHE_HOME/freshpyc/store`, else `~/.cache/freshpyc/store`; `nil` without a home directory. Relative paths
    /// are ignored (XDG Base Directory Specification).
    package static var standardPlace: BytePath? {
        let cache = Host.environment("XDG_CACHE_HOME").flatMap { $0.isAbsolute ? $0 : nil }
        let home = Host.environment("HOME").flatMap { $0.isAbsolute ? $0 : nil }
        return (cache ?? home?.appending(".cache"))?.appending("freshpyc/store")
    }

    /// Opens the store, and creates it if it is missing (0700).
    ///
    /// - Parameters:
    ///   - place: absolute. Links may lead to it, but it must not be one.
    ///   - limit: bytes on disk above which `evictIfNeeded` removes entries.
    /// - Throws: also if the store does not belong to the effective user, or others may write to it. Its contents are
    ///   executed, so only the user may be able to change them.
    package static func open(_ place: BytePath, limit: Int64) throws(StoreError) -> BytecodeStore {
        guard place.isAbsolute else { throw .notAbsolute(place) }
        let place = place.normalized
        let user = UnixSocket.user
        return BytecodeStore(place: place, root: try root(place, user: user), limit: limit, user: user)
    }

    private static func root(_ place: BytePath, user: UInt32) throws(StoreError) -> Directory {
        let opened: (Directory, FileStatus)?
        do throws(SystemError) {
            try makeAll(place.parent)
            let directory = try directory(BytePath.empty.appending(place.lastComponent), in: place.parent)
            opened = try directory.map { directory throws(SystemError) in
                (directory, try directory.descriptor.status(place))
            }
        } catch {
            throw .unusable(place, error)
        }
        guard let (root, status) = opened else { throw .notADirectory(place) }
        guard status.owner == user else { throw .foreign(place, owner: status.owner, user: user) }
        guard status.isWritten(onlyBy: user) else { throw .writableByOthers(place) }
        return root
    }

    private static func makeAll(_ path: BytePath) throws(SystemError) {
        guard try Host.status(path) == nil, !path.isEmpty else { return }
        try makeAll(path.parent)
        _ = try Host.makeDirectory(path, permissions: 0o700)
    }

    /// - Returns: `nil` for a link or anything else that is not a directory.
    private static func directory(_ name: BytePath, in parentPath: BytePath) throws(SystemError) -> Directory? {
        let parent = try Directory(path: parentPath)
        do throws(SystemError) {
            return try parent.directory(name)
        } catch  where error.isLoop || error.isNotDirectory {
            return nil
        } catch  where error.code == SystemError.noSuchFile {
            let isNew = try parent.makeDirectory(name, permissions: 0o700)
            let made = try parent.directory(name)
            if isNew { writeMarkers(in: made) }
            return made
        }
    }

    /// Writes the files that a new store starts with. The store also works without them, so failures are ignored.
    private static func writeMarkers(in root: Directory) {
        try? CacheDirectoryTag.write(in: root, permissions: 0o600)
        try? root.writeIfMissing(
            StoreUsage.name, String(decoding: StoreUsage.encode(0), as: UTF8.self), permissions: 0o600)
    }

    // MARK: Directories

    var root: Directory { state.withLock { $0.root } }

    /// The directory of the entries with this first byte.
    ///
    /// - Parameter makes: whether to create it if it is missing.
    func shard(_ index: UInt8, makes: Bool) throws(SystemError) -> Directory {
        let (known, root) = state.withLock { ($0.shards[Int(index)], $0.root) }
        if let known { return known }
        let opened = try openShard(index, in: root, makes: makes)
        if DescriptorLimit.allowsManyDirectories { state.withLock { $0.shards[Int(index)] = opened } }
        return opened
    }

    /// Like `shard`, but with a descriptor of its own, because listing moves the offset.
    func openShard(_ index: UInt8, in root: Directory, makes: Bool) throws(SystemError) -> Directory {
        let name = StoreAddress.shardName(index)
        let opened: Directory
        do throws(SystemError) {
            opened = try root.directory(name)
        } catch  where makes && error.code == SystemError.noSuchFile {
            _ = try root.makeDirectory(name, permissions: 0o700)
            opened = try root.directory(name)
        }
        guard try opened.descriptor.status(name).isWritten(onlyBy: user) else {
            throw SystemError("openat", place.appending(name), .foreignOwner)
        }
        return opened
    }

    /// Closes the directories of the entries, so that an idle daemon holds no descriptors needlessly.
    package func rest() {
        state.withLock { $0.shards = Array(repeating: nil, count: Self.shardCount) }
    }

    /// Opens or creates the store's directory again and forgets the others, after an open directory was deleted.
    private func reopen() throws(StoreError) {
        let root = try Self.root(place, user: user)
        state.withLock { state in
            state.root = root
            state.shards = Array(repeating: nil, count: Self.shardCount)
        }
    }

    // MARK: Entries

    /// Loads the entry for this key and marks it as used.
    ///
    /// - Returns: `nil` if there is none. An entry that cannot be trusted is removed.
    package func load(_ key: StoreKey) -> StoredCode? {
        let name = key.address.name
        guard let shard = try? shard(key.address.shard, makes: false) else { return nil }
        do throws(SystemError) {
            let file = try shard.file(name, .read)
            let status = try file.status(name)
            guard status.kind == .regular, status.isWritten(onlyBy: user), status.stamp.size <= StoreEntry.mostBytes,
                let code = StoreEntry.decode(try file.read(count: Int(status.stamp.size), path: name), for: key)
            else {
                remove(name, from: shard)
                return nil
            }
            let now = Host.realtime
            // A time in the future, from a clock that was set back later, would keep the entry forever.
            if !(now - Self.usePrecision...now + Self.usePrecision).contains(status.stamp.modified.clampedNanoseconds) {
                try? file.setModified(FileTime(nanoseconds: now), path: name)
            }
            return code
        } catch {
            if error.isLoop { remove(name, from: shard) }
            return nil
        }
    }

    private func remove(_ name: BytePath, from shard: Directory) {
        do throws(SystemError) {
            _ = try shard.removeFile(name)
        } catch {
            // A directory of that name would make every later save fail.
            _ = shard.removeEmptyDirectory(name)
        }
    }

    /// Saves the result of a compilation, replacing an older one.
    ///
    /// A failed save does not fail the build; see `notice`.
    package func save(_ key: StoreKey, _ code: StoredCode) {
        // An entry that takes up much of the limit would evict others that are used more often.
        guard let head = StoreEntry.head(key, code), head.count + code.body.count <= limit / 8 else { return }
        do throws(StoreError) {
            do throws(SystemError) {
                try publish(key.address, head, code.body)
                return
            } catch {
                if error.code != SystemError.noSuchFile { throw .unwritable(place, error) }
            }
            try reopen()
            do throws(SystemError) {
                try publish(key.address, head, code.body)
            } catch {
                throw .unwritable(place, error)
            }
        } catch {
            let message = error.message
            state.withLock { if $0.problem == nil { $0.problem = message } }
        }
    }

    private func publish(_ address: StoreAddress, _ head: [UInt8], _ body: [UInt8]) throws(SystemError) {
        let shard = try shard(address.shard, makes: true)
        try FileReplacement(address.name, in: shard, temporary: .unique(prefix: Self.temporaryPrefix)).write(
            FileReplacement.Options(permissions: 0o600)
        ) { file throws(SystemError) in try file.writeAll(head, body, path: address.name) }
        added.add(Self.occupied(Int64(head.count + body.count)), ordering: .relaxed)
    }

    /// Bytes on disk of a file of this size, in blocks as nearly all file systems use. A file larger than any entry is not
    /// ours, so its size is capped.
    static func occupied(_ size: Int64) -> Int64 { (min(size, Int64(StoreEntry.mostBytes)) + 4095) & ~4095 }

    /// The reason why code was not saved, for the user. Returned once, `nil` afterwards.
    package var notice: String? {
        state.withLock { state in
            guard let problem = state.problem, !state.isTold else { return nil }
            state.isTold = true
            return problem
        }
    }
}
