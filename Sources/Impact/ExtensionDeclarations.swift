// Extension modules that a build will make: their names are in the files that describe the build.
//
// pyproject.toml is not read: it mentions modules for many other reasons.

import BasicTypes
import LinuxSystem

/// Finds names in the build files of a tree.
struct ExtensionDeclarations {
    private let root: Directory
    /// The words of the build files of each directory, as they were needed.
    private var words: [BytePath: Set<[UInt8]>] = [:]

    init(root: Directory) {
        self.root = root
    }

    private static let fileNames: Set<String> = [
        "setup.py", "setup.cfg", "meson.build", "CMakeLists.txt", "Cargo.toml",
    ]

    /// Whether a build file in a directory, or above it, has this word.
    mutating func mention(_ name: String, atOrAbove directory: BytePath) -> Bool {
        let word = Array(name.utf8)
        var place = directory
        while true {
            if words(in: place).contains(word) { return true }
            if place.isEmpty { return false }
            place = place.parent
        }
    }

    private mutating func words(in directory: BytePath) -> Set<[UInt8]> {
        if let known = words[directory] { return known }
        var found: Set<[UInt8]> = []
        if let opened = try? root.directory(directory) {
            var names: [BytePath] = []
            try? DirectoryListing().forEach(in: opened, path: directory) { entry, _ throws(SystemError) in
                let name = BytePath(cString: entry)
                // cffi's convention is `x_build.py`.
                if Self.fileNames.contains(name.description) || name.hasSuffix("_build.py") { names.append(name) }
            }
            for name in names {
                guard let file = try? opened.file(name, .read),
                    let bytes = try? file.readAll(expected: 65_536, limit: 1 << 22, path: name)
                else { continue }
                found.formUnion(
                    bytes.split { !PythonName.has($0) }.map { Array($0) })
            }
        }
        words[directory] = found
        return found
    }
}
