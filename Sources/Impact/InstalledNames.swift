// Lists the importable names that are not sources of the graph: installed packages, and other files of the tree.
// Must not run any code of an environment.

import BasicTypes
import BuildModel
import LinuxSystem

/// The top-level names of installed packages. They are found without starting the interpreter: with `site` enabled,
/// that would run the code in `.pth` files.
package enum InstalledNames {
    package static func of(_ interpreter: Interpreter) -> Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        for folder in folders(of: interpreter) {
            guard let directory = try? Directory(path: folder) else { continue }
            try? DirectoryListing().forEach(in: directory, path: folder) { name, _ throws(SystemError) in
                // Names: `yaml`, `six.py`, `_cffi_backend.cpython-312-x86_64-linux-gnu.so`. Not names:
                // `six-1.17.0.dist-info`, `editable.pth`.
                let bytes = BytePath(cString: name).bytes
                let stem = ImportableName.stem(bytes)
                let isName =
                    stem.count == bytes.count || ImportableName.isLeaf(bytes)
                    || bytes.dropFirst(stem.count).elementsEqual(".py".utf8)
                if isName, !stem.isEmpty, !stem.contains(UInt8(ascii: "-")) { names.insert(stem) }
            }
        }
        return names
    }

    /// The site directories of the virtual environment that contains the executable (PEP 405); without one, those of
    /// the interpreter itself.
    package static func folders(of interpreter: Interpreter) -> [BytePath] {
        let series = interpreter.version.split(separator: ".").prefix(2).joined(separator: ".")
        let library = interpreter.implementation == "pypy" ? "pypy\(series)" : "python\(series)"
        let beside = interpreter.path.parent.parent
        var prefixes = [beside]
        if Host.contents(beside.appending("pyvenv.cfg")) == nil, let real = try? Host.realPath(interpreter.path) {
            prefixes.append(real.parent.parent)
        }
        var folders: [BytePath] = []
        for prefix in prefixes {
            folders.append(prefix.appending("lib/\(library)/site-packages"))
            // Debian.
            folders.append(prefix.appending("lib/python3/dist-packages"))
            folders.append(prefix.appending("local/lib/\(library)/dist-packages"))
        }
        return folders
    }
}

/// Files and directories of a tree that can be imported and are not in the graph.
package enum ImportableFiles {
    package static func listing(_ root: Directory) -> @Sendable ([UInt8]) -> [[UInt8]] {
        { folder in
            var names: [[UInt8]] = []
            guard let path = BytePath(folder), let directory = try? root.directory(path) else { return names }
            try? DirectoryListing().forEach(in: directory, path: path) { entry, kind throws(SystemError) in
                let bytes = BytePath(cString: entry).bytes
                let stem = bytes.prefix { $0 != UInt8(ascii: ".") }
                if stem.count == bytes.count {
                    // A directory that is out of scope, a link, or has no sources.
                    let isFolder =
                        kind == .directory
                        || kind != .regular
                            && (try? directory.status(entry, followsLinks: true))?.map { $0.kind == .directory } == true
                    if isFolder { names.append(Array(stem)) }
                } else if ImportableName.isLeaf(bytes) || ImportableName.isExtensionSource(bytes)
                    || bytes.dropFirst(stem.count).elementsEqual(".py".utf8)
                {
                    names.append(Array(stem))
                }
            }
            return names
        }
    }

    /// Whether a directory has the metadata of installed distributions (Core metadata specifications, `.dist-info`).
    package static func isInstallation(_ root: Directory) -> @Sendable ([UInt8]) -> Bool {
        { folder in
            guard let path = BytePath(folder), let directory = try? root.directory(path) else { return false }
            var isOne = false
            try? DirectoryListing().forEach(in: directory, path: path) { entry, _ throws(SystemError) in
                if BytePath(cString: entry).hasSuffix(".dist-info") { isOne = true }
            }
            return isOne
        }
    }

    /// Whether a directory has a file that marks a Python project.
    package static func isProject(_ root: Directory) -> @Sendable ([UInt8]) -> Bool {
        { folder in
            guard let path = BytePath(folder) else { return false }
            return ["pyproject.toml", "setup.cfg", "setup.py"].contains {
                (try? root.status(path.appending($0), followsLinks: true)) != nil
            }
        }
    }
}
