// Text and bytes as Python literals: ASCII, and with short lines.

import BasicTypes

enum PythonLiteral {
    static func of(_ bytes: [UInt8]) -> String { "b'" + bytes.map { "\\x" + Hexadecimal.text([$0]) }.joined() + "'" }

    /// A literal of several parts, one on each line, which Python joins. Python 2 takes those with other characters than ASCII for
    /// Unicode, as in archives.
    ///
    /// - Parameter width: the maximum of characters in a part.
    static func lines(_ text: String, width: Int = 60) -> String {
        var lines: [String] = [""]
        for scalar in text.unicodeScalars {
            let part =
                switch scalar {
                case "'", "\\", "\"": "\\x" + Hexadecimal.text([UInt8(scalar.value)])
                case " "..."~": String(scalar)
                default: "\\U" + Hexadecimal.text(withUnsafeBytes(of: scalar.value.bigEndian) { Array($0) })
                }
            if lines[lines.count - 1].utf8.count + part.utf8.count > width { lines.append("") }
            lines[lines.count - 1] += part
        }
        let prefix = text.utf8.allSatisfy { $0 < 0x80 } ? "" : "u"
        return lines.map { "\(prefix)'\($0)'" }.joined(separator: "\n    ")
    }
}
