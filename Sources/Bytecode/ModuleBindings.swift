// The names that a module binds, as its bytecode says.
//
// Not found, and known to be missing: what every module has from the start (such as `__name__`), `__annotations__`
// where only SETUP_ANNOTATIONS makes it, submodules that import puts into their package, and what others set from
// outside.

package struct ModuleBindings: Hashable, Sendable {
    /// Why more names can be bound than are found.
    package enum Uncertainty: String, CaseIterable, Hashable, Sendable {
        /// A module's `__getattr__` answers for names that it does not bind (PEP 562).
        case bindsGetattr = "binds __getattr__"
        /// `from x import *`: a constant ("*",) of the top-level code.
        case importsStar = "imports *"
        case mentionsExec = "mentions exec"
        /// Python 2, where `exec` is a statement, and `execfile` runs in the module that calls it.
        case executesStatements = "has an exec statement"
        case mentionsExecfile = "mentions execfile"
        case mentionsGlobals = "mentions globals"
        case mentionsVars = "mentions vars"
        /// Only in the top-level code, where they are the module's.
        case mentionsLocals = "mentions locals"
        /// `sys` and `modules`, not necessarily in the same code: `import sys as s` is in one, `s.modules` in another.
        case mentionsSysModules = "mentions sys and modules"
        /// `__path__`, `meta_path`, `declare_namespace`: what is imported from it may lie anywhere.
        case changesPath = "mentions __path__, meta_path or declare_namespace"
        /// `setattr`, `__dict__` or `dir` in the top-level code, where they may be the module's.
        case setsByName = "mentions setattr, __dict__ or dir at its top level"
        /// `enum.global_enum` and `IntEnum._convert_` put members into a module.
        case exportsMembers = "mentions global_enum or _convert_"
        /// An instruction names what its code does not have, or code objects share more code than there is.
        case hasOddCode = "has code that no compiler writes"
    }

    /// In the order in which the top-level code has them; then those that only functions bind by `global`. Each once.
    /// UTF-8, but for surrogates, which stand there as they are in the file.
    package let names: [[UInt8]]
    /// Those that the top-level code deletes somewhere, as after `except E as name`. Each once.
    package let deletedNames: [[UInt8]]
    /// Each once, in the order of the cases.
    package let uncertainties: [Uncertainty]

    /// Whether the module can have names that are not among those found.
    package var isUnknown: Bool { !uncertainties.isEmpty }

    /// - Parameters:
    ///   - body: the bytes that the arena was read from.
    ///   - opcodes: of the interpreter that compiled them.
    /// - Returns: `nil` where the top object is no code.
    package init?(of arena: MarshalArena, body: UnsafeRawBufferPointer, opcodes: OpcodeTable) {
        guard arena[arena.root].type == .code, arena.length <= body.count else { return nil }
        var search = BindingSearch(arena: arena, body: body, opcodes: opcodes)
        search.run()
        names = search.names
        deletedNames = search.deletedNames
        let found = search.uncertainties
        uncertainties = Uncertainty.allCases.filter(found.contains)
    }
}
