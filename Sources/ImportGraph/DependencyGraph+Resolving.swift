// Resolves the names in imports as Python's finders do (PEP 328, PEP 420). Names that no source has are looked up in
// the listing.

extension DependencyGraph {
    /// Resolves one import.
    package mutating func judge(_ kept: KeptImport, at position: Int, of module: ModuleID) -> ImportJudgement {
        var judgement = ImportJudgement()
        guard let entry = tree[module], let facts = facts(of: module) else { return judgement }
        let asked = facts.names[kept.names]
        switch kept.form {
        case .modules:
            for name in asked {
                // Not inline: as an argument of `add` it would be evaluated after `self` is accessed, which copies all
                // its tables.
                let resolution = resolve(name.name, from: entry.directory)
                add(resolution, name.name, to: &judgement, position)
            }
        case .names, .call:
            let resolution = base(of: kept, in: entry)
            if asked.first?.name == everything {
                addAll(below: resolution, to: &judgement, position)
                break
            }
            judge(asked.map(\.name), of: resolution, kept.module, position, &judgement)
        }
        return judgement
    }

    /// Resolves the module between `from` and `import`.
    private mutating func base(of kept: KeptImport, in entry: SourceTree.Module) -> Resolution {
        guard kept.level > 0 else { return resolve(kept.module, from: entry.directory) }
        var start: DirectoryID? = entry.directory
        switch kept.anchor {
        case .enclosingPackage: break
        case .ownName:
            // A module's `__name__` is not a package, so nothing can be found in it.
            if tree.initial(of: entry.directory) != tree.find(entry.path) { return Resolution(.unknown) }
        case .named:
            guard case .package(let directory, _) = resolve(kept.anchorName, from: entry.directory).end else {
                return Resolution(.unknown)
            }
            start = directory
        case .unknown: return Resolution(.unknown)
        }
        for _ in 1..<Int(kept.level) { start = start.flatMap { tree.parent(of: $0) } }
        // The package may continue above the tree.
        guard let start else { return Resolution(.unknown) }
        return walk(names.components(of: kept.module)[...], from: entrance(start))
    }

    private func entrance(_ directory: DirectoryID) -> Resolution {
        tree.initial(of: directory).map { Resolution(.package(directory, $0)) } ?? Resolution(.namespace(directory))
    }

    /// Judges names that are imported from a module: submodules, or names that it binds.
    private mutating func judge(
        _ asked: [NameID], of resolution: Resolution, _ name: NameID, _ position: Int,
        _ judgement: inout ImportJudgement
    ) {
        let directory: DirectoryID
        switch resolution.end {
        case .package(let folder, _): directory = folder
        case .namespace(let folder): directory = folder
        case .module(let module):
            add(resolution, name, to: &judgement, position)
            for name in asked where name != star {
                judgement.asked.append(.init(module: module, name: name, isCertain: resolution.isCertain))
            }
            return
        case .leaf, .external, .missing, .ambiguous, .unknown:
            return add(resolution, name, to: &judgement, position)
        }
        var initial: ModuleID?
        if case .package(_, let module) = resolution.end { initial = module }
        var asksPackage = asked.isEmpty || asked.contains(star)
        for name in asked where name != star {
            switch tree.find(name, in: directory) {
            case .package(_, let module), .module(let module):
                add(module, to: &judgement, position, isImplicit: false)
            case .namespace: break
            case nil:
                // An extension module or the like beside the package; not a name that the package binds.
                if let initial, !binds(initial, name), isListed(name, in: directory), !isInitial(name) { continue }
                asksPackage = true
                if let initial {
                    // Nearly always a name that the package binds. The directory is only searched if it does not.
                    judgement.asked.append(.init(module: initial, name: name, isCertain: resolution.isCertain))
                } else if !isListed(name, in: directory) {
                    judgement.state = .missing
                    judgement.missing.append(
                        (Resolution.Missing(container: nil, directory: directory, name: name), resolution.isCertain))
                }
            }
        }
        for package in resolution.packages { add(package, to: &judgement, position, isImplicit: true) }
        if let initial { add(initial, to: &judgement, position, isImplicit: !asksPackage) }
    }

    /// Adds all modules below a package or namespace, with the packages on the way.
    private func addAll(below resolution: Resolution, to judgement: inout ImportJudgement, _ position: Int) {
        var open: [DirectoryID]
        switch resolution.end {
        case .package(let directory, _), .namespace(let directory): open = [directory]
        default: return
        }
        for package in resolution.packages { add(package, to: &judgement, position, isImplicit: true) }
        while let directory = open.popLast() {
            for module in tree.modules(in: directory).sorted() {
                add(module, to: &judgement, position, isImplicit: false)
            }
            open += tree.subdirectories(of: directory)
        }
    }

    /// `__init__`, which the listing of a package has, and which is the package itself.
    private func isInitial(_ name: NameID) -> Bool { names[name].elementsEqual("__init__".utf8) }

    private func binds(_ module: ModuleID, _ name: NameID) -> Bool {
        guard case .names(let bound)? = facts(of: module)?.bindings else { return false }
        return bound.contains(name)
    }

    private func add(_ module: ModuleID, to judgement: inout ImportJudgement, _ position: Int, isImplicit: Bool) {
        judgement.edges.append(ImportEdge(target: module, position: Int32(position), isImplicit: isImplicit))
    }

    private func add(
        _ resolution: Resolution, _ name: NameID, to judgement: inout ImportJudgement, _ position: Int
    ) {
        for package in resolution.packages { add(package, to: &judgement, position, isImplicit: true) }
        switch resolution.end {
        case .module(let module), .package(_, let module):
            add(module, to: &judgement, position, isImplicit: false)
        case .namespace, .leaf: break
        case .external:
            judgement.state = .external
            judgement.external.append(name)
        case .missing(let missing):
            judgement.state = .missing
            judgement.missing.append((missing, resolution.isCertain))
        case .ambiguous(let modules):
            judgement.state = .ambiguous
            for module in modules { add(module, to: &judgement, position, isImplicit: false) }
        case .unknown: judgement.state = .unknown
        }
    }

    // MARK: Absolute names

    /// The source of the tree that a dotted name stands for, or that defines it.
    package mutating func module(named dotted: [UInt8], from directory: DirectoryID) -> ModuleID? {
        switch resolve(names.intern(dotted), from: directory).end {
        case .module(let module), .package(_, let module): module
        // `pkg.module.name`: the module was found, and the rest is a name in it.
        case .missing(let missing): missing.container
        default: nil
        }
    }

    /// All sources below a package or namespace of the tree.
    package mutating func modules(belowPackage dotted: [UInt8], from directory: DirectoryID) -> [ModuleID] {
        var judgement = ImportJudgement()
        addAll(below: resolve(names.intern(dotted), from: directory), to: &judgement, 0)
        return judgement.edges.map(\.target)
    }

    /// The absolute names that a source imports and that are neither in the tree, where imports of this source are looked
    /// for, nor installed. With `from a import b`, both `a` and `a.b`.
    package mutating func unresolvedNames(in module: ModuleID) -> [[UInt8]] {
        guard let facts = facts(of: module) else { return [] }
        let resolved = Set(edges(from: module).map(\.position))
        var found: [[UInt8]] = []
        for (position, kept) in facts.imports.enumerated() where kept.level == 0 {
            let asked = facts.names[kept.names].map(\.name)
            // Of `import a, b`, one may be resolved.
            if resolved.contains(Int32(position)), kept.form != .modules || asked.count == 1 { continue }
            for name in kept.form == .modules ? asked : [kept.module] {
                guard let first = names.components(of: name).first, !outside.contains(first) else { continue }
                found.append(Array(names[name]))
                guard kept.form == .names else { continue }
                found += asked.map { names[name] + [UInt8(ascii: ".")] + names[$0] }
            }
        }
        return found
    }

    /// Resolves an absolute name as imported by the sources of a directory.
    mutating func resolve(_ name: NameID, from directory: DirectoryID) -> Resolution {
        let base = isImplicitlyRelative ? directory : roots.base(of: directory, in: tree)
        let key = ResolutionKey(base: base, name: name)
        if let known = resolutions[key] { return known }
        let found = look(names.components(of: name), base)
        resolutions[key] = found
        return found
    }

    private mutating func look(_ components: [NameID], _ base: DirectoryID) -> Resolution {
        guard let first = components.first else { return Resolution(.unknown) }
        // Modules that are built in, or loaded before any program starts, cannot be shadowed.
        if outside.isBuiltIn(first) { return Resolution(.external) }
        // Exists only for Cython, whatever `cython` is (https://cython.readthedocs.io/en/latest/src/tutorial/pure.html).
        if components.count > 1, names[first].elementsEqual("cython".utf8),
            names[components[1]].elementsEqual("cimports".utf8)
        {
            return Resolution(.external)
        }
        let rest = components.dropFirst()
        var roots = self.roots.chain(from: self.roots.base(of: base, in: tree), in: tree)
        // Python 2 first looks in the directory of the importing source.
        if isImplicitlyRelative, !roots.contains(base) { roots.insert(base, at: 0) }
        var portions: [DirectoryID] = []
        var missing: Resolution?
        for (index, root) in roots.enumerated() {
            let start: Resolution.End
            switch tree.find(first, in: root) {
            case .package(let directory, let module): start = .package(directory, module)
            case .module(let module): start = .module(module)
            case .namespace(let directory):
                portions.append(directory)
                continue
            case nil: continue
            }
            let isEvident = self.roots.isEvident(root, in: tree, isProject: isProject)
            // A directory may just happen to have the name of a standard library module or an installed package.
            if outside.isStandard(first), index > 0 || !isEvident { continue }
            if outside.contains(first), !isEvident { continue }
            var found = walk(rest, from: Resolution(start, isCertain: isEvident))
            guard found.isMissing else {
                if missing != nil { found.isCertain = false }
                return found
            }
            // Test directories often mirror the packages that they test. Which one is found depends on who runs them.
            missing = missing ?? found
        }
        // PEP 420: a directory without `__init__.py` counts only if no package has the name.
        if missing == nil, outside.contains(first) { return Resolution(.external) }
        let attempts = portions.map { attempt(rest, in: $0) }
        if let hit = attempts.first(where: { !$0.isMissing }) {
            return missing == nil ? hit : Resolution(hit.end, packages: hit.packages, isCertain: false)
        }
        let found = elsewhere(first, rest)
        if let missing { return found.map { $0.isMissing ? missing : $0 } ?? missing }
        if let found { return found }
        // The listing also has directories. Those that are namespace portions were searched already.
        for root in roots where !isNamespace(first, in: root) && isListed(first, in: root) { return Resolution(.leaf) }
        if let attempt = attempts.first(where: \.isCertain) ?? attempts.last { return attempt }
        // A module that once existed leads to a finding but never to an edge, so that edges are the same as after a
        // fresh scan.
        if let root = roots.first(where: { hasVanished(first, from: $0) }) {
            return Resolution(.missing(Resolution.Missing(container: nil, directory: root, name: first)))
        }
        return Resolution(.external)
    }

    /// Resolves the rest of a name in one portion of a namespace package. Other portions may be outside this tree.
    private mutating func attempt(_ rest: ArraySlice<NameID>, in portion: DirectoryID) -> Resolution {
        var attempt = walk(rest, from: Resolution(.namespace(portion)))
        switch attempt.end {
        case .namespace: attempt.isCertain = false
        case .missing(let missing): attempt.isCertain = missing.container != nil
        default: break
        }
        return attempt
    }

    /// Looks for a top-level package of this name anywhere in the tree. It counts only if there is exactly one.
    private mutating func elsewhere(_ first: NameID, _ rest: ArraySlice<NameID>) -> Resolution? {
        let starts = roots.beginnings(of: first).compactMap { root -> Resolution? in
            guard case .package(let directory, let module)? = tree.find(first, in: root) else { return nil }
            return Resolution(.package(directory, module), isCertain: false)
        }
        if starts.isEmpty { return nil }
        if starts.count == 1 { return walk(rest, from: starts[0]) }
        let modules = starts.compactMap { start -> ModuleID? in
            switch walk(rest, from: start).end {
            case .module(let module), .package(_, let module): module
            default: nil
            }
        }
        return Resolution(modules.isEmpty ? .external : .ambiguous(modules), isCertain: false)
    }

    private func isNamespace(_ name: NameID, in directory: DirectoryID) -> Bool {
        if case .namespace = tree.find(name, in: directory) { true } else { false }
    }

    // MARK: The rest of a name

    private mutating func walk(_ components: ArraySlice<NameID>, from start: Resolution) -> Resolution {
        var current = start
        for component in components {
            let directory: DirectoryID
            let container: ModuleID?
            switch current.end {
            case .package(let folder, let module):
                directory = folder
                container = module
                current.packages.append(module)
            case .namespace(let folder):
                directory = folder
                container = nil
            case .module(let module):
                current.packages.append(module)
                let directory = tree[module]?.directory ?? .root
                current.end = .missing(Resolution.Missing(container: module, directory: directory, name: component))
                return current
            default: return current
            }
            switch tree.find(component, in: directory) {
            case .package(let folder, let module): current.end = .package(folder, module)
            case .module(let module): current.end = .module(module)
            case .namespace(let folder): current.end = .namespace(folder)
            case nil:
                let isThere = isListed(component, in: directory)
                current.end =
                    isThere
                    ? .leaf
                    : .missing(Resolution.Missing(container: container, directory: directory, name: component))
                return current
            }
        }
        return current
    }
}

extension Resolution {
    fileprivate var isMissing: Bool { if case .missing = end { true } else { false } }
}
