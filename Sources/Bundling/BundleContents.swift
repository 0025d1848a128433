// The files of a bundle with their contents and bytecode, ready to be written in any form.

import Archive
import BasicTypes
import BuildModel
import Bytecode

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
    /// Whether Python loads it without a look at its source.
    let isUnvalidated: Bool

    /// Nothing in a bundle can change, so the bytecode is not validated. Before 3.7 there is no such header; the time then
    /// matches no source, and the code is loaded all the same, because the importer does not look at it.
    init(_ code: [UInt8], _ interpreter: Interpreter, source: [UInt8]) {
        isUnvalidated = interpreter.layout == .flagged
        // PyPy does not look at the hash either, whichever it would use.
        let variant = interpreter.sourceHash ?? .sipHash24
        let validation: PycValidation =
            isUnvalidated
            ? .hash(source.withUnsafeBytes { variant.hash($0, key: UInt64(interpreter.magic)) }, isChecked: false)
            : .timestamp(seconds: 0, size: UInt32(truncatingIfNeeded: source.count))
        let header = PycHeader(magic: interpreter.magic, validation: validation).bytes(
            length: interpreter.layout.rawValue)
        headerSize = header.count
        bytes = header + code
        crc = CRC32.of(bytes)
    }

    /// For a directory, in which Python itself looks for bytecode: before 3.7 it is valid if the source has this time.
    func validated(for interpreter: Interpreter, time: Int64, size: Int) -> [UInt8] {
        if isUnvalidated { return bytes }
        let validation = PycValidation.timestamp(
            seconds: UInt32(truncatingIfNeeded: time), size: UInt32(truncatingIfNeeded: size))
        return PycHeader(magic: interpreter.magic, validation: validation).bytes(length: headerSize)
            + bytes[headerSize...]
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
