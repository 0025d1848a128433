// Paths in machine formats: as text where that is exact, otherwise also as hexadecimal bytes.

extension BytePath {
    /// The exact bytes, where the text that is shown cannot stand for them.
    package var hexadecimalIfNotText: String? {
        guard exactText == nil || exactText != description else { return nil }
        return Hexadecimal.text(bytes)
    }

    /// The path that was shown this way.
    package init(shown text: String, hexadecimal: String?) {
        self = hexadecimal.flatMap(Hexadecimal.bytes).flatMap { BytePath($0) } ?? BytePath(text)
    }
}
