// Suggests the known word that is nearest to a misspelled one.

/// A "did you mean" for unknown words.
package enum Suggestion {
    /// The candidate with the fewest edits, if it is near enough not to be a coincidence.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        // A single character is near to every other.
        guard word.utf8.count > 1 else { return nil }
        let word = Array(word.utf8)
        // An option of one letter is near to every other.
        let isShort = word.count == 2 && word[0] == UInt8(ascii: "-")
        let ranked = (isShort ? [] : candidates).map { (candidate: $0, distance: distance(word, Array($0.utf8))) }
        // Of several, the first in the alphabet, so that the answer is always the same.
        guard let best = ranked.min(by: { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }) else {
            return nil
        }
        return best.distance <= max(1, min(word.count, best.candidate.utf8.count) / 3) ? best.candidate : nil
    }

    /// Insertions, deletions, replacements, and swaps of neighbours (optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var rows = [[Int]](repeating: [Int](repeating: 0, count: right.count + 1), count: left.count + 1)
        for i in 0...left.count { rows[i][0] = i }
        for j in 0...right.count { rows[0][j] = j }
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        for i in 1...left.count {
            for j in 1...right.count {
                let cost = left[i - 1] == right[j - 1] ? 0 : 1
                rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
                }
            }
        }
        return rows[left.count][right.count]
    }
}
