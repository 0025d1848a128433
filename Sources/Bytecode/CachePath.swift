// Where Python stores the bytecode of a source file (PEP 3147, PEP 488).

/// The path of a bytecode file relative to the directory of its source.
package struct CachePath: Hashable, Sendable {
    /// `__pycache__`, or empty if the bytecode is stored next to its source.
    package let directory: String
    /// Replaces `.py` in the source's name: `.cpython-312.opt-1.pyc`.
    package let suffix: String

    /// - Parameters:
    ///   - cacheTag: `sys.implementation.cache_tag`; empty for Python 2, where `x.py` has `x.pyc` (`x.pyo` with `-O`).
    ///   - level: optimization level: 0, 1 or 2.
    package init(cacheTag: String, level: UInt8) {
        if cacheTag.isEmpty {
            directory = ""
            suffix = level == 0 ? ".pyc" : ".pyo"
        } else {
            directory = "__pycache__"
            suffix = level == 0 ? ".\(cacheTag).pyc" : ".\(cacheTag).opt-\(level).pyc"
        }
    }

    /// The bytecode file's name for a source of this name, as `importlib.util.cache_from_source` makes it: the suffix
    /// replaces the last dot and everything after it. If that would leave nothing, only the leading dot is dropped. A
    /// name without a dot gets the suffix without its leading dot. Python 2 appends `c` or `o`, whatever the name.
    package func fileName(source: ArraySlice<UInt8>) -> [UInt8] {
        if directory.isEmpty { return Array(source) + [suffix.utf8.last ?? UInt8(ascii: "c")] }
        guard let dot = source.lastIndex(of: UInt8(ascii: ".")) else {
            return Array(source) + suffix.utf8.dropFirst()
        }
        var name: [UInt8] = []
        name.reserveCapacity(source.count + suffix.utf8.count)
        name.append(contentsOf: dot > source.startIndex ? source[..<dot] : source.dropFirst())
        name.append(contentsOf: suffix.utf8)
        return name
    }
}
