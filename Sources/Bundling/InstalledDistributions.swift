// The distributions that are installed in an environment, and which of them provides a module. Reads their metadata without
// starting Python: nothing in the environment is executed.

import BasicTypes
import BuildModel
import Impact
import Interpreters
import LinuxSystem

/// The installed distributions of one interpreter.
struct InstalledDistributions: Sendable {
    let folders: [BytePath]
    /// The first folder wins if two have the same distribution, as on `sys.path`.
    let all: [Distribution]
    private let byName: [String: Int]
    /// The distributions that have files below each top-level name.
    private let byTopName: [String: [Int]]
    /// The first components of editable sources, with the directories that hold them.
    private let editable: [String: (folder: BytePath, distribution: Int)]
    let environment: MarkerEnvironment

    /// - Parameter more: directories that are searched first, such as one that `pip install --target` filled.
    init(_ interpreter: Interpreter, more: [BytePath]) {
        environment = MarkerEnvironment(interpreter)
        folders = more + InstalledNames.folders(of: interpreter)
        var places: [(folder: BytePath, name: String)] = []
        for folder in folders { places += Self.metadataFolders(in: folder).map { (folder, $0) } }
        let read = ParallelSlices.map(places, sliceSize: 4, scratch: {}) { place, _ in
            Self.read(place.folder, place.name)
        }
        var all: [Distribution] = []
        var byName: [String: Int] = [:]
        for distribution in read.compactMap({ $0 }) where byName[distribution.normalizedName] == nil {
            byName[distribution.normalizedName] = all.count
            all.append(distribution)
        }
        var byTopName: [String: [Int]] = [:]
        var editable: [String: (folder: BytePath, distribution: Int)] = [:]
        for (index, distribution) in all.enumerated() {
            for name in Set(distribution.files.compactMap(Self.topName)) { byTopName[name, default: []].append(index) }
            for folder in distribution.editableFolders {
                for name in Self.names(in: folder) where editable[name] == nil { editable[name] = (folder, index) }
            }
        }
        self.all = all
        self.byName = byName
        self.byTopName = byTopName
        self.editable = editable
    }

    /// - Parameter name: normalized.
    func find(_ name: String) -> Distribution? { byName[name].map { all[$0] } }

    /// The distributions that provide a module. Several if it is a namespace that they share.
    ///
    /// - Parameter dotted: the deeper parts decide which distributions of a namespace package are meant.
    func providers(of dotted: String) -> [Distribution] {
        let parts = dotted.split(separator: ".").map(String.init)
        guard let top = parts.first, let candidates = byTopName[top] else { return [] }
        if candidates.count == 1 { return [all[candidates[0]]] }
        for depth in (1...parts.count).reversed() {
            let path = parts.prefix(depth).joined(separator: "/")
            let found = candidates.filter { index in
                all[index].files.contains { $0.hasPrefix(path + "/") || $0.hasPrefix(path + ".") }
            }
            if !found.isEmpty { return found.map { all[$0] } }
        }
        return candidates.map { all[$0] }
    }

    /// Where an editable installation has a module, and the distribution.
    func editableSource(of dotted: String) -> (folder: BytePath, distribution: Distribution)? {
        editable[String(dotted.prefix { $0 != "." })].map { ($0.folder, all[$0.distribution]) }
    }

    /// The distributions that are the project itself: editable ones whose sources are below its root, and copies that have its
    /// top-level modules.
    ///
    /// - Parameter tops: the first components of the paths of the project's modules: `shop`, `app.py`.
    func own(_ tops: Set<String>, below root: BytePath) -> [Distribution] {
        let names = Set(tops.map { $0.hasSuffix(".py") ? String($0.dropLast(3)) : $0 })
        return all.filter { distribution in
            distribution.editableFolders.contains { $0.isWithin(root) && !Self.names(in: $0).isDisjoint(with: names) }
                || distribution.editableFolders.isEmpty && distribution.files.contains { tops.contains(Self.first($0)) }
        }
    }

    private static func first(_ path: String) -> String { String(path.prefix { $0 != "/" }) }

    /// The folder that has a module which belongs to no distribution.
    func looseFolder(of dotted: String) -> BytePath? {
        let top = String(dotted.prefix { $0 != "." })
        return folders.first { Self.names(in: $0).contains(top) }
    }

    /// The entry points of this name that start a program.
    func console(_ name: String) -> [(distribution: Distribution, target: String)] {
        all.flatMap { distribution in
            distribution.entryPoints.filter { $0.group == "console_scripts" && $0.name == name }.map {
                (distribution, $0.target)
            }
        }
    }

    /// All names of programs, for a suggestion.
    var consoleNames: [String] {
        all.flatMap(\.entryPoints).filter { $0.group == "console_scripts" }.map(\.name)
    }

    // MARK: Reading

    private static func metadataFolders(in folder: BytePath) -> [String] {
        entries(of: folder).filter { $0.hasSuffix(".dist-info") }.sorted()
    }

    private static func entries(of folder: BytePath) -> [String] {
        guard let directory = try? Directory(path: folder) else { return [] }
        var names: [String] = []
        try? DirectoryListing().forEach(in: directory, path: folder) { name, _ throws(SystemError) in
            if let text = BytePath(cString: name).exactText { names.append(text) }
        }
        return names
    }

    /// The importable names directly in a directory.
    private static func names(in folder: BytePath) -> Set<String> {
        Set(
            entries(of: folder).compactMap { name in
                guard !name.hasSuffix(".dist-info"), !name.hasSuffix(".egg-info") else { return nil }
                return topName(of: name.contains(".") ? name : name + "/")
            })
    }

    /// `yaml` of `yaml/__init__.py`, `six` of `six.py`, `_cffi_backend` of `_cffi_backend.abi3.so`.
    private static func topName(of path: String) -> String? {
        let first = path.utf8.prefix { $0 != UInt8(ascii: "/") }
        if first.count < path.utf8.count {
            guard !first.contains(UInt8(ascii: ".")), !first.elementsEqual("__pycache__".utf8) else { return nil }
            return String(Substring(first))
        }
        guard path.hasSuffix(".py") || path.hasSuffix(".so") else { return nil }
        return String(Substring(first.prefix { $0 != UInt8(ascii: ".") }))
    }

    private static func read(_ folder: BytePath, _ name: String) -> Distribution? {
        func text(_ file: String) -> String? {
            Host.contents(folder.appending(name).appending(file), limit: 1 << 26).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        guard let metadata = text("METADATA"),
            var distribution = Distribution(
                folder: folder, metadataFolder: name, metadata: metadata, record: text("RECORD"),
                entryPoints: text("entry_points.txt"))
        else { return nil }
        distribution.editableFolders = editableFolders(of: distribution)
        return distribution
    }

    /// The directories that an editable installation adds to `sys.path`: lines of its `.pth` file, or the mapping in the finder
    /// that setuptools writes.
    private static func editableFolders(of distribution: Distribution) -> [BytePath] {
        guard
            Host.contents(distribution.folder.appending(distribution.metadataFolder).appending("direct_url.json"))
                != nil
        else { return [] }
        var folders: [BytePath] = []
        for file in distribution.files where !file.contains("/") {
            if file.hasSuffix(".pth") {
                let text = Host.contents(distribution.folder.appending(file)) ?? []
                for line in text.split(separator: UInt8(ascii: "\n")) where line.first == UInt8(ascii: "/") {
                    if let path = BytePath(line.filter { $0 != UInt8(ascii: "\r") }) { folders.append(path) }
                }
            } else if file.hasPrefix("__editable__"), file.hasSuffix("_finder.py") {
                let text = String(decoding: Host.contents(distribution.folder.appending(file)) ?? [], as: UTF8.self)
                folders += mappedFolders(inFinder: text)
            }
        }
        return folders
    }

    /// `MAPPING: dict[str, str] = {'shop': '/home/ann/shop/src/shop'}`: the directories that hold the packages.
    static func mappedFolders(inFinder text: String) -> [BytePath] {
        guard let line = text.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("MAPPING") }),
            let open = line.firstIndex(of: "{")
        else { return [] }
        let strings = line[open...].split(separator: "'", omittingEmptySubsequences: false)
        return stride(from: 3, to: strings.count, by: 4).map { BytePath(String(strings[$0])).parent }
    }
}
