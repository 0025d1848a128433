// What can be imported from an interpreter's environment.
// Knows: where packages are installed. Does not know: what is in them; nothing of it is run.

import BasicTypes
import BuildModel
import LinuxSystem

/// Top-level names of installed packages, found without starting the interpreter: with `site` on, that would run what
/// its `.pth` files say.
package enum InstalledNames {
    package static func of(_ interpreter: Interpreter) -> Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        for folder in folders(of: interpreter) {
            guard let directory = try? Directory(path: folder) else { continue }
            try? DirectoryListing().forEach(in: directory, path: folder) { name, _ throws(SystemError) in
                // `yaml`, `six.py`, `_cffi_backend.cpython-312-x86_64-linux-gnu.so`; `six-1.17.0.dist-info` and
                // `editable.pth` are none.
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

    /// The environment that an executable lies in (PEP 405), else the interpreter's own.
    private static func folders(of interpreter: Interpreter) -> [BytePath] {
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
            // Debian's.
            folders.append(prefix.appending("lib/python3/dist-packages"))
            folders.append(prefix.appending("local/lib/\(library)/dist-packages"))
        }
        return folders
    }
}

/// What the folders of a tree hold that import finds and the graph does not keep.
package enum ImportableFiles {
    package static func listing(_ root: Directory) -> @Sendable ([UInt8]) -> [[UInt8]] {
        { folder in
            var names: [[UInt8]] = []
            guard let path = BytePath(folder), let directory = try? root.directory(path) else { return names }
            try? DirectoryListing().forEach(in: directory, path: path) { entry, kind throws(SystemError) in
                let bytes = BytePath(cString: entry).bytes
                let stem = bytes.prefix { $0 != UInt8(ascii: ".") }
                if stem.count == bytes.count {
                    // A folder: out of scope, a link, or one without sources.
                    let isFolder =
                        kind == .directory
                        || kind != .regular
                            && (try? directory.status(entry, followsLinks: true))?.map { $0.kind == .directory } == true
                    if isFolder { names.append(Array(stem)) }
                } else if ImportableName.isLeaf(bytes) || bytes.dropFirst(stem.count).elementsEqual(".py".utf8) {
                    names.append(Array(stem))
                }
            }
            return names
        }
    }

    /// Whether a folder holds what marks a project.
    package static func isProject(_ root: Directory) -> @Sendable ([UInt8]) -> Bool {
        { folder in
            guard let path = BytePath(folder) else { return false }
            return ["pyproject.toml", "setup.cfg", "setup.py"].contains {
                (try? root.status(path.appending($0), followsLinks: true)) != nil
            }
        }
    }
}
