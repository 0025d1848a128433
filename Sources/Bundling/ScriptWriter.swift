// Writes a bundle as a Python script: one ASCII file with short lines, which survives mail, chat and terminals.
//
// A short program (script.py), then the compressed archive in comments: Python's tokenizer skips comments in half the time that a
// string of this size takes. The program is in a string, too: if the file ends within it, Python runs nothing.

import Archive
import BasicTypes
import FoundationEssentials

struct ScriptWriter {
    /// The maximum of characters in a line.
    static let width = 76
    /// The lines after `#!`, for whoever opens the file, and for `verify`. The number of bytes in the archive follows, and the CRC-32
    /// of the program.
    private static let mark = "# A Python program in one file, made by freshpyc bundle.\n# Bytes and checksum: "
    private static let separator = "##"

    /// - Parameters:
    ///   - archive: made with `start` 0.
    ///   - compressed: its bytes with raw Deflate.
    static func script(
        _ archive: BundleWriter.InnerArchive, compressed: [UInt8], _ writer: BundleWriter, shebang: String
    ) -> [UInt8] {
        let rows = archive.places.map {
            """
                    (\(PythonLiteral.of($0.magic)), \($0.importer.offset), \($0.importer.size),
                     \($0.index.offset), \($0.index.size)),

            """
        }
        let (kind, name, function) = writer.entry
        let oldHeader = writer.interpreters.first { $0.cacheTag.isEmpty }?.layout.rawValue
        let program = BundleWriter.template(PackageResources.script_py)
            .replacing("@TABLE@", with: "(\n\(rows.joined())    )")
            .replacing("@NAMES@", with: PythonLiteral.lines(writer.interpreterNames))
            .replacing(
                "@ENTRY@",
                with: [kind, name, function].map { "\n    \(PythonLiteral.lines($0))" }.joined(separator: ",")
            )
            .replacing("@HEADER@", with: "\(oldHeader ?? 12)")
            .replacing("@SIZE@", with: "\(archive.bytes.count)")
            .replacing("@CRC@", with: "\(CRC32.of(archive.bytes))")
        // In a namespace of its own: that of the main module is the program's.
        let body = Array("exec(r\"\"\"\(program)\"\"\", {'main': globals()})\n\(separator)\n".utf8)
        var text =
            Array("#!\(shebang)\n\(mark)\(archive.bytes.count) \(Hexadecimal.text(CRC32.of(body), digits: 8))\n".utf8)
            + body
        let encoded = Array(Data(compressed).base64EncodedData())
        text.reserveCapacity(text.count + encoded.count * 78 / 75 + 2)
        for start in stride(from: 0, to: encoded.count, by: width - 1) {
            text.append(UInt8(ascii: "#"))
            text += encoded[start..<min(start + width - 1, encoded.count)]
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    /// The archive in a script.
    ///
    /// - Parameter given: the file; line ends may have been changed on the way.
    /// - Returns: `nil` if the bytes are no such script, or are damaged.
    static func archive(in given: [UInt8]) -> [UInt8]? {
        let bytes = given.filter { $0 != UInt8(ascii: "\r") }
        let separator = Array("\n\(separator)\n".utf8)
        guard let header = header(of: bytes), let end = bytes.firstRange(of: separator)?.upperBound,
            let body = bytes[..<end].firstRange(of: Array("\nexec(".utf8))?.lowerBound,
            CRC32.of(Array(bytes[(body + 1)..<end])) == header.crc,
            let compressed = Data(
                base64Encoded: Data(bytes[end...].filter { $0 != UInt8(ascii: "#") && $0 > 0x20 })),
            // The files are compressed in the archive already.
            header.size <= compressed.count * 64 + (1 << 26)
        else { return nil }
        return Inflate.contents(of: Array(compressed)[...], size: header.size)
    }

    /// Whether a file begins as such a script does.
    static func begins(_ bytes: [UInt8]) -> Bool { header(of: bytes) != nil }

    private static func header(of bytes: [UInt8]) -> (size: Int, crc: UInt32)? {
        guard bytes.starts(with: "#!".utf8) else { return nil }
        let beginning = String(decoding: bytes.prefix(1024).filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        guard let mark = beginning.firstRange(of: mark) else { return nil }
        let words = beginning[mark.upperBound...].prefix { $0 != "\n" }.split(separator: " ")
        guard words.count == 2, let size = Int(words[0]), let crc = UInt32(words[1], radix: 16) else { return nil }
        return (size, crc)
    }
}
