// What a ZIP archive says about one of its files.

/// How the contents are stored (APPNOTE.TXT 4.4.5). The others are neither written nor read.
package enum ZipMethod: UInt16, Sendable {
    case stored = 0
    case deflated = 8
}

/// One file of an archive.
package struct ZipEntry: Hashable, Sendable {
    /// With `/` between the components; UTF-8.
    package let name: String
    package let method: ZipMethod
    package let crc: UInt32
    /// Bytes in the archive.
    package let compressedSize: Int
    /// Bytes of the file.
    package let size: Int
    /// Where the contents begin, from the start of the archive.
    package let offset: Int
    /// The permission bits of the file.
    package let permissions: UInt32
}

/// Why an archive cannot be written or read.
package enum ZipError: Error, Hashable, Sendable {
    /// A name that is empty, absolute, has `.` or `..`, a backslash or a NUL, or is longer than 65,535 bytes.
    case badName(String)
    case doubledName(String)
    /// It ends before it should, or does not begin where it should.
    case truncated
    case notAnArchive
    /// A part contradicts another, or lies in another part.
    case inconsistent(String)
    /// A feature that bundles do not use: encryption, several disks, another compression.
    case unsupported(String)

    package var reason: String {
        switch self {
        case .badName(let name): "it has a file with the name '\(name)', which no archive should have"
        case .doubledName(let name): "it has two files with the name '\(name)'"
        case .truncated: "it is incomplete"
        case .notAnArchive: "it is not a ZIP archive"
        case .inconsistent(let what): "it is damaged: \(what)"
        case .unsupported(let what): "it has \(what), which is not supported"
        }
    }
}

extension ZipError {
    /// Refuses names that would lead out of a directory, or mean different files to different programs.
    package static func check(name: String) throws(ZipError) {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isGood =
            !name.isEmpty && name.utf8.count <= 0xFFFF
            && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "\\") }
            && parts.allSatisfy { !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
        if !isGood { throw .badName(name) }
    }
}
