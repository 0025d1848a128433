// What a change affects: through imports, through declared dependencies, and, where nothing is known, by assuming more.

import BasicTypes
import BuildModel
import Compilation
import ImportGraph
import LinuxSystem

extension ImportAnalysis {
    /// The sources that a change of these files affects. The files need not exist; a directory stands for the sources below
    /// it, or, if there are none, for what is in it.
    ///
    /// - Parameter testsAlone: whether to list tests only.
    package func affected(by paths: [BytePath], kinds: Set<ImportKind>, testsAlone: Bool) -> AffectedAnswer {
        var answer = AffectedAnswer()
        var begin: [ModuleID] = []
        /// Sources that did not change themselves, with the file because of which they are listed.
        var assumed: [ModuleID: BytePath] = [:]
        var absent: [[UInt8]] = []
        /// Files whose effect is known although they do not exist and nothing imports them.
        var deleted: Set<BytePath> = []
        let configuration = knowledge.pytestConfiguration(root: rootPath)
        let reader = SourceReader(root: root)
        let known = knowledge.answer(&graph, sources: { Array(states.keys) }, configuration: configuration) { paths in
            ParallelSlices.map(paths, sliceSize: 64, scratch: {}) { path, _ in
                (try? reader.read(path)).map { SourceMentions($0.bytes) }
            }
        }
        let (mentioned, tests) = (known.mentioned, known.tests)
        let forAllTests = mentioned.forAllTests
        let declared = DeclaredDependents(declaredDependencies, graph)
        for path in paths {
            let below = isDirectory(path) ? modules(at: [path]) : []
            if let module = graph.tree.find(path.bytes) {
                begin.append(module)
                if graph.facts(of: module)?.isOutdated == true {
                    answer.widened.append((path, "does not compile, so its imports may be incomplete"))
                }
            } else if !below.isEmpty {
                begin += below
            } else if path.hasSuffix(".py") {
                absent.append(Array(path.bytes))
                for module in declared.of(file: path) { assumed[module] = path }
                let isConftest = path.lastComponent.elementsEqual("conftest.py".utf8)
                if isConftest || path.lastComponent.elementsEqual("__init__.py".utf8) {
                    // It was deleted. The tests below used the one, and what is beside the other has another name now.
                    for module in modules(at: [path.parent]) where !isConftest || tests.contains(module) {
                        assumed[module] = path
                        deleted.insert(path)
                    }
                }
            } else {
                for module in affected(byOther: path, declared, &absent, &answer) { assumed[module] = path }
            }
        }
        begin += sourcesOfTheSameFile(as: paths)
        for module in begin { assumed[module] = nil }
        begin += assumed.keys
        var importers = graph.importers(ofAbsent: absent)
        for (path, more) in mentioned.importers(ofAbsent: absent, &graph) { importers[path, default: []] += more }
        for path in paths where !exists(path) && graph.tree.find(path.bytes) == nil {
            if importers[Array(path.bytes)] == nil, !deleted.contains(path) { answer.unknown.append(path) }
        }
        begin += Set(importers.values.joined())
        func search(_ begin: [ModuleID]) -> Dependents {
            Dependents(
                of: begin, in: graph, kinds: kinds,
                isTest: { tests.contains($0) },
                others: { module in
                    let mentions = forAllTests.contains(module) ? Array(tests) : []
                    return declared.of(module).map { ($0, .declared(module)) }
                        + (mentions + (mentioned.sources[module] ?? [])).map { ($0, .mentions(module)) }
                })
        }
        var dependents = search(begin)
        let linked = LinkedDirectories(root: root, rootPath: rootPath)
        while !linked.isEmpty {
            // What imports them under another name.
            let names = linked.names(of: dependents.links.keys.compactMap { path($0) }).sorted()
            let importers = graph.importers(ofAbsent: names.map { Array($0.bytes) })
            let more = Set(importers.values.joined()).subtracting(dependents.links.keys)
            if more.isEmpty { break }
            for (name, modules) in importers {
                for module in modules where more.contains(module) { assumed[module] = BytePath(name) }
            }
            begin += more.sorted()
            dependents = search(begin)
        }
        for module in dependents.links.keys {
            let isTest = tests.contains(module)
            guard isTest || !testsAlone else { continue }
            let links = dependents.chain(from: module)
            var chain = links.compactMap { step(from: $0.0, $0.1) }
            if let last = links.last, let file = assumed[last.0], case .changed = last.1 {
                chain[chain.count - 1] = AffectedSource.Step(
                    path: chain[chain.count - 1].path, link: "assumed", line: 0)
                chain.append(AffectedSource.Step(path: file, link: "changed", line: 0))
            }
            answer.sources.append(AffectedSource(chain: chain, isTest: isTest))
        }
        answer.sources += collections(by: mentioned.withCollectors, of: dependents)
        answer.sources.sort { $0.path < $1.path }
        answer.widened += outdatedSources(besides: paths)
        if testsAlone, answer.sources.isEmpty { answer.widened += computedImports(mentioned, besides: dependents) }
        return answer
    }

    /// The sources that are another name of one of these files: links to it, or hard links.
    private func sourcesOfTheSameFile(as paths: [BytePath]) -> [ModuleID] {
        var files: Set<FileIdentity> = []
        for path in paths where !path.isEmpty {
            guard let status = try? root.status(path, followsLinks: true), status.kind == .regular else { continue }
            files.insert(FileIdentity(status.stamp))
        }
        guard !files.isEmpty else { return [] }
        return states.filter { files.contains(FileIdentity($0.value.stamp)) }.compactMap {
            graph.tree.find($0.key.bytes)
        }
    }

    private struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64

        init(_ stamp: Stamp) {
            device = stamp.device
            inode = stamp.inode
        }
    }

    /// Sources that do not compile: what they import now is not known.
    private func outdatedSources(besides paths: [BytePath]) -> [(path: BytePath, reason: String)] {
        let changed = Set(paths)
        let outdated = graph.outdated.compactMap { path($0) }.filter { !changed.contains($0) }.sorted()
        guard let first = outdated.first else { return [] }
        if outdated.count == 1 { return [(first, "does not compile, so its imports may be incomplete")] }
        let others = Plural.count(outdated.count - 1, "other source")
        return [(first, "and \(others) do not compile, so their imports may be incomplete")]
    }

    /// If no test is affected, one that depends on a computed import may have been missed.
    private func computedImports(
        _ mentioned: MentionedModules, besides dependents: Dependents
    ) -> [(path: BytePath, reason: String)] {
        let loaders = mentioned.withComputedImports.subtracting(dependents.links.keys).compactMap { path($0) }.sorted()
        guard let first = loaders.first else { return [] }
        let others = loaders.count == 1 ? "" : "and \(Plural.count(loaders.count - 1, "other source")) "
        let verb = loaders.count == 1 ? "imports" : "import"
        return [(first, "\(others)\(verb) modules by computed names, which may include what changed")]
    }

    /// The directories in which a conftest.py makes tests of files of any kind (`pytest_collect_file`), if something in them is
    /// affected. pytest takes a directory.
    private func collections(by collectors: Set<ModuleID>, of dependents: Dependents) -> [AffectedSource] {
        var found: [AffectedSource] = []
        let affected = collectors.isEmpty ? [] : dependents.links.keys.sorted().compactMap { path($0) }
        for collector in collectors {
            guard let conftest = path(collector), conftest.lastComponent.elementsEqual("conftest.py".utf8),
                let first = affected.first(where: { $0.isWithin(conftest.parent) })
            else { continue }
            let steps = [(conftest.parent, "conftest"), (first, "changed")]
            found.append(
                AffectedSource(
                    chain: steps.map { AffectedSource.Step(path: $0.0, link: $0.1, line: 0) }, isTest: true))
        }
        return found
    }

    private func isDirectory(_ path: BytePath) -> Bool {
        path.isEmpty || (try? root.status(path, followsLinks: false))?.kind == .directory
    }

    /// Whether there is such a file, or none can tell.
    private func exists(_ path: BytePath) -> Bool { path.isEmpty || !root.isSurelyMissing(path) }

    private func step(from module: ModuleID, _ link: DependentLink) -> AffectedSource.Step? {
        path(module).map { path in
            switch link {
            case .changed: AffectedSource.Step(path: path, link: "changed", line: 0)
            case .imports(_, let line): AffectedSource.Step(path: path, link: "imports", line: line)
            case .package: AffectedSource.Step(path: path, link: "package", line: 0)
            case .conftest: AffectedSource.Step(path: path, link: "conftest", line: 0)
            case .mentions: AffectedSource.Step(path: path, link: "mentions", line: 0)
            case .declared: AffectedSource.Step(path: path, link: "declared", line: 0)
            }
        }
    }

    // MARK: Files that are not Python sources

    /// The sources that a change of another file affects. What the user declared counts. Without a declaration, a file in a
    /// package may be read by the modules of the package, and any other file by everything below its directory.
    private func affected(
        byOther path: BytePath, _ declared: DeclaredDependents, _ absent: inout [[UInt8]],
        _ answer: inout AffectedAnswer
    ) -> [ModuleID] {
        let name = path.lastComponent
        // A repository without a .gitignore lists them as untracked.
        if path.components.contains(where: { $0.elementsEqual("__pycache__".utf8) }) { return [] }
        let isOfExtension = ImportableName.isLeaf(name) || ImportableName.isExtensionSource(name)
        if isOfExtension {
            absent.append(Array(path.parent.appending(ImportableName.stem(name) + Array(".py".utf8)).bytes))
        }
        if declared.concerns(path) { return declared.of(file: path) }
        if let package = package(around: path) {
            answer.widened.append((path, "is not a Python source: all modules of \(package)/ may read it"))
            return modules(at: [package])
        }
        if isOfExtension, ImportableName.isLeaf(name) { return [] }
        if Self.isDocumentation(name) {
            answer.widened.append((path, "is documentation: nothing is assumed to read it"))
            return []
        }
        // A file such as .github/workflows/ci.yml has no sources below its directory, and concerns those above.
        var place = path
        while !place.isEmpty {
            place = place.parent
            let below = modules(at: [place])
            guard !below.isEmpty else { continue }
            let shown = place.isEmpty ? "this tree" : "\(place)/"
            answer.widened.append((path, "is not a Python source: everything in \(shown) may depend on it"))
            return below
        }
        return []
    }

    /// The nearest package that a file is in.
    private func package(around path: BytePath) -> BytePath? {
        var place = path.parent
        while !place.isEmpty {
            if let directory = graph.tree.directory(Array(place.bytes), names: graph.names),
                graph.tree.initial(of: directory) != nil
            {
                return place
            }
            place = place.parent
        }
        return nil
    }

    /// Files that people read, and programs do not.
    private static func isDocumentation(_ name: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: name, as: UTF8.self).lowercased()
        return [".md", ".rst"].contains(where: text.hasSuffix)
            || ["license", "licence", "copying", "authors", "notice", ".gitignore", ".gitattributes", ".editorconfig"]
                .contains(where: text.hasPrefix)
    }
}

/// The declared dependencies of a project, applied to its graph.
private struct DeclaredDependents {
    private let dependencies: [DeclaredDependency]
    private let graph: DependencyGraph
    /// For each dependency, the sources that it affects.
    private let sources: [[ModuleID]]

    init(_ dependencies: [DeclaredDependency], _ graph: DependencyGraph) {
        self.dependencies = dependencies
        self.graph = graph
        sources = dependencies.map { dependency in
            graph.tree.modules.filter { module in graph.tree[module].map { dependency.affects($0.path) } ?? false }
        }
    }

    func concerns(_ file: BytePath) -> Bool { dependencies.contains { $0.concerns(file.bytes) } }

    func of(file: BytePath) -> [ModuleID] {
        zip(dependencies, sources).flatMap { $0.0.concerns(file.bytes) ? $0.1 : [] }
    }

    func of(_ module: ModuleID) -> [ModuleID] {
        guard !dependencies.isEmpty, let path = graph.tree[module].flatMap({ BytePath($0.path) }) else { return [] }
        return of(file: path)
    }
}
