// Numbers with their nouns, as messages have them.

/// English plurals.
package enum Plural {
    /// `1 module`, `3 modules`; `plural` is for a noun that does not just take an s.
    package static func count(_ count: some BinaryInteger, _ noun: String, _ plural: String? = nil) -> String {
        "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
    }
}
