// The files that compileall would visit, in its order (the walk of Lib/compileall.py).

import BasicTypes
import FileWatching
import LinuxSystem

/// The steps of one run.
struct CompileAllPlan {
    enum Step {
        /// Prints a line, unless `-q` was given at least this many times.
        case line(String, quietFrom: Int)
        /// Compiles a file, given by its index.
        case file(Int)
        /// Records a failure that needs no further message.
        case fail
        /// Ends the run if something has failed.
        case endIfFailed
        /// Ends the run with a message, where compileall ends with a traceback.
        case end(String)
    }

    /// A source that was found.
    struct File {
        /// Its path as compileall prints it.
        let name: BytePath
        /// The file name to embed in its code.
        let fileName: BytePath
        /// The paths of its bytecode, one for each level.
        let places: [BytePath]
        /// The round in which each level is compiled. Files of one round do not depend on each other.
        let rounds: [Int]
    }

    private(set) var steps: [Step] = []
    private(set) var files: [File] = []
    private(set) var places: DropInPlaces

    private let arguments: CompileAllArguments
    /// The last round that writes to a place.
    private var lastRounds: [BytePath: Int] = [:]
    private var firstRound = 0
    private var isEnded = false
    /// Names that `-x` excludes. They are determined for all names at once.
    private var leftOut: Set<BytePath> = []
    private var isCollecting = false
    private var collected: [BytePath] = []

    /// How to make the embedded name of a file from its path.
    private struct Naming {
        var strip: BytePath?
        var prepend: BytePath?
        var directory: BytePath?
    }

    init(_ arguments: CompileAllArguments, _ places: DropInPlaces) {
        self.arguments = arguments
        self.places = places
    }

    /// The names of all files that would be considered.
    mutating func names(of destinations: [BytePath]) -> [BytePath] {
        isCollecting = true
        for destination in destinations { add(destination) }
        isCollecting = false
        isEnded = false
        steps = []
        defer { collected = [] }
        return collected
    }

    mutating func leaveOut(_ names: Set<BytePath>) { leftOut = names }

    /// Adds a file or directory that was named.
    mutating func add(_ destination: BytePath) {
        if places.isFile(destination) {
            add(
                file: destination,
                Naming(strip: arguments.strip, prepend: arguments.prepend, directory: arguments.destination))
            return
        }
        if arguments.workers.map({ $0 < 0 }) == true { return end("workers must be greater or equal to 0") }
        let naming =
            arguments.destination.map { Naming(strip: destination, prepend: $0) }
            ?? Naming(strip: arguments.strip, prepend: arguments.prepend)
        // An empty name comes from an empty line in a list, and is not an error.
        walk(destination, levels: arguments.maximumLevels ?? .max, naming, mayBeMissing: destination.isEmpty)
    }

    /// Adds the directories of `sys.path`, without subdirectories. The run ends after the first one with a failure.
    mutating func add(searchPath: [BytePath]) {
        for directory in searchPath {
            firstRound = (lastRounds.values.max() ?? -1) + 1
            walk(directory, levels: 0, Naming(), mayBeMissing: true)
            steps.append(.endIfFailed)
        }
    }

    private mutating func end(_ message: String) {
        if isEnded { return }
        steps.append(.end(message))
        isEnded = true
    }

    // MARK: Walking

    /// - Parameter levels: the number of levels of subdirectories to enter.
    private mutating func walk(_ directory: BytePath, levels: Int, _ naming: Naming, mayBeMissing: Bool = false) {
        if isEnded { return }
        steps.append(.line("Listing \(PythonText.repr(directory))...", quietFrom: 1))
        guard let names = list(directory) else {
            steps.append(.line("Can't list \(PythonText.repr(directory))", quietFrom: 2))
            // CPython ignores this and exits with 0.
            if !mayBeMissing { steps.append(.fail) }
            return
        }
        for (name, kind) in names where name != BytePath("__pycache__") {
            let path = Self.join(directory, name)
            let isDirectory: Bool
            var isLink = false
            switch kind {
            case .directory: isDirectory = true
            case .regular, .other: isDirectory = false
            case .symbolicLink, .unknown:
                isDirectory = places.status(path)?.kind == .directory
                isLink = places.status(path, followsLinks: false)?.kind == .symbolicLink
            }
            if !isDirectory {
                add(file: path, naming)
            } else if levels > 0, !isLink {
                walk(path, levels: levels - 1, naming)
            }
        }
    }

    /// - Returns: `nil` if it cannot be listed.
    private func list(_ directory: BytePath) -> [(name: BytePath, kind: EntryKind)]? {
        guard !directory.isEmpty else { return nil }
        var names: [(name: BytePath, kind: EntryKind)] = []
        do throws(SystemError) {
            try DirectoryListing().forEach(in: try Directory(path: places.absolute(directory)), path: directory) {
                name, kind throws(SystemError) in
                names.append((BytePath(cString: name), kind))
            }
            return names.sorted { $0.name < $1.name }
        } catch {
            return nil
        }
    }

    private mutating func add(file: BytePath, _ naming: Naming) {
        if isEnded { return }
        if isCollecting {
            collected.append(file)
            return
        }
        var embedded = naming.directory.map { Self.join($0, BytePath.empty.appending(file.lastComponent)) }
        if let strip = naming.strip {
            let parts = file.bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
            let prefix = strip.bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
            if !parts.starts(with: prefix, by: { $0.elementsEqual($1) }) {
                steps.append(
                    .line(
                        "The stripdir path \(PythonText.repr(strip)) is not a valid prefix for source path \(PythonText.repr(file)); ignoring",
                        quietFrom: 2))
            } else if parts.count == prefix.count {
                return end("nothing is left of \(PythonText.repr(file)) without -s \(PythonText.repr(strip))")
            } else {
                embedded = parts.dropFirst(prefix.count).reduce(BytePath.empty) {
                    Self.join($0, BytePath.empty.appending($1))
                }
            }
        }
        if let prepend = naming.prepend { embedded = Self.join(prepend, embedded ?? file) }
        if arguments.linksDuplicates, arguments.levels.count < 2 {
            return end("--hardlink-dupes makes sense only for more than one optimization level")
        }
        if arguments.expression?.isEmpty == true { return end("-x is empty") }
        if leftOut.contains(file) || leadsOut(file) { return }
        guard file.hasSuffix(".py"), places.isFile(file) else { return }
        append(file, fileName: embedded ?? file)
    }

    private mutating func append(_ file: BytePath, fileName: BytePath) {
        let outputs = arguments.levels.map {
            arguments.isLegacy ? DropInPlaces.legacy(file) : places.bytecode(of: file, level: $0)
        }
        // The same source may have been named before under another name, and each level is compiled only if the one before
        // it was.
        let written = outputs.map { (try? places.output($0, of: file)) ?? $0 }
        var round = (written.compactMap { lastRounds[$0] } + [firstRound - 1]).max() ?? -1
        var rounds: [Int] = []
        for place in written {
            round += 1
            rounds.append(round)
            lastRounds[place] = round
        }
        steps.append(.file(files.count))
        files.append(File(name: file, fileName: fileName, places: outputs, rounds: rounds))
    }

    /// Whether `-e` excludes a link.
    private func leadsOut(_ file: BytePath) -> Bool {
        guard let limit = arguments.linkLimit, places.status(file, followsLinks: false)?.kind == .symbolicLink else {
            return false
        }
        let place = places.absolute(limit)
        let resolved = (try? Host.realPath(place)) ?? place.normalized
        guard let end = try? Host.realPath(places.absolute(file)) else { return true }
        return end == resolved || !end.isWithin(resolved)
    }

    /// `os.path.join`
    private static func join(_ directory: BytePath, _ name: BytePath) -> BytePath {
        name.isAbsolute ? name : directory.appending(name)
    }
}
