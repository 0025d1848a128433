// Reads a bundle, for `inspect` and `verify`. Starts no Python, and trusts nothing in the file.

import Archive
import BasicTypes
import BuildModel
import Bytecode
import Interpreters

/// A bundle that was read.
package struct BundleReader: Sendable {
    /// What it runs, in words; `nil` for a library, or if it has no index that can be read.
    package private(set) var program: String?
    /// The cache tags of the Pythons that it has bytecode for.
    package private(set) var tags: [String] = []
    package private(set) var moduleCount = 0
    /// The number of files of the interpreter in it.
    package private(set) var runtimeFileCount = 0
    package private(set) var fileCount = 0
    package private(set) var hasSources = false
    /// `name version`, sorted.
    package private(set) var distributions: [String] = []
    /// What is wrong with it.
    package private(set) var problems: [String] = []
    private var damaged: Set<String> = []
    /// The hashes of sources for the interpreters of their bytecode: several files may claim one source.
    private var hashes: [HashKey: [UInt64]] = [:]

    /// What its launcher was told; `nil` if it has none, or a damaged one.
    private var launcherLines: [String]?

    private struct HashKey: Hashable {
        let source: String
        let magic: UInt32
    }

    package let size: Int
    /// The line after `#!`; empty for a library and for an executable.
    package let shebang: String
    /// Whether it begins with a launcher.
    package let isExecutable: Bool
    /// Whether it is a Python source.
    package let isScript: Bool

    private static let innerName = "bundle.zip"

    /// - Returns: `nil` if these bytes are no bundle: no archive begins or ends there as bundles do.
    package init?(_ bytes: [UInt8]) {
        size = bytes.count
        let isProgram = bytes.starts(with: "#!".utf8)
        let line = isProgram ? bytes.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") } : []
        shebang = String(decoding: line, as: UTF8.self)
        let mark = Array(BundleWriter.incomplete.utf8)
        isExecutable = BundleLauncher.begins(bytes)
        isScript = ScriptWriter.begins(bytes)
        guard !isScript else {
            readScript(bytes)
            return
        }
        let isMarked = isExecutable || isProgram && bytes.dropFirst(line.count + 3).starts(with: mark)
        if isExecutable {
            launcherLines = BundleLauncher.lines(in: bytes)
            if launcherLines == nil { problems.append("the launcher at its beginning is damaged") }
        }
        do throws(ZipError) {
            let outer = try Self.archive(bytes[...])
            guard isMarked else {
                // A library: bytecode beside sources.
                guard !isProgram, outer.entries.contains(where: { $0.name.hasSuffix(".pyc") }) else { return nil }
                examine(bytes[...], outer, base: 0)
                return
            }
            guard let place = outer.find(Self.innerName), place.method == .stored else {
                problems.append("it has no inner archive")
                return
            }
            checkSums(bytes[...], outer, except: Self.innerName)
            let inner = bytes[place.offset..<place.offset + place.compressedSize]
            examine(inner, try Self.archive(inner), base: place.offset)
        } catch {
            guard isMarked else { return nil }
            problems.append(error.reason)
        }
    }

    private mutating func readScript(_ bytes: [UInt8]) {
        guard let archive = ScriptWriter.archive(in: bytes) else {
            problems = ["it is incomplete or damaged: its archive cannot be decoded"]
            return
        }
        do throws(ZipError) {
            examine(archive[...], try Self.archive(archive[...]), base: 0)
        } catch {
            problems.append(error.reason)
        }
    }

    /// Whether a file begins as a bundle does that is a Python source.
    package static func isScript(_ beginning: [UInt8]) -> Bool { ScriptWriter.begins(beginning) }

    /// Whether a file begins as a bundle does.
    package static func mayBegin(_ bytes: [UInt8]) -> Bool {
        let mark = Array(BundleWriter.incomplete.utf8)
        return ScriptWriter.begins(bytes) || BundleLauncher.begins(bytes) || bytes.starts(with: [0x50, 0x4B, 3, 4])
            || bytes.starts(with: "#!".utf8) && Array(bytes.prefix(1024)).firstRange(of: mark) != nil
    }

    private static func archive(_ bytes: ArraySlice<UInt8>) throws(ZipError) -> ZipReader {
        let result = bytes.withUnsafeBytes { bytes -> Result<ZipReader, ZipError> in
            do throws(ZipError) { return .success(try ZipReader(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private mutating func checkSums(_ bytes: ArraySlice<UInt8>, _ archive: ZipReader, except: String? = nil) {
        for entry in archive.entries where entry.name != except {
            guard let contents = Self.contents(of: entry, in: bytes) else {
                problems.append("\(entry.name) is damaged: it cannot be decompressed")
                continue
            }
            if contents.withUnsafeBytes({ CRC32.of($0) }) != entry.crc {
                damaged.insert(entry.name)
                problems.append("\(entry.name) is damaged: its checksum differs")
            }
        }
    }

    /// - Returns: `nil` if it is compressed, and not whole.
    private static func contents(of entry: ZipEntry, in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let start = bytes.startIndex + entry.offset
        let stored = bytes[start..<start + entry.compressedSize]
        return entry.method == .stored ? stored : Inflate.contents(of: stored, size: entry.size).map { $0[...] }
    }

    /// - Parameter base: where the archive begins in the file.
    private mutating func examine(_ bytes: ArraySlice<UInt8>, _ archive: ZipReader, base: Int) {
        checkSums(bytes, archive)
        let entries = Dictionary(archive.entries.map { ($0.name, $0) }) { one, _ in one }
        var modules: Set<String> = []
        for entry in archive.entries {
            if entry.name.hasPrefix(RuntimeContents.folder) {
                runtimeFileCount += 1
            } else if entry.name == RuntimeContents.table {
                examineTable(entry, bytes, archive, base)
            } else if entry.name.hasPrefix("_freshpyc/") {
                examineIndex(entry, bytes, archive, base)
            } else if entry.name.hasSuffix(".pyc") {
                guard let source = Self.source(of: entry.name) else { continue }
                modules.insert(source)
                checkHeader(entry, source: entries[source], bytes)
            } else {
                fileCount += 1
                hasSources = hasSources || entry.name.hasSuffix(".py") && entry.name != "__main__.py"
                if entry.name.hasSuffix(".py") { modules.insert(entry.name) }
                if entry.name.hasSuffix(".dist-info/METADATA") { note(distribution: entry.name) }
            }
        }
        modules.remove("__main__.py")
        moduleCount = modules.count
        distributions.sort()
        tags.sort()
    }

    /// `django-5.1.4.dist-info/METADATA`
    private mutating func note(distribution path: String) {
        let parts = path.dropLast(".dist-info/METADATA".count).split(separator: "-", maxSplits: 1)
        distributions.append(parts.joined(separator: " "))
    }

    /// `a/x.py` of `a/__pycache__/x.cpython-312.pyc` and of `a/x.pyc`.
    private static func source(of path: String) -> String? {
        guard let cache = path.firstRange(of: "__pycache__/") else { return String(path.dropLast(1)) }
        let name = path[cache.upperBound...].dropLast(4)
        return name.lastIndex(of: ".").map { path[..<cache.lowerBound] + name[..<$0] + ".py" }
    }

    /// The hash in the header of bytecode is that of the source, if both use a variant that is known.
    private mutating func checkHeader(_ entry: ZipEntry, source: ZipEntry?, _ bytes: ArraySlice<UInt8>) {
        // What cannot be decompressed has been reported.
        guard !damaged.contains(entry.name), let contents = Self.contents(of: entry, in: bytes) else { return }
        guard let file = contents.withUnsafeBytes({ PycFile.guessing($0) }), file.isWhole, file.hasMagicEnding else {
            problems.append("\(entry.name) is damaged: it is not bytecode")
            return
        }
        guard let source, case .hash(let hash, let isChecked)? = file.header?.validation else { return }
        if isChecked { problems.append("\(entry.name) is validated against a source, which costs time at each start") }
        let key = HashKey(source: source.name, magic: file.magic)
        if hashes[key] == nil {
            guard let text = Self.contents(of: source, in: bytes) else { return }
            hashes[key] = text.withUnsafeBytes { text in
                [SourceHashVariant.sipHash13, .sipHash24].map { $0.hash(text, key: UInt64(file.magic)) }
            }
        }
        let isRight = hashes[key]?.contains(hash) == true
        if !isRight { problems.append("\(entry.name) is bytecode of another version of its source") }
    }

    /// All places in the launcher's table are those of files.
    private mutating func examineTable(
        _ entry: ZipEntry, _ bytes: ArraySlice<UInt8>, _ archive: ZipReader, _ base: Int
    ) {
        let place = "runtime \(base + entry.offset) \(entry.size) "
        if let launcherLines, !launcherLines.contains(where: { $0.hasPrefix(place) }) {
            problems.append("the launcher does not find the interpreter")
        }
        let contents = Self.contents(of: entry, in: bytes).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let lines = Set(contents.split(separator: "\n"))
        for file in archive.entries where file.name.hasPrefix(RuntimeContents.folder) {
            let line = RuntimeContents.line(
                file, start: base, isProgram: file.permissions & 0o100 != 0,
                path: String(file.name.dropFirst(RuntimeContents.folder.count)))
            if !lines.contains(line[...]) {
                problems.append("\(entry.name) is damaged: it does not say where \(file.name) is")
            }
        }
    }

    /// All places in an index are those of files.
    private mutating func examineIndex(
        _ entry: ZipEntry, _ bytes: ArraySlice<UInt8>, _ archive: ZipReader, _ base: Int
    ) {
        let isListing = entry.name == "_freshpyc/files"
        guard isListing || entry.name.hasPrefix("_freshpyc/index") else { return }
        let tag = entry.name.dropFirst("_freshpyc/index-".count)
        if !isListing, !tag.isEmpty { tags.append(String(tag)) }
        guard let contents = Self.contents(of: entry, in: bytes), let value = IndexValue(Array(contents)),
            let places = isListing ? value.entries : value.items?.first?.entries
        else {
            problems.append("\(entry.name) is damaged: it cannot be read")
            return
        }
        if let run = value.items?.dropFirst(3).first?.items, run.count == 3 { program = Self.words(run) }
        let ends = Dictionary(
            archive.entries.map { (base + $0.offset + $0.compressedSize, base + $0.offset) }, uniquingKeysWith: min)
        for (name, place) in places {
            guard let place = place.items, place.count >= 3, let offset = place[0].number, let size = place[1].number
            else {
                problems.append("\(entry.name) is damaged: the place of \(name) is missing")
                continue
            }
            // Without a place: a namespace package, an extension module, or one that is compiled at the start.
            if size == 0 { continue }
            let isWhole = isListing || ModuleKind(rawValue: place[2].number ?? 0).contains(.deflated)
            guard let start = ends[offset + size], isWhole ? start == offset : start + 8...start + 16 ~= offset else {
                problems.append("\(entry.name) is damaged: \(name) is not where it says")
                continue
            }
        }
    }

    private static func words(_ run: [IndexValue]) -> String? {
        guard let kind = run[0].text, let name = run[1].text, let function = run[2].text else { return nil }
        switch kind {
        case "script": return name
        case "module": return "-m \(name)"
        case "call": return "\(name):\(function)"
        default: return nil
        }
    }
}
