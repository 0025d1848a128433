// Everything that a program imports, for a bundle: the modules of the tree that its entries reach, the names that lead out of
// the tree, and the chain of imports that leads to each.

import BasicTypes
import BuildModel
import Compilation
import ImportGraph
import LinuxSystem

/// One module of a program, under the name by which the program imports it.
package struct ClosureModule: Sendable {
    /// The source, relative to the root.
    package let path: BytePath
    /// The directory from which it is imported, relative to the root: the one that is on `sys.path`.
    package let base: BytePath
    /// Why it is in: an index into the modules, and the line there; `nil` for an entry.
    package let importer: Int?
    package let line: Int
    /// How the importer refers to it: a kind of import, `package`, `mentions` or `included`.
    package let link: String
}

/// A name that leads out of the tree, or to a module that it lacks.
package struct ClosureName: Sendable {
    /// Dotted; of a missing module, what is missing in words.
    package let name: String
    /// An index into the modules.
    package let importer: Int
    package let line: Int
    package let column: Int
    /// If it fails, importing the module fails.
    package let isNeeded: Bool
}

/// A source with which a program begins, the directory from which it is imported, and why it is one.
package typealias ClosureEntry = (path: BytePath, base: BytePath, link: String)

package struct ImportClosure: Sendable {
    package fileprivate(set) var modules: [ClosureModule] = []
    package fileprivate(set) var names: [ClosureName] = []
    /// What needed imports certainly do not find.
    package fileprivate(set) var missing: [ClosureName] = []
}

extension ImportAnalysis {
    /// Follows imports from these sources.
    ///
    /// - Parameters:
    ///   - entries: sources, each with the directory from which it is imported.
    ///   - isExcluded: of a source and its base; such modules are neither included nor followed.
    package func closure(
        from entries: [ClosureEntry],
        isExcluded: (_ path: BytePath, _ base: BytePath) -> Bool
    ) -> ImportClosure {
        var closure = ImportClosure()
        var seen: Set<ClosureKey> = []
        let reader = SourceReader(root: root)
        let known = knowledge.answer(&graph, sources: { Array(states.keys) }, configuration: nil) { paths in
            ParallelSlices.map(paths, sliceSize: 64, scratch: {}) { path, _ in
                (try? reader.read(path)).map { SourceMentions($0.bytes) }
            }
        }
        func add(_ path: BytePath, _ base: BytePath, _ importer: Int?, _ line: Int, _ link: String) {
            guard seen.insert(ClosureKey(path: path, base: base)).inserted, !isExcluded(path, base) else { return }
            closure.modules.append(
                ClosureModule(path: path, base: base, importer: importer, line: line, link: link))
        }
        /// A program that knows a package by its name may load any module of it.
        func mention(_ target: ModuleID, by index: Int) {
            guard let path = path(target) else { return }
            let base = base(of: path)
            let package = outermostPackage(of: path, below: base)
            for source in package.map({ sources(at: $0) }) ?? [path] { add(source, base, index, 0, "mentions") }
        }
        for entry in entries { add(entry.path, entry.base, nil, 0, entry.link) }
        var next = 0
        while next < closure.modules.count {
            let index = next
            let current = closure.modules[index]
            next += 1
            guard let module = graph.tree.find(current.path.bytes), let facts = graph.facts(of: module) else {
                continue
            }
            for initial in packages(above: current) { add(initial, current.base, index, 0, "package") }
            for (position, kept) in facts.imports.enumerated()
            where !kept.neverRuns && !kept.traits.contains(.typeOnly) {
                let judgement = graph.judge(kept, at: position, of: module)
                for edge in judgement.edges {
                    guard let target = path(edge.target) else { continue }
                    let base = base(of: target, importedBy: current, kept, in: facts)
                    add(target, base, index, Int(kept.line), edge.isImplicit ? "package" : kept.kind.rawValue)
                }
                let isNeeded =
                    kept.isNeeded && kept.traits.isDisjoint(with: [.conditional, .undecided, .dynamic])
                for (missing, isCertain) in judgement.missing
                where isCertain && isNeeded && !mayHaveMore(missing.container, reader) {
                    closure.missing.append(
                        ClosureName(
                            name: graph.message(missing), importer: index, line: Int(kept.line),
                            column: Int(kept.column) + 1, isNeeded: true))
                }
                for name in judgement.external {
                    closure.names.append(
                        ClosureName(
                            name: graph.names.text(name), importer: index, line: Int(kept.line),
                            column: Int(kept.column) + 1, isNeeded: isNeeded))
                }
            }
            let named = known.mentioned.modules(namedBy: module).sorted()
            for target in named { mention(target, by: index) }
            guard known.mentioned.choosesSettings(module) else { continue }
            // Settings list applications and plugins by name, those of the tree and others.
            for target in named {
                guard let settings = path(target), let bytes = (try? reader.contents(settings))?.bytes else { continue }
                let strings = SourceMentions(bytes, isOfModules: true)
                for name in strings.dotted.union(strings.words).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                    if let found = graph.module(named: name, from: .root) {
                        mention(found, by: index)
                    } else {
                        closure.names.append(
                            ClosureName(
                                name: String(decoding: name, as: UTF8.self), importer: index, line: 0, column: 0,
                                isNeeded: false))
                    }
                }
            }
        }
        return closure
    }

    /// The source of a dotted name, with the directory from which it is imported.
    package func source(named dotted: String) -> (path: BytePath, base: BytePath)? {
        guard let module = graph.module(named: Array(dotted.utf8), from: .root), let path = path(module) else {
            return nil
        }
        return (path, base(of: path, named: dotted) ?? graph.base(of: module).flatMap { BytePath($0) } ?? .empty)
    }

    /// The directory from which a source is imported if nothing says otherwise.
    package func base(of path: BytePath) -> BytePath {
        graph.tree.find(path.bytes).flatMap { graph.base(of: $0) }.flatMap { BytePath($0) } ?? path.parent
    }

    /// The sources of this name in any directory: `vendor/lib/__init__.py` for `lib`.
    package func sources(endingWith dotted: String) -> [BytePath] {
        guard let top = dotted.split(separator: ".").first else { return [] }
        let ends = ["/\(top).py", "/\(top)/__init__.py"].map { Array($0.utf8) }
        return states.keys.filter { path in ends.contains { path.bytes.suffix($0.count).elementsEqual($0) } }.sorted()
    }

    /// All sources at or below a place.
    package func sources(at place: BytePath) -> [BytePath] {
        modules(at: [place]).compactMap { path($0) }.sorted()
    }

    /// Whether a package may have modules that its directory does not. Its bytecode is not there to be asked.
    private func mayHaveMore(_ container: ModuleID?, _ reader: SourceReader) -> Bool {
        guard let path = container.flatMap({ path($0) }) else { return false }
        guard let text = (try? reader.contents(path))?.bytes else { return true }
        return ["__path__", "sys.modules", "meta_path", "exec", "declare_namespace"].contains {
            ByteSearch.contains(Array($0.utf8), in: text)
        }
    }

    private struct ClosureKey: Hashable {
        let path: BytePath
        let base: BytePath
    }

    /// The `__init__.py` of each package that a module is in.
    private func packages(above module: ClosureModule) -> [BytePath] {
        var found: [BytePath] = []
        var folder = module.path.parent
        while folder != module.base, folder.isWithin(module.base), !folder.isEmpty {
            let initial = folder.appending("__init__.py")
            if initial != module.path, graph.tree.find(initial.bytes) != nil { found.append(initial) }
            folder = folder.parent
        }
        return found
    }

    private func outermostPackage(of path: BytePath, below base: BytePath) -> BytePath? {
        var outermost: BytePath?
        var folder = path.parent
        while folder != base, !folder.isEmpty {
            if graph.tree.find(folder.appending("__init__.py").bytes) != nil { outermost = folder }
            folder = folder.parent
        }
        return outermost
    }

    /// The directory from which a target is imported by this import. A relative import stays below that of its source.
    private func base(
        of target: BytePath, importedBy module: ClosureModule, _ kept: KeptImport, in facts: ModuleFacts
    ) -> BytePath {
        if kept.level > 0, target.isWithin(module.base) { return module.base }
        let names = kept.form == .modules ? facts.names[kept.names].map(\.name) : [kept.module]
        for name in names {
            if let base = base(of: target, named: graph.names.text(name)) { return base }
        }
        if target.isWithin(module.base) { return module.base }
        return base(of: target)
    }

    /// The directory below which a dotted name leads to this source, or to a package on the way, or to a module in it.
    private func base(of target: BytePath, named dotted: String) -> BytePath? {
        var parts = target.components.map { Array($0) }
        guard var last = parts.popLast() else { return nil }
        last.removeLast(min(3, last.count))
        if !last.elementsEqual("__init__".utf8) { parts.append(last) }
        let wanted = dotted.utf8.split(separator: UInt8(ascii: ".")).map { Array($0) }
        guard !wanted.isEmpty else { return nil }
        let starts = parts.indices.filter { parts[$0] == wanted[0] }
        let exact = starts.first { Array(parts[$0...]) == wanted }
        let near =
            exact
            ?? starts.first { start in
                let rest = Array(parts[start...])
                return wanted.starts(with: rest) || rest.starts(with: wanted) && rest.count == wanted.count + 1
            }
        return near.flatMap { BytePath(Array(parts[..<$0].joined(separator: [UInt8(ascii: "/")]))) }
    }
}
