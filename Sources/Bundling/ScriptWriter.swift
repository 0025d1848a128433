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
    /// The line after `#!` and the coding line, for whoever opens the file. The number of bytes in the archive follows.
    private static let mark = "# A Python program in a file, by freshpyc bundle. Archive bytes: "
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
        var text = Array(
            "#!\(shebang)\n# coding: ascii\n\(mark)\(archive.bytes.count)\nexec(r\"\"\"\(program)\"\"\")\n\(separator)\n"
                .utf8)
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
    /// - Returns: `nil` if the bytes are no such script, or its archive cannot be decoded.
    static func archive(in bytes: [UInt8]) -> [UInt8]? {
        let separator = Array("\n\(separator)\n".utf8)
        guard let size = size(in: bytes), let start = bytes.firstRange(of: separator),
            let compressed = Data(
                base64Encoded: Data(bytes[start.upperBound...].filter { $0 != UInt8(ascii: "#") && $0 > 0x20 }))
        else { return nil }
        return Inflate.contents(of: Array(compressed)[...], size: size)
    }

    /// Whether a file begins as such a script does.
    static func begins(_ bytes: [UInt8]) -> Bool { size(in: bytes) != nil }

    private static func size(in bytes: [UInt8]) -> Int? {
        guard bytes.starts(with: "#!".utf8) else { return nil }
        let beginning = bytes.prefix(1024)
        guard let mark = beginning.firstRange(of: Array(mark.utf8)) else { return nil }
        let digits = beginning[mark.upperBound...].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
