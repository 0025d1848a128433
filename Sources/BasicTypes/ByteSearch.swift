// Looks for words in the bytes of sources.

/// The standard library's `firstRange(of:)` is generic and takes ten times as long: in a large project, whose sources are searched
/// whenever a watch starts, that is many seconds.
package enum ByteSearch {
    /// Whether a word occurs anywhere in these bytes. The empty word does not.
    package static func contains(_ word: [UInt8], in bytes: UnsafeRawBufferPointer) -> Bool {
        word.withUnsafeBytes { word in
            guard let first = word.first, bytes.count >= word.count else { return false }
            var start = 0
            let last = bytes.count &- word.count
            while start <= last {
                if bytes[start] == first {
                    var length = 1
                    while length < word.count, bytes[start &+ length] == word[length] { length &+= 1 }
                    if length == word.count { return true }
                }
                start &+= 1
            }
            return false
        }
    }

    package static func contains(_ word: [UInt8], in bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { contains(word, in: $0) }
    }
}
