// Finds the names that a module binds, from its bytecode.
//
// Known to be missed: what every module has from the start (such as `__name__`), `__annotations__` if only
// SETUP_ANNOTATIONS creates it, submodules that import sets on their package, and what other code sets from outside.

package struct ModuleBindings: Hashable, Sendable {
    /// Why a module may bind more names than were found.
    package enum Uncertainty: String, CaseIterable, Hashable, Sendable {
        /// A module's `__getattr__` provides names that it does not bind (PEP 562).
        case bindsGetattr = "binds __getattr__"
        /// `from x import *`: a constant ("*",) of the top-level code.
        case importsStar = "imports *"
        case mentionsExec = "mentions exec"
        /// Python 2 only, as is `execfile`, which runs a file in the module that calls it.
        case executesStatements = "has an exec statement"
        case mentionsExecfile = "mentions execfile"
        case mentionsGlobals = "mentions globals"
        case mentionsVars = "mentions vars"
        /// Only in the top-level code, where `locals()` is the module's namespace.
        case mentionsLocals = "mentions locals"
        /// `sys` and `modules`, not necessarily in the same code object: one may have `import sys as s`, another
        /// `s.modules`.
        case mentionsSysModules = "mentions sys and modules"
        /// `__path__`, `meta_path`, `declare_namespace`: submodules may be anywhere.
        case changesPath = "mentions __path__, meta_path or declare_namespace"
        /// `setattr`, `__dict__` or `dir` in the top-level code, where they may refer to the module.
        case setsByName = "mentions setattr, __dict__ or dir at its top level"
        /// `setattr` in a function. It matters only if the function can refer to the module, which imports itself then.
        case setsByNameInFunction = "mentions setattr in a function"
        /// `enum.global_enum` and `IntEnum._convert_` add members to a module.
        case exportsMembers = "mentions global_enum or _convert_"
        /// An instruction's name index is out of range, or code objects share too many instructions.
        case hasOddCode = "has code that no compiler writes"
    }

    /// In the order of the top-level code, then those that only functions bind (`global`). No duplicates. UTF-8, but
    /// surrogates are kept as encoded in the file.
    package let names: [[UInt8]]
    /// The number of names that the top-level code binds; they come first.
    package let topLevelCount: Int
    /// Names that the top-level code deletes somewhere, as at the end of `except E as name`. No duplicates.
    package let deletedNames: [[UInt8]]
    /// No duplicates, in the order of the cases.
    package let uncertainties: [Uncertainty]

    /// Whether the module may bind names that were not found.
    package var isUnknown: Bool { !uncertainties.isEmpty && uncertainties != [.setsByNameInFunction] }

    /// - Parameters:
    ///   - body: the bytes that the arena was read from.
    ///   - opcodes: of the interpreter that compiled the body.
    /// - Returns: `nil` if the top object is not code.
    package init?(of arena: MarshalArena, body: UnsafeRawBufferPointer, opcodes: OpcodeTable) {
        guard arena[arena.root].type == .code, arena.length <= body.count else { return nil }
        var search = BindingSearch(arena: arena, body: body, opcodes: opcodes)
        search.run()
        names = search.names
        topLevelCount = search.topLevelCount
        deletedNames = search.deletedNames
        let found = search.uncertainties
        uncertainties = Uncertainty.allCases.filter(found.contains)
    }
}
