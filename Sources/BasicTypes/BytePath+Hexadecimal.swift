// Paths in machine formats: as text, plus hexadecimal bytes where the text is not exact.

extension BytePath {
    /// The exact bytes in hexadecimal; `nil` if the displayed text is exact.
    package var hexadecimalIfNotText: String? {
        guard exactText == nil || exactText != description else { return nil }
        return Hexadecimal.text(bytes)
    }

    /// Restores a path from its displayed text and `hexadecimalIfNotText`.
    package init(shown text: String, hexadecimal: String?) {
        self = hexadecimal.flatMap(Hexadecimal.bytes).flatMap { BytePath($0) } ?? BytePath(text)
    }
}
