// Finds the shared libraries that programs need, as the dynamic linker does (ld.so(8)), without running anything.

import BasicTypes
import LinuxSystem

struct SharedLibraries {
    /// Those found, by the name under which they are needed.
    private(set) var found: [String: ElfFile] = [:]
    /// Those not found, with what needs them.
    private(set) var missing: [String: String] = [:]
    private let folders: [BytePath]

    private static let largest = 1 << 30

    /// The C library is not among them: it must fit to the system and to its own dynamic linker.
    private static let system: Set<String> = [
        "libc", "libm", "libdl", "libpthread", "librt", "libutil", "libresolv", "libanl", "libthread_db",
        "libBrokenLocale", "libmvec", "linux-vdso", "libc_malloc_debug",
    ]

    init() {
        folders = Self.configuredFolders(BytePath("/etc/ld.so.conf"), depth: 0) + Self.standardFolders
    }

    private static let standardFolders = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map { BytePath($0) }

    /// The directories in a file such as `/etc/ld.so.conf`: one a line, and `include PATTERN` (ldconfig(8)).
    private static func configuredFolders(_ file: BytePath, depth: Int) -> [BytePath] {
        guard depth < 4, let text = Host.contents(file) else { return [] }
        var folders: [BytePath] = []
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            guard first == "include", let pattern = words.dropFirst().first else {
                folders.append(BytePath(String(first)))
                continue
            }
            let place = BytePath(String(pattern))
            let full = place.isAbsolute ? place : file.parent.appending(place)
            let ending = full.lastComponent.drop { $0 != UInt8(ascii: ".") }
            for name in FileTree.names(in: full.parent)
            where Array(name.utf8).suffix(ending.count).elementsEqual(ending) {
                folders += configuredFolders(full.parent.appending(name), depth: depth + 1)
            }
        }
        return folders
    }

    /// Adds what a file needs, directly or through others.
    ///
    /// - Parameters:
    ///   - provided: names that lie beside the file in the bundle.
    mutating func add(_ file: ElfFile, at path: BytePath, provided: Set<String> = []) {
        var open = [(file, path)]
        while let (file, path) = open.popLast() {
            for name in file.needed {
                let stem = String(name.prefix { $0 != "." })
                if Self.system.contains(stem) || stem.hasPrefix("ld-") || found[name] != nil || provided.contains(name)
                {
                    continue
                }
                let own = file.searchPaths.map {
                    BytePath($0.replacing("${ORIGIN}", with: "$ORIGIN").replacing("$ORIGIN", with: path.parent.text))
                }
                guard let (library, place) = find(name, in: own + folders, for: file) else {
                    missing[name] = path.text
                    continue
                }
                found[name] = library
                open.append((library, place))
            }
        }
    }

    /// Adds what the C library loads by name when a thread ends (pthread_exit(3)), though nothing says that it needs it.
    mutating func addUnwinder(for file: ElfFile) {
        let name = "libgcc_s.so.1"
        guard found[name] == nil, let (library, place) = find(name, in: folders, for: file) else { return }
        found[name] = library
        add(library, at: place)
    }

    private func find(_ name: String, in folders: [BytePath], for file: ElfFile) -> (ElfFile, BytePath)? {
        for folder in folders {
            let link = folder.appending(name)
            guard let place = try? Host.realPath(link), let bytes = Host.contents(place, limit: Self.largest),
                let library = ElfFile(bytes), library.machine == file.machine
            else { continue }
            return (library, place)
        }
        return nil
    }
}
