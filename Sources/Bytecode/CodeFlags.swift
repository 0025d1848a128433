// Names for the flags of a code object (`co_flags`: Include/cpython/code.h, Lib/__future__.py).

package struct CodeFlags: Hashable, Sendable {
    package let bits: UInt32

    package init(bits: UInt32) { self.bits = bits }

    /// Whether this is a function's code: its local variables have fixed slots, new for each call.
    package var isFunction: Bool { bits & 0x3 == 0x3 }

    private static let always: [(UInt32, String)] = [
        (0x1, "optimized"), (0x2, "new locals"), (0x4, "*args"), (0x8, "**kwargs"), (0x10, "nested"),
        (0x20, "generator"), (0x40, "no free variables"), (0x80, "coroutine"), (0x100, "iterable coroutine"),
        (0x200, "async generator"),
    ]

    /// One bit each, from `division` up. 3.8.3 shifted them left by four bits so that they do not clash with the flags
    /// of `compile` (bpo-39562). A layout does not tell 3.8.0 to 3.8.2 from later versions; their future flags are
    /// shown without names or with wrong ones.
    private static let futures = [
        "division", "absolute_import", "with_statement", "print_function", "unicode_literals", "barry_as_FLUFL",
        "generator_stop", "annotations",
    ]

    /// Added in 3.13 and 3.14.
    private static let later: [(UInt32, String)] = [
        (0x200_0000, "no monitoring events"), (0x400_0000, "docstring"), (0x800_0000, "method"),
    ]

    /// One word for each bit that is set; bits without a name are shown together as one hexadecimal number.
    package func words(in layout: CodeLayout) -> [String] {
        let isOld = layout == .python2 || layout == .keywordOnly
        let firstFuture: UInt32 = isOld ? 0x2000 : 0x2_0000
        let named =
            Self.always
            + Self.futures.enumerated().map { (firstFuture << UInt32($0.offset), "future " + $0.element) }
            + (layout == .localsPlus ? Self.later : [])
        var rest = bits
        var words: [String] = []
        for (bit, word) in named where rest & bit != 0 {
            words.append(word)
            rest &= ~bit
        }
        if rest != 0 { words.append("0x" + String(rest, radix: 16)) }
        return words
    }
}
