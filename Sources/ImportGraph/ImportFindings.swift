// Findings about the imports of single sources. Reports an error only where the answer is certain.

import BasicTypes

/// One finding about an import or a module's location.
package struct ImportFinding: Hashable, Sendable {
    package enum Rule: String, CaseIterable, Sendable {
        case unresolvedImport = "unresolved-import"
        case missingName = "missing-name"
        case importCycle = "import-cycle"
        case shadowsStdlib = "shadows-stdlib"
        case duplicateModule = "duplicate-module"
        case caseCollision = "case-collision"
    }

    package enum Severity: Sendable {
        case note, warning, error
    }

    package let rule: Rule
    package let severity: Severity
    package let module: ModuleID
    /// Counted from 1; 0 if the finding is about the whole file.
    package let line: Int
    /// Counted from 1; 0 if the finding is about the whole file.
    package let column: Int
    package let message: String
    /// The imported name that the finding is about, as written; its place is not stored in the graph.
    package var name: String?
    /// The module that lacks the name, if the finding is about that.
    package var target: ModuleID?
}

extension DependencyGraph {
    /// Checks the imports of one source.
    package mutating func findings(of module: ModuleID) -> [ImportFinding] {
        guard let facts = facts(of: module), !facts.isOutdated, let directory = tree[module]?.directory else {
            return []
        }
        var found: [ImportFinding] = []
        for (position, kept) in facts.imports.enumerated() where !kept.neverRuns {
            // It takes whatever there is.
            if facts.names[kept.names].first?.name == everything { continue }
            let judgement = judge(kept, at: position, of: module)
            // Python normalizes names beyond ASCII (PEP 3131), and the source may have any encoding.
            func isComparable(_ name: NameID) -> Bool { names[name].allSatisfy { $0 < 0x80 } }
            func add(_ rule: ImportFinding.Rule, _ message: String, of name: NameID, in target: ModuleID? = nil) {
                // Under an undecided test, or where failure is expected, it may be intentional.
                let isError = kept.isNeeded && kept.traits.isDisjoint(with: [.conditional, .undecided, .dynamic])
                found.append(
                    ImportFinding(
                        rule: rule, severity: isError ? .error : .note, module: module, line: Int(kept.line),
                        column: Int(kept.column) + 1, message: message, name: names.text(name), target: target))
            }
            for (missing, isCertain) in judgement.missing where isComparable(missing.name) {
                if hasVanished(missing.name, from: missing.directory) {
                    add(.unresolvedImport, "\(message(missing)): it was removed\(hint(missing))", of: missing.name)
                } else if isCertain, isComplete(missing.container) {
                    let goesBeyond = kept.level > 1 && missing.directory == roots.base(of: directory, in: tree)
                    let beyond = goesBeyond ? ": the import goes beyond the top-level package" : ""
                    add(.unresolvedImport, message(missing) + beyond + hint(missing), of: missing.name)
                }
            }
            if judgement.state == .ambiguous { found.append(ambiguity(kept, judgement, in: module)) }
            for asked in judgement.asked
            where asked.isCertain && isComplete(asked.module) && lacks(asked.module, asked.name)
                && !isSubmodule(asked.name, of: asked.module) && isComparable(asked.name)
            {
                add(
                    .missingName,
                    "cannot import '\(names.text(asked.name))' from '\(dotted(asked.module))', which does not define it\(hint(asked))",
                    of: asked.name, in: asked.module)
            }
        }
        return found
    }

    /// `; did you mean 'Post'?`, if the module has a similar name.
    private mutating func hint(_ asked: ImportJudgement.MissingName) -> String {
        let defined = exports(of: asked.module).names.map { names.text($0) }
        return Suggestion.nearest(to: names.text(asked.name), among: defined).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// `; did you mean 'money'?`, if a module of a similar name is there.
    private func hint(_ missing: Resolution.Missing) -> String {
        let container = missing.container.flatMap { tree[$0] }
        if let container, tree.initial(of: container.directory).map({ tree[$0]?.path }) != container.path { return "" }
        let modules = tree.modules(in: missing.directory).compactMap { tree[$0].map { names.text($0.stem) } }
        let folders = tree.subdirectories(of: missing.directory).map { names.text(tree.name(of: $0)) }
        let known = (modules + folders).filter { $0 != "__init__" && !$0.isEmpty }
        return Suggestion.nearest(to: names.text(missing.name), among: known).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Several modules match: never an error, because one of them exists.
    private func ambiguity(
        _ kept: KeptImport, _ judgement: ImportJudgement, in module: ModuleID
    ) -> ImportFinding {
        let paths = judgement.edges.filter { !$0.isImplicit }.compactMap { tree[$0.target]?.path }
        let list = Set(paths).map { String(decoding: $0, as: UTF8.self) }.sorted().joined(separator: ", ")
        return ImportFinding(
            rule: .unresolvedImport, severity: .note, module: module, line: Int(kept.line),
            column: Int(kept.column) + 1,
            message: "ambiguous: may be any of \(list); choose a source directory with --source-root")
    }

    /// Whether a package has an importable entry of this name that is not a source of the tree.
    mutating func isSubmodule(_ name: NameID, of module: ModuleID) -> Bool {
        guard let entry = tree[module], tree.initial(of: entry.directory) == module else { return false }
        return isListed(name, in: entry.directory)
    }

    package func message(_ missing: Resolution.Missing) -> String {
        let name = names.text(missing.name)
        guard let container = missing.container else {
            let folder = String(decoding: tree.path(of: missing.directory), as: UTF8.self)
            return "there is no module '\(name)'" + (folder.isEmpty ? "" : " in \(folder)/")
        }
        let isPackage = tree[container].map { tree.initial(of: $0.directory) == container } ?? false
        return isPackage
            ? "there is no module '\(name)' in '\(dotted(container))'"
            : "there is no module '\(name)' in '\(dotted(container))', which is not a package"
    }

    /// The dotted name of a source, from its own source root.
    package func dotted(_ module: ModuleID) -> String {
        guard let entry = tree[module] else { return "" }
        var components: [String] = []
        var current = entry.directory
        if tree.initial(of: current) != module { components.append(names.text(entry.stem)) }
        let base = roots.base(of: current, in: tree)
        while current != base {
            components.append(names.text(tree.name(of: current)))
            guard let parent = tree.parent(of: current) else { break }
            current = parent
        }
        // A directory without an `__init__.py` in a package is a namespace package of it: `flask.sansio`.
        var above = tree.parent(of: current)
        while let directory = above, tree.initial(of: directory) == nil { above = tree.parent(of: directory) }
        if let package = above {
            let top = roots.base(of: package, in: tree)
            while current != top, let parent = tree.parent(of: current) {
                components.append(names.text(tree.name(of: current)))
                current = parent
            }
        }
        return components.reversed().joined(separator: ".")
    }

    /// Whether modules that are not found in a module or package cannot come from anywhere else.
    private func isComplete(_ container: ModuleID?) -> Bool {
        guard let container else { return true }
        guard let facts = facts(of: container), !facts.isOutdated else { return false }
        return switch facts.bindings {
        case .unread: false
        case .unknowable(let registersModules): !registersModules
        // A package that sets its own `__path__` can have modules elsewhere.
        case .names(let bound): !names.contains("__path__", in: bound)
        }
    }

    /// Whether a module certainly does not have a name at its top level.
    private mutating func lacks(_ module: ModuleID, _ name: NameID) -> Bool {
        let text = names[name]
        // Every module has some of these without binding them. Which ones depends on the Python version.
        if text.count > 4, text.starts(with: "__".utf8), text.suffix(2).elementsEqual("__".utf8) { return false }
        let exports = exports(of: module)
        return exports.isComplete && !exports.names.contains(name)
            && !exports.packages.contains { tree.find(name, in: $0) != nil }
    }

    private mutating func exports(of module: ModuleID) -> ModuleExports {
        if let known = exported[module] { return known }
        var exports = ModuleExports()
        var open = [module]
        var seen: Set<ModuleID> = [module]
        while let current = open.popLast() {
            guard let facts = facts(of: current), !facts.isOutdated, case .names(let bound) = facts.bindings else {
                exports.isComplete = false
                break
            }
            exports.names.formUnion(bound.topLevel)
            exports.names.formUnion(bound.others)
            for (position, kept) in facts.imports.enumerated()
            where facts.names[kept.names].contains(where: { $0.name == star }) {
                let judgement = judge(kept, at: position, of: current)
                let targets = judgement.edges.filter { !$0.isImplicit }.map(\.target)
                if judgement.state != .resolved || targets.isEmpty { exports.isComplete = false }
                for target in targets where seen.insert(target).inserted {
                    open.append(target)
                    guard let entry = tree[target], tree.initial(of: entry.directory) == target else { continue }
                    exports.packages.append(entry.directory)
                }
            }
        }
        exported[module] = exports
        return exports
    }
}

/// The top-level names of a module: those it binds, and those it gets from `import *`.
struct ModuleExports: Sendable {
    var names: Set<NameID> = []
    /// The packages from which it does `import *`: `__all__` may name submodules, which are then imported.
    var packages: [DirectoryID] = []
    /// Whether there are certainly no other names.
    var isComplete = true
}

extension NameTable {
    fileprivate func contains(_ name: StaticString, in set: BoundNames) -> Bool {
        find(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)).map { set.contains($0) }
            ?? false
    }
}
