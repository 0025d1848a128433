// Numbers with their nouns, for messages.

/// English plurals.
package enum Plural {
    /// `1 module`, `3 modules`. `plural` is for nouns whose plural is not formed with `s`.
    package static func count(_ count: some BinaryInteger, _ noun: String, _ plural: String? = nil) -> String {
        "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
    }
}
