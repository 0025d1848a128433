// One code object as people read it.

import BasicTypes

/// A code object in words. All texts are escaped and cut.
package struct CodeOutline: Sendable {
    /// Names or constants of a code object.
    package struct List<Item: Sendable>: Sendable {
        /// Fewer than `count` where the rest is not shown.
        package let items: [Item]
        package let count: Int
        /// The code object that has the very same list, and shows it.
        package let sameAs: Int?

        /// How many are neither here nor there.
        package var omitted: Int { sameAs == nil ? count - items.count : 0 }
    }

    /// Its place among all code objects of the file: an outer one comes before those that it holds.
    package let place: Int
    /// The code object that holds it.
    package let parent: Int?
    /// How many code objects it is inside of.
    package let depth: Int
    package let name: String
    /// Since 3.11.
    package let qualifiedName: String?
    /// The path that it was compiled as.
    package let fileName: String
    /// Positional arguments, those that are only positional among them.
    package let argumentCount: Int32
    package let positionalOnlyCount: Int32
    package let keywordOnlyCount: Int32
    package let stackSize: Int32
    package let flags: CodeFlags
    /// `co_firstlineno`: of a function the line of its first decorator.
    package let firstLine: Int32
    /// From the first to the last line of its source; `nil` where none is known.
    package let lines: ClosedRange<Int>?
    /// Bytes of instructions.
    package let codeLength: Int
    package let names: List<String>
    package let locals: List<String>
    package let cells: List<String>
    package let frees: List<String>
    package let constants: List<ConstantText>

    /// `2 arguments (1 positional-only), 1 keyword-only, *args`, or nothing where it takes none.
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
