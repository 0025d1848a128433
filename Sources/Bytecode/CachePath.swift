// Where the bytecode of a source lies (PEP 3147, PEP 488).

/// The place of an artifact, as bytes relative to the directory of its source.
package struct CachePath: Hashable, Sendable {
    /// The folder, or nothing where bytecode lies beside its source.
    package let directory: String
    /// What follows the source's name without `.py`: `.cpython-312.opt-1.pyc`.
    package let suffix: String

    /// - Parameters:
    ///   - cacheTag: `sys.implementation.cache_tag`; empty for Python 2, where `x.py` has `x.pyc` (`x.pyo` with `-O`).
    ///   - level: 0, 1 or 2.
    package init(cacheTag: String, level: UInt8) {
        if cacheTag.isEmpty {
            directory = ""
            suffix = level == 0 ? ".pyc" : ".pyo"
        } else {
            directory = "__pycache__"
            suffix = level == 0 ? ".\(cacheTag).pyc" : ".\(cacheTag).opt-\(level).pyc"
        }
    }

    /// The file's name for a source of this name: what follows the last dot gives way to the suffix, or what comes
    /// before it where that is empty; without a dot, the tag follows without one (`importlib.util.cache_from_source`).
    /// Python 2 adds a letter, whatever the name.
    package func fileName(source: ArraySlice<UInt8>) -> [UInt8] {
        var stem = Array(source)
        if directory.isEmpty { return stem + [suffix.utf8.last ?? UInt8(ascii: "c")] }
        if let dot = stem.lastIndex(of: UInt8(ascii: ".")) {
            if dot > 0 { stem.removeSubrange(dot...) } else { stem.removeFirst() }
        } else {
            return stem + suffix.utf8.dropFirst()
        }
        stem.append(contentsOf: suffix.utf8)
        return stem
    }
}
