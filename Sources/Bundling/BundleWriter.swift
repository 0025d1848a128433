// Lays out a bundle: an archive with all files inside a small archive that Python opens.
//
// When Python starts a ZIP archive, zipimport reads its whole directory, in Python: 3,500 files take as long as starting Python.
// So the outer archive has three files only: `__main__.py`, the same as a module for processes of multiprocessing, and the inner
// archive, stored. The places of all files in it are known when the bundle is made.

import Archive
import BasicTypes
import BuildModel
import Bytecode
import Interpreters
import LinuxSystem

struct BundleWriter {
    let interpreters: [Interpreter]
    let program: BundleProgram
    let isSourceless: Bool
    /// What comes before the archive: a `#!` line, or a launcher.
    let beginning: [UInt8]
    let time: ZipWriter.Time

    /// One module: reading it must take one call.
    static let importerSource = Array(
        [
            PackageResources.importer_py, PackageResources.importer_resources_py, PackageResources.importer_cache_py,
            PackageResources.importer_files_py,
        ].joined(separator: Array("\n\n".utf8)))
    /// Python reports this name if it cannot find the end of the archive, and takes the file for a script.
    static let incomplete = "# coding: this-bundle-is-incomplete.copy-it-again"

    static func beginning(shebang: String) -> [UInt8] { Array("#!\(shebang)\n\(incomplete)\n".utf8) }

    struct Place {
        let offset: Int
        let size: Int
    }

    /// The archive with all files, and what starts it.
    struct InnerArchive {
        let bytes: [UInt8]
        /// Where an interpreter with this magic number finds the importer and its index; without one, any other Python.
        let places: [(magic: [UInt8], importer: Place, index: Place)]
        /// Where the launcher finds the list of the interpreter's files.
        var table: Place?
    }

    /// - Parameters:
    ///   - contents: sorted by path.
    ///   - importers: the compiled importer, for each interpreter; `nil` for those that cannot run it.
    ///   - runtime: the interpreter itself.
    /// - Returns: the parts of the file, to be written one after the other.
    func program(
        _ contents: [BundleContents], importers: [[UInt8]?], runtime: RuntimeContents? = nil
    ) throws(ZipError) -> (parts: [[UInt8]], table: Place?) {
        // The header of the inner archive comes first: 30 bytes and its name.
        let innerName = "bundle.zip"
        let start = beginning.count + 30 + innerName.utf8.count
        let inner = try innerArchive(contents, importers: importers, runtime: runtime, start: start)
        let bootstrap = Array(self.bootstrap(inner.places).utf8)
        var outer = ZipWriter(prefix: beginning, time: time)
        let entry = try outer.addGap(innerName, count: inner.bytes.count, crc: CRC32.of(inner.bytes))
        guard entry.offset == start else { throw .inconsistent("the inner archive is too large") }
        try outer.add("__main__.py", bootstrap)
        try outer.add("_freshpyc_bundle.py", bootstrap)
        outer.finish()
        return ([Array(outer.bytes[..<start]), inner.bytes, Array(outer.bytes[start...])], inner.table)
    }

    /// - Parameter start: where the archive begins: all places count from the beginning of the file.
    func innerArchive(
        _ contents: [BundleContents], importers: [[UInt8]?], runtime: RuntimeContents? = nil, start: Int
    ) throws(ZipError) -> InnerArchive {
        var inner = ZipWriter(time: time)
        inner.reserve(contents.reduce(1 << 16) { $0 + $1.totalSize + 300 })
        var files: [(path: String, entry: ZipEntry)] = []
        var codes: [[Place?]] = []
        for file in contents {
            if !isOmitted(file) {
                let entry = try add(file, to: &inner)
                files.append((file.path, entry))
                if file.path == BundlePlanner.mainScript { files.append((FolderWriter.mainPath, entry)) }
            }
            var places: [Place?] = []
            for (interpreter, bytecode) in Swift.zip(interpreters, file.bytecode) {
                guard let bytecode else {
                    places.append(nil)
                    continue
                }
                let entry = try add(bytecode, Self.codePath(file.path, interpreter), to: &inner)
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
            index.tuple(count: 5)
            index.number(start + entry.offset)
            index.number(entry.compressedSize)
            index.number(entry.method == .stored ? 0 : 1)
            index.number(entry.size)
            index.number(Int(entry.crc))
        }
        index.endDictionary()
        let listing = try inner.add("_freshpyc/files", index.bytes)
        let listingPlace = Place(offset: start + listing.offset, size: listing.size)
        var places: [(magic: [UInt8], importer: Place, index: Place)] = []
        for (number, interpreter) in interpreters.enumerated() {
            guard let importer = importers[number] else { continue }
            let index = self.index(number, contents, codes, listing: listingPlace)
            let tag = interpreter.cacheTag
            let indexEntry = try inner.add("_freshpyc/index-\(tag)", index)
            let importerEntry = try inner.add("_freshpyc/importer-\(tag)", importer)
            places.append(
                (
                    magic: withUnsafeBytes(of: interpreter.magic.littleEndian) { Array($0) },
                    importer: Place(offset: start + importerEntry.offset, size: importerEntry.size),
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
        let table = try runtime.map { (runtime) throws(ZipError) in try runtime.add(to: &inner, start: start) }
        // Python takes the inner archive for the program if the end of the file is missing.
        try inner.add(
            "__main__.py",
            Array("import sys\nsys.exit(sys.argv[0] + ': this bundle is incomplete; copy it again')\n".utf8))
        inner.finish()
        return InnerArchive(bytes: inner.bytes, places: places, table: table)
    }

    /// Whether an interpreter can run the importer.
    static func canImport(_ interpreter: Interpreter) -> Bool {
        VersionSpecifier(">=3.6")?.contains(interpreter.version) == true
    }

    /// Whether a file is a source that is represented by its bytecode alone.
    func isOmitted(_ file: BundleContents) -> Bool {
        isSourceless && file.module != nil && file.bytecode.contains { $0 != nil }
    }

    @discardableResult
    private func add(_ file: BundleContents, to archive: inout ZipWriter) throws(ZipError) -> ZipEntry {
        try archive.add(
            file.path, file.deflated ?? file.bytes, method: file.deflated == nil ? .stored : .deflated,
            size: file.bytes.count, crc: file.crc, permissions: file.isNative ? 0o755 : 0o644)
    }

    @discardableResult
    private func add(_ bytecode: BytecodeFile, _ path: String, to archive: inout ZipWriter) throws(ZipError) -> ZipEntry
    {
        try archive.add(
            path, bytecode.deflated ?? bytecode.bytes, method: bytecode.deflated == nil ? .stored : .deflated,
            size: bytecode.bytes.count, crc: bytecode.crc)
    }

    /// A library for `sys.path`: zipimport looks for `x.pyc` beside `x.py`, so it can have the bytecode of one interpreter.
    func zip(_ contents: [BundleContents]) throws(ZipError) -> [UInt8] {
        var archive = ZipWriter(time: time)
        for file in contents {
            if let bytecode = file.bytecode.first ?? nil, isSourceless || bytecode.isUnvalidated {
                try add(bytecode, file.path + "c", to: &archive)
            }
            if !isOmitted(file) { try add(file, to: &archive) }
        }
        archive.finish()
        return archive.bytes
    }

    // MARK: Names and headers

    static func codePath(_ path: String, _ interpreter: Interpreter) -> String {
        // Python 2 keeps bytecode beside its source.
        if interpreter.cacheTag.isEmpty { return path + "c" }
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        return "\(path[..<slash])__pycache__/\(path[slash...].dropLast(3)).\(interpreter.cacheTag).pyc"
    }

    private func bootstrap(_ places: [(magic: [UInt8], importer: Place, index: Place)]) -> String {
        let table = places.map {
            "\(PythonLiteral.of($0.magic)): (\($0.importer.offset), \($0.importer.size), \($0.index.offset), \($0.index.size))"
        }
        return Self.template(PackageResources.bootstrap_py)
            .replacing("@PLACES@", with: "{\(table.joined(separator: ", "))}")
            .replacing("@NAMES@", with: interpreterNames)
    }

    /// For people: `CPython 3.12.1, PyPy 3.9.16`.
    var interpreterNames: String {
        interpreters.map { "\($0.implementation == "pypy" ? "PyPy" : "CPython") \($0.version)" }
            .joined(separator: ", ")
    }

    /// A program without the comment at its beginning, which is about the program's source.
    static func template(_ source: [UInt8]) -> String {
        String(decoding: source, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .drop { $0.hasPrefix("#") }.joined(separator: "\n")
    }
}
