// The flags of a code object in words (`co_flags`: Include/cpython/code.h, Lib/__future__.py).

package struct CodeFlags: Hashable, Sendable {
    package let bits: UInt32

    package init(bits: UInt32) { self.bits = bits }

    /// A function's: its local names are in places of their own, and each call has them anew.
    package var isFunction: Bool { bits & 0x3 == 0x3 }

    private static let always: [(UInt32, String)] = [
        (0x1, "optimized"), (0x2, "new locals"), (0x4, "*args"), (0x8, "**kwargs"), (0x10, "nested"),
        (0x20, "generator"), (0x40, "no free variables"), (0x80, "coroutine"), (0x100, "iterable coroutine"),
        (0x200, "async generator"),
    ]

    /// From `division`, in order. 3.8 moved them by four bits, so that they are not those of `compile`.
    private static let futures = [
        "division", "absolute_import", "with_statement", "print_function", "unicode_literals", "barry_as_FLUFL",
        "generator_stop", "annotations",
    ]

    /// 3.13, and 3.14.
    private static let later: [(UInt32, String)] = [
        (0x200_0000, "no monitoring events"), (0x400_0000, "docstring"), (0x800_0000, "method"),
    ]

    /// One for each bit that is set; what has no name is shown as a number.
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
