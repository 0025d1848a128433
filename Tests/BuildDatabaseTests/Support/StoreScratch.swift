// A directory for tests of the store, and functions to create, damage and remove files in it.

import BasicTypes
import BuildModel
import Glibc
import LinuxSystem
import Testing

@testable import BuildDatabase

/// A new directory, which is removed with this object.
final class StoreScratch {
    let path: BytePath
    private var mounts: [BytePath] = []

    init() throws {
        path = BytePath("/tmp/freshpyc-store-\(Host.processIdentifier)-\(UInt64.random(in: 0 ... .max))")
        _ = try Host.makeDirectory(path, permissions: 0o755)
    }

    deinit {
        for mount in mounts { _ = mount.withCString { umount2($0, Int32(MNT_DETACH)) } }
        Self.removeAll(path)
    }

    var store: BytePath { path.appending("store") }

    /// Whether this process runs as root.
    static let isRoot = geteuid() == 0

    /// Whether a small file system can be mounted.
    static let mayMount: Bool = {
        guard isRoot, let scratch = try? StoreScratch() else { return false }
        return scratch.mount("probe", bytes: 65_536)
    }()

    /// Mounts a file system in memory. Returns whether that succeeded.
    func mount(_ name: String, bytes: Int) -> Bool {
        let place = path.appending(name)
        guard (try? Host.makeDirectory(place, permissions: 0o700)) == true else { return false }
        let options = "size=\(bytes),mode=700"
        guard place.withCString({ Glibc.mount("none", $0, "tmpfs", 0, options) }) == 0 else { return false }
        mounts.append(place)
        return true
    }

    func makeReadOnly(_ name: String) -> Bool {
        path.appending(name).withCString {
            Glibc.mount("none", $0, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil)
        } == 0
    }

    static func removeAll(_ path: BytePath) {
        // A test may have removed the permission to delete its contents.
        _ = path.withCString { chmod($0, 0o700) }
        if let directory = try? Directory(path: path) {
            var names: [(BytePath, EntryKind)] = []
            try? DirectoryListing().forEach(in: directory, path: path) { name, kind throws(SystemError) in
                names.append((BytePath(cString: name), kind))
            }
            for (name, kind) in names {
                if kind == .directory { removeAll(path.appending(name)) } else { _ = try? directory.removeFile(name) }
            }
        }
        _ = path.withCString { rmdir($0) }
    }

    static func setPermissions(_ path: BytePath, _ permissions: UInt32) {
        #expect(path.withCString { chmod($0, permissions) } == 0)
    }

    static func setOwner(_ path: BytePath, _ owner: UInt32) {
        #expect(path.withCString { chown($0, owner, owner) } == 0)
    }

    static func makeLink(_ path: BytePath, to target: BytePath) {
        #expect(target.withCString { target in path.withCString { symlink(target, $0) } } == 0)
    }

    static func makeFIFO(_ path: BytePath) {
        #expect(path.withCString { mkfifo($0, 0o600) } == 0)
    }

    static func move(_ path: BytePath, to target: BytePath) {
        #expect(path.withCString { path in target.withCString { rename(path, $0) } } == 0)
    }

    /// Creates or overwrites a file, without changing its inode.
    static func write(_ bytes: [UInt8], to path: BytePath) throws {
        let file = try Directory(path: path.parent).file(BytePath.empty.appending(path.lastComponent), .append(0o600))
        try file.truncate(to: 0)
        try bytes.withRawBytes { bytes throws(SystemError) in try file.writeAll(bytes) }
    }

    static func setAge(_ path: BytePath, seconds: Int64) throws {
        let file = try Directory(path: path.parent).file(BytePath.empty.appending(path.lastComponent), .read)
        try file.setModified(FileTime(nanoseconds: Host.realtime - seconds * 1_000_000_000))
    }

    static func exists(_ path: BytePath) -> Bool { ((try? Host.status(path, followsLinks: false)) ?? nil) != nil }

    /// The names in all shards.
    func files() throws -> [String] {
        var found: [String] = []
        for index in UInt8.min...UInt8.max {
            let path = store.appending(StoreAddress.shardName(index))
            guard let shard = try? Directory(path: path) else { continue }
            try DirectoryListing().forEach(in: shard, path: path) { name, _ throws(SystemError) in
                found.append("\(StoreAddress.shardName(index))/\(BytePath(cString: name))")
            }
        }
        return found.sorted()
    }
}

/// Keys and code to save in a store.
enum StoreSamples {
    static let interpreter = Interpreter(
        path: BytePath("/usr/bin/python3"),
        executable: Stamp(
            device: 1, inode: 2, size: 3, modified: FileTime(nanoseconds: 4), changed: FileTime(nanoseconds: 5)),
        version: "3.12.1", implementation: "cpython", cacheTag: "cpython-312", magic: 0x0a0d_0dcb, layout: .flagged,
        sourceHash: .sipHash13, codeLayout: "locals-plus")

    static func key(_ number: UInt64, level: OptimizationLevel = .none) -> StoreKey {
        StoreKey(source: Fingerprint(high: ~number, low: number), interpreter: interpreter, level: level)
    }

    static func code(_ number: UInt64, size: Int = 40) -> StoredCode {
        let body = (0..<size).map { UInt8(truncatingIfNeeded: UInt64($0) &* 31 &+ number) }
        return StoredCode(
            body: body, fileName: min(3, size)..<min(9, size), diagnostics: [],
            microseconds: UInt32(truncatingIfNeeded: number))
    }

    static let warnings = [
        Diagnostic(
            .syntaxWarning, .warning, line: 3, column: 1, endLine: 4, endColumn: 2, type: "SyntaxWarning",
            message: "\"is\" with a literal \u{0}\n é \u{1F600}"),
        Diagnostic(.deprecationWarning, .note, line: -1, column: .max, endLine: .min, endColumn: 0, message: ""),
    ]

    static func place(_ key: StoreKey, in store: BytePath) -> BytePath {
        store.appending(StoreAddress.shardName(key.address.shard)).appending(key.address.name)
    }
}
