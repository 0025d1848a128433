// The files of an interpreter with their contents, as a bundle stores them for its launcher (Sources/freshpyc-launcher/runtime.c).

import Archive
import BasicTypes
import BuildModel
import LinuxSystem

struct RuntimeContents: Sendable {
    private struct File: Sendable {
        let path: String
        var bytes: [UInt8]
        let isProgram: Bool
        let isSource: Bool
        var deflated: [UInt8]?
    }

    /// Where the files are in the archive, below it.
    static let folder = "_freshpyc/runtime/"
    /// Where they are in a bundle that is a directory.
    static let directory = "python/"
    static let table = "_freshpyc/runtime-table"

    /// Relative to the directory in which the launcher lays the files out.
    let program: String
    private var files: [File] = []

    init(_ runtime: BundleRuntime) throws(BundleError) {
        program = runtime.program
        let read = ParallelSlices.map(runtime.files, sliceSize: 16, scratch: {}) {
            file, _ -> Result<File, BundleError> in
            switch file.origin {
            case .bytes(let bytes):
                return .success(File(path: file.path, bytes: bytes, isProgram: file.isProgram, isSource: false))
            case .file(let path), .source(let path):
                var isSource = false
                if case .source = file.origin { isSource = true }
                guard let bytes = Host.contents(path, limit: BundleBuild.largestFile) else {
                    return .failure(BundleError("cannot read \(path), which is part of the interpreter"))
                }
                return .success(File(path: file.path, bytes: bytes, isProgram: false, isSource: isSource))
            }
        }
        for file in read { files.append(try file.get()) }
    }

    /// What is to be compiled. The path is the file name in the code.
    var sources: [(path: String, bytes: [UInt8])] { sourceIndices.map { (files[$0].path, files[$0].bytes) } }

    private var sourceIndices: [Int] { files.indices.filter { files[$0].isSource } }

    /// Replaces a source by its bytecode: Python finds it in the place of the source.
    mutating func addBytecode(_ bytecode: [(source: Int, code: [UInt8])], _ interpreter: Interpreter) {
        let indices = sourceIndices
        for (source, code) in bytecode {
            let file = files[indices[source]]
            files[indices[source]] = File(
                path: file.path + "c", bytes: BytecodeFile(code, interpreter, source: file.bytes).bytes,
                isProgram: false,
                isSource: false)
        }
    }

    mutating func compress(by interpreter: Interpreter) throws(BundleError) {
        for (index, bytes) in try BundleCompression.deflated(files.map(\.bytes), by: interpreter).enumerated() {
            files[index].deflated = bytes
        }
    }

    /// The files for a bundle that is a directory.
    func folderFiles(in folder: String) -> [BundleFolderFile] {
        files.map {
            BundleFolderFile(path: folder + $0.path, bytes: $0.bytes, permissions: $0.isProgram ? 0o755 : 0o644)
        }
    }

    /// SHA-256 of the program.
    var programHash: String? {
        files.first { $0.path == program }.map { $0.bytes.withUnsafeBytes { SHA256.hexadecimal($0) } }
    }

    /// A name for these files: where they are laid out.
    var digest: String {
        let parts = ParallelSlices.map(files, sliceSize: 8, scratch: {}) { file, _ in
            "\(file.path)\0\(file.isProgram)\0" + file.bytes.withUnsafeBytes { SHA256.hexadecimal($0) }
        }
        let all = Array(parts.joined().utf8)
        return String(all.withUnsafeBytes { SHA256.hexadecimal($0) }.prefix(32))
    }

    /// A line of the table, which runtime.c reads.
    static func line(_ entry: ZipEntry, start: Int, isProgram: Bool, path: String) -> String {
        "\(start + entry.offset) \(entry.compressedSize) \(entry.method == .stored ? 0 : 1) \(entry.size) \(entry.crc) \(isProgram ? 1 : 0) \(path)"
    }

    /// Adds the files and their table.
    ///
    /// - Parameter start: where the archive begins in the file.
    /// - Returns: the place of the table in the file.
    func add(to archive: inout ZipWriter, start: Int) throws(ZipError) -> BundleWriter.Place {
        var lines = ""
        for file in files {
            let entry = try archive.add(
                Self.folder + file.path, file.deflated ?? file.bytes,
                method: file.deflated == nil ? .stored : .deflated,
                size: file.bytes.count, crc: CRC32.of(file.bytes), permissions: file.isProgram ? 0o755 : 0o644)
            lines += Self.line(entry, start: start, isProgram: file.isProgram, path: file.path) + "\n"
        }
        let entry = try archive.add(Self.table, Array(lines.utf8))
        return BundleWriter.Place(offset: start + entry.offset, size: entry.size)
    }
}
