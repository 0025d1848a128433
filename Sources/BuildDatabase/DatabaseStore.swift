// The database on disk: `.freshpyc/`, or the directory that `--state-dir` names.

import BasicTypes
import BuildModel
import LinuxSystem

/// Why the database cannot be used.
package enum DatabaseError: Error, Sendable {
    case newerSchema(path: BytePath, schema: Int)
    case unusable(SystemError)
    case unreadable(SystemError)
    case held(by: String, path: BytePath)

    package var message: String {
        switch self {
        case .newerSchema(let path, let schema):
            "\(path) was written by a newer freshpyc (schema \(schema)); update freshpyc, or use another --state-dir"
        case .unusable(let error):
            "the database cannot be written: \(error); use --state-dir DIR to keep it elsewhere"
        case .unreadable(let error):
            "the database cannot be read: \(error)"
        case .held(let holder, _):
            "\(holder) is already running on this tree; wait until it ends, or stop it"
        }
    }
}

/// How long the holder of the lock keeps it. The second line of the lock file; the first is for people.
package enum LockLifetime: String, Sendable {
    /// Until its work is done.
    case run
    /// Until it is stopped.
    case service
}

/// The result of loading.
package struct LoadedDatabase: Sendable {
    package var contents: DatabaseContents
    /// Messages for the user, to be shown once: why the contents or a part of them could not be used.
    package var notices: [String] = []
    /// Bytes of the journal that are valid; 0 for a new or broken one.
    var journalLength: Int64 = 0
    var snapshotLength: Int64 = 0

    /// A database that remembers nothing.
    package init(contents: DatabaseContents) {
        self.contents = contents
    }
}

/// One database on disk. Only the holder of its lock writes.
package final class DatabaseStore {
    private static let snapshotName = BytePath("state.json")
    private static let journalName = BytePath("journal.jsonl")
    private static let lockName = BytePath("lock")
    /// Journals smaller than this are not worth folding.
    private static let smallestFold: Int64 = 256 * 1024

    package let directory: Directory
    let location: BytePath
    private var lock: OwnedDescriptor?
    private var journal: OwnedDescriptor?
    private var journalLength: Int64 = 0
    /// Whether the journal ends with an incomplete line that could not be removed.
    private var isJournalTorn = false
    private var snapshotLength: Int64 = 0
    /// Whether the last holder of the lock was killed before it could finish.
    package private(set) var wasLeftUncleanly = false

    private init(directory: Directory, location: BytePath) {
        self.directory = directory
        self.location = location
    }

    /// Opens the database's directory for reading.
    ///
    /// - Parameter stateDirectory: absolute; `nil` for `.freshpyc` in the root, which must not be a link.
    /// - Returns: `nil` if there is no directory that this user may read.
    package static func existing(
        root: Directory, rootPath: BytePath, stateDirectory: BytePath?
    ) throws(DatabaseError) -> DatabaseStore? {
        do throws(SystemError) {
            if let stateDirectory {
                return DatabaseStore(directory: try Directory(path: stateDirectory), location: stateDirectory)
            }
            return DatabaseStore(
                directory: try root.directory(BytePath(".freshpyc")), location: rootPath.appending(".freshpyc"))
        } catch  where error.isMissing || error.isDenied || error.isLoop {
            return nil
        } catch {
            throw .unreadable(error)
        }
    }

    /// Opens the database's directory for writing, creates it if it is missing, and takes its lock.
    ///
    /// - Parameters:
    ///   - holder: the name of this process in the lock file, for processes that find the lock taken.
    ///   - lifetime: a run waits for another run to end. Nothing waits for a service, because it runs until it is stopped,
    ///     and a service does not wait.
    package static func open(
        root: Directory, rootPath: BytePath, stateDirectory: BytePath?, holder: String, lifetime: LockLifetime
    ) throws(DatabaseError) -> DatabaseStore {
        let store: DatabaseStore
        do throws(SystemError) {
            if let stateDirectory {
                try Host.makeDirectories(stateDirectory)
                store = DatabaseStore(directory: try Directory(path: stateDirectory), location: stateDirectory)
            } else {
                _ = try root.makeDirectory(BytePath(".freshpyc"))
                store = DatabaseStore(
                    directory: try root.directory(BytePath(".freshpyc")), location: rootPath.appending(".freshpyc"))
                try store.writeMarkers()
            }
        } catch {
            throw .unusable(error)
        }
        try store.takeLock(holder: holder, lifetime: lifetime)
        return store
    }

    /// Writes the files that exclude the directory from version control and backups.
    private func writeMarkers() throws(SystemError) {
        try directory.writeIfMissing(BytePath(".gitignore"), "*\n", permissions: 0o666)
        try CacheDirectoryTag.write(in: directory, permissions: 0o666)
    }

    private func takeLock(holder: String, lifetime: LockLifetime) throws(DatabaseError) {
        let other: String?
        do throws(SystemError) {
            other = try lockFile(holder: holder, lifetime: lifetime)
        } catch {
            throw .unusable(error)
        }
        if let other { throw .held(by: other, path: location.appending(Self.lockName)) }
    }

    /// Takes the lock, or returns its holder.
    private func lockFile(holder: String, lifetime: LockLifetime) throws(SystemError) -> String? {
        let file = try directory.file(Self.lockName, .append(0o666))
        var isTaken = try !file.lock(waits: false, path: Self.lockName)
        // A killed process keeps its files open until its last thread has ended.
        for _ in 0..<100 where isTaken {
            guard let process = try file.holder().flatMap(Self.process(in:)), Host.isEnding(process) else { break }
            Host.sleep(nanoseconds: 10_000_000)
            isTaken = try !file.lock(waits: false, path: Self.lockName)
        }
        if isTaken {
            let current = try file.holder() ?? "another freshpyc"
            let isHeldByService = try file.lockLifetime() == .service
            if lifetime == .service || isHeldByService { return current }
            _ = try file.lock(waits: true, path: Self.lockName)
        }
        // A clean end empties the file.
        wasLeftUncleanly = try file.holder() != nil
        try file.truncate(to: 0, path: Self.lockName)
        try Array("\(holder)\n\(lifetime.rawValue)\n".utf8).withRawBytes { bytes throws(SystemError) in
            try file.writeAll(bytes, path: Self.lockName)
        }
        lock = file
        return nil
    }

    /// The process number in a holder's name, such as `freshpyc watch (process 123)`.
    private static func process(in holder: String) -> Int32? {
        holder.split { !$0.isNumber }.last.flatMap { Int32($0) }
    }

    // MARK: Loading

    /// Reads the snapshot and the journal. A damaged file is reported, and set aside if this process holds the lock.
    package func load(root: BytePath) throws(DatabaseError) -> LoadedDatabase {
        var loaded = LoadedDatabase(contents: DatabaseContents(root: root))
        guard let (reading, length) = try readSnapshot() else { return loaded }
        switch reading {
        case .newer(let schema):
            throw .newerSchema(path: location.appending(Self.snapshotName), schema: schema)
        case .older:
            // The next snapshot replaces this one. The old journal must not be applied to the new snapshot.
            if lock != nil { try removeJournal() }
            loaded.notices.append(
                "\(location.appending(Self.snapshotName)) was written by an older freshpyc: all modules are checked again"
            )
            return loaded
        case .broken:
            try setAside(Self.snapshotName, in: &loaded)
            return loaded
        case .contents(let contents):
            guard contents.root == root else {
                loaded.notices.append(
                    "\(location) was made for \(contents.root), not for \(root): all modules are built again")
                return loaded
            }
            loaded.contents = contents
            loaded.snapshotLength = length
        }
        if let bytes = try read(Self.journalName), !bytes.isEmpty {
            switch Journal.decode(bytes) {
            case .broken:
                try setAside(Self.journalName, in: &loaded)
                loaded.contents = DatabaseContents(root: root)
            case .waves(let waves, let length):
                loaded.contents.apply(waves)
                loaded.journalLength = Int64(length)
                if lock != nil, length < bytes.count {
                    // Remove the incomplete line, so that the next wave starts on a line of its own.
                    do throws(SystemError) {
                        try directory.file(Self.journalName, .readWrite).truncate(to: Int64(length))
                    } catch {
                        throw .unusable(error)
                    }
                }
            }
        }
        if !loaded.contents.knowsItsInterpreters {
            try setAside(Self.snapshotName, in: &loaded)
            loaded.contents = DatabaseContents(root: root)
            return loaded
        }
        journalLength = loaded.journalLength
        snapshotLength = loaded.snapshotLength
        return loaded
    }

    /// Reads the snapshot; also returns its length in bytes.
    private func readSnapshot() throws(DatabaseError) -> (SnapshotReading, Int64)? {
        try withFile(Self.snapshotName) { file, size throws(SystemError) in
            // Records find their names by 32-bit offsets.
            guard size <= Int64(UInt32.max) else {
                throw SystemError("read", location.appending(Self.snapshotName), .tooLarge)
            }
            return (try SnapshotReader.read(SnapshotSource(file, count: Int(size))), size)
        }
    }

    func read(_ name: BytePath) throws(DatabaseError) -> [UInt8]? {
        try withFile(name) { file, size throws(SystemError) in
            try file.readAll(expected: Int(clamping: size), limit: 1 << 31, path: name)
        }
    }

    /// Opens a file for reading; `nil` if it is missing.
    private func withFile<Value>(
        _ name: BytePath, _ body: (OwnedDescriptor, _ size: Int64) throws(SystemError) -> Value
    ) throws(DatabaseError) -> Value? {
        do throws(SystemError) {
            let file = try directory.file(name, .read)
            let status = try file.status(name)
            guard status.kind == .regular else {
                throw SystemError("openat", location.appending(name), .notRegularFile)
            }
            return try body(file, status.stamp.size)
        } catch  where error.isMissing {
            return nil
        } catch {
            throw .unusable(error)
        }
    }

    private func removeJournal() throws(DatabaseError) {
        do throws(SystemError) {
            _ = try directory.removeFile(Self.journalName)
        } catch {
            throw .unusable(error)
        }
    }

    private func setAside(_ name: BytePath, in loaded: inout LoadedDatabase) throws(DatabaseError) {
        let aside = BytePath("\(name).broken")
        var where_ = ""
        if lock != nil {
            do throws(SystemError) {
                try directory.rename(name, to: aside)
                _ = try directory.removeFile(Self.journalName)
            } catch {
                throw .unusable(error)
            }
            where_ = " and was set aside as \(location.appending(aside))"
        }
        loaded.notices.append("\(location.appending(name)) is damaged\(where_): all modules are checked again")
    }

    // MARK: Writing

    /// Adds one wave: as a line of the journal or, if that costs no more, by writing a new snapshot.
    ///
    /// - Parameter contents: the database including the wave; only called if a snapshot is written.
    package func append(_ wave: WaveChange, contents: () -> DatabaseContents, moduleCount: Int) throws(DatabaseError) {
        if snapshotLength > 0, try isDeleted() { return }
        if snapshotLength == 0 || wave.modules.count > max(64, moduleCount / 4) || mustFold {
            try fold(contents())
            return
        }
        do throws(SystemError) {
            if journal == nil { journal = try directory.file(Self.journalName, .append(0o666)) }
            guard let file = journal else { return }
            let line = Journal.encode(wave)
            do throws(SystemError) {
                try line.withRawBytes { bytes throws(SystemError) in
                    try file.writeAll(bytes, path: location.appending(Self.journalName))
                }
            } catch {
                // Half a line would make the next one unreadable. If it cannot be removed, the next wave writes a snapshot.
                do throws(SystemError) {
                    try file.truncate(to: journalLength)
                } catch {
                    isJournalTorn = true
                }
                throw error
            }
            journalLength += Int64(line.count)
        } catch {
            throw .unusable(error)
        }
    }

    /// Whether the snapshot was deleted, perhaps with the whole tree. If so, nothing is written in its place, and the next
    /// start builds everything again.
    private func isDeleted() throws(DatabaseError) -> Bool {
        do throws(SystemError) {
            return try directory.status(Self.snapshotName, followsLinks: false) == nil
        } catch {
            throw .unusable(error)
        }
    }

    private var mustFold: Bool { isJournalTorn || journalLength > max(Self.smallestFold, snapshotLength / 2) }

    /// Creates and removes a file, to send an event to a watcher of the directory.
    package func makeCookie(_ name: BytePath) throws(SystemError) {
        do throws(SystemError) {
            _ = try directory.file(name, .createNew(0o600))
        } catch  where error.alreadyExists {
            // An earlier cookie could not be removed.
            _ = try directory.removeFile(name)
            _ = try directory.file(name, .createNew(0o600))
        }
        _ = try directory.removeFile(name)
    }

    /// Records that this process ended cleanly.
    package func markClean() {
        try? lock?.truncate(to: 0)
    }

    /// Whether this process holds the lock and may write.
    package var isHeld: Bool { lock != nil }

    /// Whether there is a journal that a clean stop should fold.
    package var hasJournal: Bool { journalLength > 0 }

    /// Replaces a file atomically.
    ///
    /// - Parameter isDurable: whether the new contents must survive a power failure once this returns.
    func replace(_ name: BytePath, with bytes: [UInt8], isDurable: Bool) throws(SystemError) {
        try replacement(of: name).write(bytes, FileReplacement.Options(isDurable: isDurable))
    }

    private func replacement(of name: BytePath) -> FileReplacement {
        FileReplacement(
            name, in: directory, path: location.appending(name), temporary: .fixed(BytePath("\(name).tmp")))
    }

    /// Writes a snapshot that replaces the old one and the journal.
    package func fold(_ contents: DatabaseContents) throws(DatabaseError) {
        if snapshotLength > 0, try isDeleted() { return }
        do throws(SystemError) {
            var length: Int64 = 0
            let path = location.appending(Self.snapshotName)
            try replacement(of: Self.snapshotName).write(FileReplacement.Options(isDurable: true)) {
                file throws(SystemError) in
                try Snapshot.write(contents) { piece throws(SystemError) in
                    try piece.withRawBytes { bytes throws(SystemError) in try file.writeAll(bytes, path: path) }
                    length += Int64(piece.count)
                }
            }
            snapshotLength = length
            // If this process dies here, the journal's waves are older than the snapshot's clock and are ignored.
            journal = nil
            _ = try directory.removeFile(Self.journalName)
            isJournalTorn = false
            journalLength = 0
        } catch {
            throw .unusable(error)
        }
    }
}

extension OwnedDescriptor {
    /// The lines of a lock file; none if nobody has held the lock or its last holder ended cleanly.
    private func lockLines() throws(SystemError) -> [String] {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = try bytes.withMutableRawBytes { buffer throws(SystemError) in try read(into: buffer, at: 0) }
        return bytes.prefix(count).split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    fileprivate func holder() throws(SystemError) -> String? { try lockLines().first }

    fileprivate func lockLifetime() throws(SystemError) -> LockLifetime? {
        try lockLines().dropFirst().first.flatMap { LockLifetime(rawValue: $0) }
    }
}

extension DatabaseContents {
    /// Whether every trace refers to an interpreter in the list.
    var knowsItsInterpreters: Bool {
        modules.interpreters.allSatisfy { interpreters.indices.contains($0.rawValue) }
    }

    /// Applies the waves that are newer than the snapshot.
    mutating func apply(_ waves: [WaveChange]) {
        for wave in waves where wave.clock > clock {
            clock = wave.clock
            if let interpreters = wave.interpreters { self.interpreters = interpreters }
            for path in wave.removed { modules.remove(path) }
            for record in wave.modules { modules.update(record) }
        }
    }
}
