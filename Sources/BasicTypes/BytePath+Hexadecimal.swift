// Paths in machine formats: as text where that is exact, else also as hexadecimal bytes.

extension BytePath {
    /// The exact bytes, where the text that is shown cannot stand for them.
    package var hexadecimalIfNotText: String? {
        guard exactText == nil || exactText != description else { return nil }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The path that was shown so.
    package init(shown text: String, hexadecimal: String?) {
        let digits = Array((hexadecimal ?? "").utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
        }
        self = hexadecimal == nil ? BytePath(text) : BytePath(bytes) ?? BytePath(text)
    }
}
