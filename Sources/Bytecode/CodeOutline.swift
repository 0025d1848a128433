// A readable summary of one code object.

import BasicTypes

/// A code object in words. All texts are escaped and truncated.
package struct CodeOutline: Sendable {
    /// Names or constants of a code object.
    package struct List<Item: Sendable>: Sendable {
        /// Can be fewer than `count`: the rest is not shown.
        package let items: [Item]
        package let count: Int
        /// Index of the code object that shows this same list; `nil` if `items` does.
        package let sameAs: Int?

        /// Number of items that are not shown at all.
        package var omitted: Int { sameAs == nil ? count - items.count : 0 }
    }

    /// Index among all code objects of the file, outer before inner.
    package let place: Int
    /// Index of the code object that contains it.
    package let parent: Int?
    /// Number of code objects that contain it.
    package let depth: Int
    package let name: String
    /// Since 3.11.
    package let qualifiedName: String?
    /// `co_filename`.
    package let fileName: String
    /// Positional arguments, including positional-only ones.
    package let argumentCount: Int32
    package let positionalOnlyCount: Int32
    package let keywordOnlyCount: Int32
    package let stackSize: Int32
    package let flags: CodeFlags
    /// `co_firstlineno`: for a decorated function, the line of the first decorator.
    package let firstLine: Int32
    /// First to last line of its source; `nil` if unknown.
    package let lines: ClosedRange<Int>?
    /// Length of the instructions, in bytes.
    package let codeLength: Int
    package let names: List<String>
    package let locals: List<String>
    package let cells: List<String>
    package let frees: List<String>
    package let constants: List<ConstantText>

    /// `2 arguments (1 positional-only), 1 keyword-only, *args`; empty if it takes none.
    package var arguments: String {
        var parts: [String] = []
        if argumentCount != 0 {
            let only = positionalOnlyCount == 0 ? "" : " (\(positionalOnlyCount) positional-only)"
            parts.append("\(Plural.count(argumentCount, "argument"))\(only)")
        }
        if keywordOnlyCount != 0 { parts.append("\(keywordOnlyCount) keyword-only") }
        if flags.bits & 0x4 != 0 { parts.append("*args") }
        if flags.bits & 0x8 != 0 { parts.append("**kwargs") }
        return parts.joined(separator: ", ")
    }
}
