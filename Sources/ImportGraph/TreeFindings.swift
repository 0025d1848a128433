// Findings about several modules together: import cycles, and modules that hide each other.

/// Import cycles, and modules that hide others or are hidden.
package struct TreeFindings: Sendable {
    package private(set) var all: [ImportFinding]
    /// The modules in eager cycles, and those that findings name. As long as edges and the set of sources stay the same, a
    /// change of any other module, except an `__init__.py`, does not affect these findings: no import sees it half loaded.
    package private(set) var involved: Set<ModuleID>

    /// - Parameter standardLibrary: the standard library's top-level names.
    package init(_ graph: DependencyGraph, standardLibrary: Set<[UInt8]>) {
        let cycles = graph.cycles()
        all = cycles.map { graph.finding($0) } + graph.placeFindings(standardLibrary)
        involved = Set(all.map(\.module))
        for cycle in cycles {
            involved.formUnion(cycle.isEager ? cycle.members : cycle.chain.map(\.module))
            involved.formUnion(cycle.failure?.chain.map(\.module) ?? [])
        }
    }
}

extension DependencyGraph {
    fileprivate func placeFindings(_ standardLibrary: Set<[UInt8]>) -> [ImportFinding] {
        var found: [ImportFinding] = []
        for directory in tree.directories {
            found += hidden(in: directory)
            found += collisions(in: directory)
        }
        for root in importRoots() { found += shadows(in: root, standardLibrary) }
        return found
    }

    fileprivate func finding(_ cycle: ImportCycle) -> ImportFinding {
        let names =
            cycle.chain.map { "\(dotted($0.module)) (line \($0.line))" } + [
                cycle.chain.first.map { dotted($0.module) } ?? ""
            ]
        let others = cycle.members.count - cycle.chain.count
        let more = others > 0 ? " (\(cycle.members.count) modules in all)" : ""
        let chain = "\(names.joined(separator: " → "))\(more)"
        if let failure = cycle.failure {
            let chain = failure.chain.map { "\(dotted($0.module)) (line \($0.line))" }.joined(separator: " → ")
            let (name, module) = (self.names.text(failure.name), dotted(failure.module))
            return ImportFinding(
                rule: .importCycle, severity: .warning, module: failure.importer, line: failure.line,
                column: failure.column,
                message:
                    "circular import: 'import \(dotted(failure.entry))' fails here, because \(module) has not defined '\(name)' yet: \(chain)",
                name: name)
        }
        let kind = cycle.isEager ? "circular import" : "circular import, deferred"
        let first = cycle.chain.first
        return ImportFinding(
            rule: .importCycle, severity: .note, module: first?.module ?? cycle.members[0], line: first?.line ?? 0,
            column: 0, message: "\(kind): \(chain)")
    }

    private func finding(
        _ rule: ImportFinding.Rule, _ module: ModuleID, _ message: String
    ) -> ImportFinding {
        ImportFinding(rule: rule, severity: .warning, module: module, line: 0, column: 0, message: message)
    }

    private func hidden(in directory: DirectoryID) -> [ImportFinding] {
        guard let module = tree.shadowedModule(of: directory), let initial = tree.initial(of: directory) else {
            return []
        }
        let package = String(decoding: tree[initial]?.path ?? [], as: UTF8.self)
        return [finding(.duplicateModule, module, "hidden by the package of the same name, \(package)")]
    }

    private func collisions(in directory: DirectoryID) -> [ImportFinding] {
        var seen: [[UInt8]: ModuleID] = [:]
        var found: [ImportFinding] = []
        let modules = tree.modules(in: directory).compactMap { module in tree[module].map { (module, $0) } }
        for (module, entry) in modules.sorted(by: { $0.1.path.lexicographicallyPrecedes($1.1.path) }) {
            let folded = names[entry.stem].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
            guard !folded.isEmpty else { continue }
            guard let other = seen.updateValue(module, forKey: folded), let path = tree[other]?.path else { continue }
            found.append(
                finding(
                    .caseCollision, module,
                    "differs from \(String(decoding: path, as: UTF8.self)) only in case, so they are one file on a case-insensitive file system"
                ))
        }
        return found
    }

    /// Directories that are very likely on `sys.path`: the tree's root, its `src`, and where packages begin.
    private func importRoots() -> Set<DirectoryID> {
        var found: Set<DirectoryID> = [.root]
        if let source = names.find("src".utf8), case .namespace(let directory)? = tree.find(source, in: .root) {
            found.insert(directory)
        }
        for directory in tree.directories where tree.initial(of: directory) != nil {
            if let parent = tree.parent(of: directory), tree.initial(of: parent) == nil { found.insert(parent) }
        }
        found = found.filter { !roots.isInside($0, in: tree) }
        return tree.initial(of: .root) == nil ? found : found.subtracting([.root])
    }

    private func shadows(in root: DirectoryID, _ standardLibrary: Set<[UInt8]>) -> [ImportFinding] {
        let packages = tree.subdirectories(of: root).compactMap { directory in
            tree.initial(of: directory).map { (tree.name(of: directory), $0) }
        }
        let modules = tree.modules(in: root).compactMap { module in tree[module].map { ($0.stem, module) } }
        return (packages + modules).filter {
            // What is built in, or loaded before the program, is found first.
            !outside.isBuiltIn($0.0) && standardLibrary.contains(Array(names[$0.0]))
        }.map { name, module in
            finding(
                .shadowsStdlib, module,
                "shadows the standard library's '\(names.text(name))' when this directory is on sys.path")
        }
    }
}
