// What the graph stores about a source: imports and bindings, with names as numbers.

/// One import, in compact form.
package struct KeptImport: Hashable, Sendable {
    /// As in `ImportStatement`.
    package var line: UInt32
    package var column: UInt32
    /// Dotted.
    package var module: NameID
    /// The package of `import_module(".a", "package")`.
    package var anchorName: NameID
    /// Range of its names in `ModuleFacts.names`.
    package var firstName: UInt32
    package var nameCount: UInt32
    package var level: UInt8
    package var form: ImportForm
    package var anchor: Anchor
    package var traits: ImportTraits
    /// It is under a version or platform test that fails for every interpreter of the tree.
    package var neverRuns: Bool

    package enum Anchor: UInt8, Hashable, Sendable {
        case enclosingPackage, ownName, named, unknown
    }

    package init(
        line: UInt32, column: UInt32, module: NameID, anchorName: NameID, firstName: UInt32, nameCount: UInt32,
        level: UInt8, form: ImportForm, anchor: Anchor, traits: ImportTraits, neverRuns: Bool
    ) {
        self.line = line
        self.column = column
        self.module = module
        self.anchorName = anchorName
        self.firstName = firstName
        self.nameCount = nameCount
        self.level = level
        self.form = form
        self.anchor = anchor
        self.traits = traits
        self.neverRuns = neverRuns
    }

    package var names: Range<Int> { Int(firstName)..<Int(firstName) + Int(nameCount) }

    package var kind: ImportKind { traits.kind }

    /// Runs, or may run, when the module is imported: its target must exist by then.
    package var isEager: Bool { traits.isDisjoint(with: [.typeOnly, .deferred, .lazy]) && !neverRuns }

    /// If it fails, importing the module fails.
    package var isNeeded: Bool { isEager && !traits.contains(.optional) }
}

/// An imported name and its alias.
package struct KeptName: Hashable, Sendable {
    package var name: NameID
    /// Empty if there is no `as`.
    package var alias: NameID

    package init(name: NameID, alias: NameID) {
        self.name = name
        self.alias = alias
    }
}

/// The names that a module binds at its top level.
package enum Bindings: Hashable, Sendable {
    /// Its code has not been read yet.
    case unread
    /// Cannot be determined from its code, so imported names are not checked.
    ///
    /// - Parameter registersModules: whether the code may also make modules importable that no file has, through `sys.modules`,
    ///   `__path__` or an import hook.
    case unknowable(registersModules: Bool)
    case names(BoundNames)
}

/// Names that a module binds at its top level.
package struct BoundNames: Hashable, Sendable {
    /// Those that its top-level code binds, in the order in which it first binds them.
    package var topLevel: [NameID]
    /// Those that only functions bind (`global`). When they do is not known.
    package var others: [NameID]

    package init(topLevel: [NameID], others: [NameID] = []) {
        self.topLevel = topLevel
        self.others = others
    }

    package func contains(_ name: NameID) -> Bool { topLevel.contains(name) || others.contains(name) }
}

/// What is known about one source.
package struct ModuleFacts: Hashable, Sendable {
    package var imports: [KeptImport]
    package var names: [KeptName]
    package var bindings: Bindings
    /// The source currently does not compile; these are the facts of the last version that did.
    package var isOutdated: Bool

    package init(imports: [KeptImport] = [], names: [KeptName] = [], bindings: Bindings = .unread) {
        self.imports = imports
        self.names = names
        self.bindings = bindings
        isOutdated = false
    }

    /// The facts from a scan.
    ///
    /// - Parameter evaluators: one for each interpreter of the tree.
    package init(_ statements: [ImportStatement], names table: inout NameTable, evaluators: [ConditionEvaluator]) {
        self.init()
        imports.reserveCapacity(statements.count)
        for statement in statements {
            let fails =
                !statement.conditions.isEmpty && !evaluators.isEmpty
                && evaluators.allSatisfy { $0.evaluate(statement.conditions) == .fails }
            var anchorName = NameID.empty
            let anchor: KeptImport.Anchor
            switch statement.anchor {
            case .enclosingPackage: anchor = .enclosingPackage
            case .ownName: anchor = .ownName
            case .unknown: anchor = .unknown
            case .named(let name):
                anchor = .named
                anchorName = table.intern(name.bytes)
            }
            imports.append(
                KeptImport(
                    line: UInt32(clamping: statement.line), column: UInt32(clamping: statement.column),
                    module: table.intern(statement.module.bytes), anchorName: anchorName,
                    firstName: UInt32(names.count), nameCount: UInt32(statement.names.count),
                    level: UInt8(clamping: statement.level), form: statement.form, anchor: anchor,
                    traits: statement.traits, neverRuns: fails))
            for name in statement.names {
                names.append(
                    KeptName(
                        name: table.intern(name.name.bytes), alias: name.alias.map { table.intern($0) } ?? .empty))
            }
        }
    }
}
