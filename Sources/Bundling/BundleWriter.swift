// Lays out a bundle: an archive with all files inside a small archive that Python opens.
//
// When Python starts a ZIP archive, zipimport reads its whole directory, in Python: 3,500 files take as long as starting Python.
// So the outer archive has three files only: `__main__.py`, the same as a module for processes of multiprocessing, and the inner
// archive, stored. The places of all files in it are known when the bundle is made.

import Archive
import BasicTypes
import BuildModel
import Bytecode
import LinuxSystem

/// The contents of one file of a bundle.
struct BundleContents: Sendable {
    let path: String
    let bytes: [UInt8]
    let isNative: Bool
    /// For each interpreter, the extension module that the file is.
    let extensions: [String?]
    let crc: UInt32
    /// The contents as they are stored, if that is not as they are.
    var deflated: [UInt8]?
    /// For each interpreter: its bytecode file; `nil` if there is none.
    var bytecode: [BytecodeFile?]
    let module: (name: String, isPackage: Bool)?
    /// The distribution that it belongs to.
    let distribution: String?

    var isInstalled: Bool { distribution != nil }

    /// Files that belong together: those of a distribution, or of a top-level package.
    var group: String { distribution ?? String(path.prefix { $0 != "/" }) }

    /// Its size and that of its bytecode.
    var totalSize: Int { bytecode.reduce(bytes.count) { $0 + ($1?.bytes.count ?? 0) } }

    /// Whether it is metadata of a distribution, which only `importlib.metadata` reads.
    var isMetadata: Bool { path.prefix { $0 != "/" }.hasSuffix(".dist-info") }
}

/// A bytecode file in memory.
struct BytecodeFile: Sendable {
    let bytes: [UInt8]
    let headerSize: Int
    let crc: UInt32
    var deflated: [UInt8]?

    /// Nothing in a bundle can change, so the bytecode is not validated. Before 3.7 there is no such header; the time then
    /// matches no source, and the code is loaded all the same, because the importer does not look at it.
    init(_ code: [UInt8], _ interpreter: Interpreter, source: [UInt8]) {
        let hash = interpreter.sourceHash.map { variant in
            source.withUnsafeBytes { variant.hash($0, key: UInt64(interpreter.magic)) }
        }
        let validation: PycValidation =
            hash.map { .hash($0, isChecked: false) }
            ?? .timestamp(seconds: 0, size: UInt32(truncatingIfNeeded: source.count))
        let header = PycHeader(magic: interpreter.magic, validation: validation).bytes(
            length: interpreter.layout.rawValue)
        headerSize = header.count
        bytes = header + code
        crc = CRC32.of(bytes)
    }
}

/// What a module of a bundle is; importer.py has the same numbers.
struct ModuleKind: OptionSet {
    let rawValue: Int

    static let package = ModuleKind(rawValue: 1)
    static let namespace = ModuleKind(rawValue: 2)
    static let `extension` = ModuleKind(rawValue: 4)
    /// Its files are laid out, so its `__file__` is there.
    static let unpacked = ModuleKind(rawValue: 8)
    /// Its bytecode file is compressed.
    static let deflated = ModuleKind(rawValue: 16)
}

struct BundleWriter {
    let interpreters: [Interpreter]
    let program: BundleProgram
    let isSourceless: Bool
    /// What comes before the archive: a `#!` line, or a launcher.
    let beginning: [UInt8]
    let time: ZipWriter.Time

    static let importerSource = PackageResources.importer_py
    /// Python reports this name if it cannot find the end of the archive, and takes the file for a script.
    static let incomplete = "# coding: this-bundle-is-incomplete.copy-it-again"

    static func beginning(shebang: String) -> [UInt8] { Array("#!\(shebang)\n\(incomplete)\n".utf8) }

    private struct Place {
        let offset: Int
        let size: Int
    }

    /// - Parameters:
    ///   - contents: sorted by path.
    ///   - importers: the compiled importer, for each interpreter.
    /// - Returns: the parts of the file, to be written one after the other.
    func program(_ contents: [BundleContents], importers: [[UInt8]]) throws(ZipError) -> [[UInt8]] {
        // The header of the inner archive comes first: 30 bytes and its name.
        let innerName = "bundle.zip"
        let start = beginning.count + 30 + innerName.utf8.count
        var inner = ZipWriter(time: time)
        inner.reserve(contents.reduce(1 << 16) { $0 + $1.totalSize + 300 })
        var files: [(path: String, entry: ZipEntry)] = []
        var codes: [[Place?]] = []
        for file in contents {
            if file.module == nil || !isSourceless || file.bytecode.allSatisfy({ $0 == nil }) {
                files.append(
                    (
                        file.path,
                        try inner.add(
                            file.path, file.deflated ?? file.bytes, method: file.deflated == nil ? .stored : .deflated,
                            size: file.bytes.count, crc: file.crc, permissions: file.isNative ? 0o755 : 0o644)
                    ))
            }
            var places: [Place?] = []
            for (interpreter, bytecode) in Swift.zip(interpreters, file.bytecode) {
                guard let bytecode else {
                    places.append(nil)
                    continue
                }
                let entry = try inner.add(
                    Self.codePath(file.path, interpreter), bytecode.deflated ?? bytecode.bytes,
                    method: bytecode.deflated == nil ? .stored : .deflated, size: bytecode.bytes.count,
                    crc: bytecode.crc)
                // Of a compressed one, the whole file; else the code alone.
                let skipped = bytecode.deflated == nil ? bytecode.headerSize : 0
                places.append(Place(offset: start + entry.offset + skipped, size: entry.compressedSize - skipped))
            }
            codes.append(places)
        }
        var index = IndexWriter()
        index.beginDictionary()
        for (path, entry) in files {
            index.text(path)
            index.tuple(count: 4)
            index.number(start + entry.offset)
            index.number(entry.compressedSize)
            index.number(entry.method == .stored ? 0 : 1)
            index.number(entry.size)
        }
        index.endDictionary()
        let listing = try inner.add("_freshpyc/files", index.bytes)
        let listingPlace = Place(offset: start + listing.offset, size: listing.size)
        var places: [(magic: [UInt8], importer: Place, index: Place)] = []
        for (number, interpreter) in interpreters.enumerated() {
            let index = self.index(number, contents, codes, listing: listingPlace)
            let tag = Self.tag(interpreter)
            let indexEntry = try inner.add("_freshpyc/index-\(tag)", index)
            let importer = try inner.add("_freshpyc/importer-\(tag)", importers[number])
            places.append(
                (
                    magic: withUnsafeBytes(of: interpreter.magic.littleEndian) { Array($0) },
                    importer: Place(offset: start + importer.offset, size: importer.size),
                    index: Place(offset: start + indexEntry.offset, size: indexEntry.size)
                ))
        }
        if !isSourceless {
            // Any other Python 3 compiles the sources.
            let index = self.index(nil, contents, codes, listing: listingPlace)
            let indexEntry = try inner.add("_freshpyc/index", index)
            let importer = try inner.add("_freshpyc/importer.py", Self.importerSource)
            places.append(
                (
                    magic: [], importer: Place(offset: start + importer.offset, size: importer.size),
                    index: Place(offset: start + indexEntry.offset, size: indexEntry.size)
                ))
        }
        // Python takes the inner archive for the program if the end of the file is missing.
        try inner.add(
            "__main__.py",
            Array("import sys\nsys.exit(sys.argv[0] + ': this bundle is incomplete; copy it again')\n".utf8))
        inner.finish()
        let bootstrap = Array(self.bootstrap(places.map { ($0.magic, $0.importer, $0.index) }).utf8)
        var outer = ZipWriter(prefix: beginning, time: time)
        let entry = try outer.addGap(innerName, count: inner.bytes.count, crc: CRC32.of(inner.bytes))
        guard entry.offset == start else { throw .inconsistent("the inner archive is too large") }
        try outer.add("__main__.py", bootstrap)
        try outer.add("_freshpyc_bundle.py", bootstrap)
        outer.finish()
        return [Array(outer.bytes[..<start]), inner.bytes, Array(outer.bytes[start...])]
    }

    /// A library for `sys.path`: zipimport looks for `x.pyc` beside `x.py`, so it can have the bytecode of one interpreter.
    func zip(_ contents: [BundleContents]) throws(ZipError) -> [UInt8] {
        var archive = ZipWriter(time: time)
        for file in contents {
            if let bytecode = file.bytecode.first ?? nil {
                try archive.add(
                    file.path + "c", bytecode.deflated ?? bytecode.bytes,
                    method: bytecode.deflated == nil ? .stored : .deflated, size: bytecode.bytes.count,
                    crc: bytecode.crc)
            }
            if file.module == nil || !isSourceless || file.bytecode.allSatisfy({ $0 == nil }) {
                try archive.add(
                    file.path, file.deflated ?? file.bytes, method: file.deflated == nil ? .stored : .deflated,
                    size: file.bytes.count, crc: file.crc, permissions: file.isNative ? 0o755 : 0o644)
            }
        }
        archive.finish()
        return archive.bytes
    }

    // MARK: The index

    /// - Parameter number: of the interpreter; `nil` for those that compile the sources.
    private func index(
        _ number: Int?, _ contents: [BundleContents], _ codes: [[Place?]], listing: Place
    ) -> [UInt8] {
        var modules: [String: (kind: ModuleKind, place: Place, path: String?)] = [:]
        let standard = number.map { interpreters[$0].standardLibraryNames } ?? []
        let builtIn = number.map { interpreters[$0].builtInNames } ?? []
        let fits = { (file: BundleContents) in number.map { BundleFile.fits(file.path, interpreters[$0]) } ?? true }
        // Where there is machine code, data must be files, too: a library opens them by path.
        let unpackedGroups = Set(contents.filter { $0.isNative && fits($0) }.map(\.group))
        var unpacked: [BundleContents] = []
        for (file, places) in Swift.zip(contents, codes) {
            let kind: ModuleKind = unpackedGroups.contains(file.group) ? .unpacked : []
            if !kind.isEmpty, file.isNative ? fits(file) : file.module == nil, !file.isMetadata {
                unpacked.append(file)
            }
            if let number, let name = file.extensions[number] {
                let isPackage = file.path.split(separator: "/").last?.hasPrefix("__init__.") == true
                modules[name] = (
                    kind.union(isPackage ? [.extension, .package] : .extension), Place(offset: 0, size: 0), file.path
                )
                continue
            }
            if case .script(file.path) = program {
                // Under a name of its own: a package beside it may have the same.
                let place = number.flatMap { places[$0] }
                let isDeflated = number.flatMap { file.bytecode[$0]?.deflated } != nil
                modules["__main__"] = (isDeflated ? .deflated : [], place ?? Place(offset: 0, size: 0), file.path)
            }
            guard let module = file.module, modules[module.name]?.kind.contains(.extension) != true else { continue }
            // What is built into the interpreter is found first.
            if builtIn.contains(Array(module.name.utf8.prefix { $0 != UInt8(ascii: ".") })) { continue }
            // Installed packages come after the standard library: a backport must not replace it.
            if file.isInstalled, standard.contains(Array(module.name.utf8.prefix { $0 != UInt8(ascii: ".") })) {
                continue
            }
            let place = number.flatMap { places[$0] }
            if place == nil, isSourceless { continue }
            if module.isPackage || modules[module.name] == nil {
                let isDeflated = number.flatMap { file.bytecode[$0]?.deflated } != nil
                let own = isDeflated ? kind.union(.deflated) : kind
                modules[module.name] = (
                    module.isPackage ? own.union(.package) : own, place ?? Place(offset: 0, size: 0), nil
                )
            }
        }
        // A directory with modules and without `__init__.py` is a namespace package (PEP 420).
        for name in Array(modules.keys) {
            var parent = name[...]
            while let dot = parent.lastIndex(of: ".") {
                parent = parent[..<dot]
                if modules[String(parent)] != nil { break }
                modules[String(parent)] = (.namespace, Place(offset: 0, size: 0), nil)
            }
        }
        var writer = IndexWriter()
        writer.tuple(count: 4)
        writer.beginDictionary()
        for (name, module) in modules.sorted(by: { $0.key < $1.key }) {
            writer.text(name)
            writer.tuple(count: module.path == nil ? 3 : 4)
            writer.number(module.place.offset)
            writer.number(module.place.size)
            writer.number(module.kind.rawValue)
            if let path = module.path { writer.text(path) }
        }
        writer.endDictionary()
        writer.tuple(count: 2)
        writer.number(listing.offset)
        writer.number(listing.size)
        writer.tuple(count: 2)
        writer.text(Self.digest(unpacked))
        writer.tuple(count: unpacked.count)
        for file in unpacked { writer.text(file.path) }
        let (kind, name, function) = entry
        writer.tuple(count: 3)
        writer.text(kind)
        writer.text(name)
        writer.text(function)
        return writer.bytes
    }

    private var entry: (String, String, String) {
        switch program {
        case .script(let name): ("script", name, "")
        case .module(let name): ("module", name, "")
        case .call(let module, let function): ("call", module, function)
        case .none: ("none", "", "")
        }
    }

    /// A name for these files: where they are laid out.
    private static func digest(_ natives: [BundleContents]) -> String {
        if natives.isEmpty { return "" }
        var all: [UInt8] = []
        for file in natives {
            all += Array(file.path.utf8) + [0]
            all += Array(file.bytes.withUnsafeBytes { SHA256.hexadecimal($0) }.utf8)
        }
        return String(all.withUnsafeBytes { SHA256.hexadecimal($0) }.prefix(32))
    }

    // MARK: Names and headers

    private static func tag(_ interpreter: Interpreter) -> String { interpreter.cacheTag }

    private static func codePath(_ path: String, _ interpreter: Interpreter) -> String {
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        return "\(path[..<slash])__pycache__/\(path[slash...].dropLast(3)).\(interpreter.cacheTag).pyc"
    }

    private func bootstrap(_ places: [(magic: [UInt8], importer: Place, index: Place)]) -> String {
        func literal(_ bytes: [UInt8]) -> String { "b'" + bytes.map { "\\x" + Hexadecimal.text([$0]) }.joined() + "'" }
        let table = places.map {
            "\(literal($0.magic)): (\($0.importer.offset), \($0.importer.size), \($0.index.offset), \($0.index.size))"
        }
        let names = interpreters.map { "\($0.implementation == "pypy" ? "PyPy" : "CPython") \($0.version)" }
        let text = String(decoding: PackageResources.bootstrap_py, as: UTF8.self)
        let body = text.split(separator: "\n", omittingEmptySubsequences: false).drop { $0.hasPrefix("#") }
        return body.joined(separator: "\n")
            .replacing("@PLACES@", with: "{\(table.joined(separator: ", "))}")
            .replacing("@NAMES@", with: names.joined(separator: ", "))
    }
}
