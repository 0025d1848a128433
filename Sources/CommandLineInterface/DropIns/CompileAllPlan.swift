// What compileall would look at, and what it would say, in its order.
// Knows: the walk and the decisions of Lib/compileall.py. Does not know: how anything is compiled or shown.

import BuildEngine
import BuildModel
import Bytecode
import FileWatching
import LinuxSystem

/// The steps of one run.
struct CompileAllPlan {
    enum Step {
        /// A line, unless `-q` (1) or `-qq` (2) forbids it.
        case line(String, quietFrom: Int)
        /// Compiled by these jobs. What follows is told after them, like an error of the compiler.
        case compile(BytePath, jobs: Range<Int>, thenRefused: String?)
        /// The same file again, with the same jobs: up to date by then, unless it failed.
        case again(BytePath, jobs: Range<Int>)
        /// A failure that nothing more is said of.
        case fail
    }

    private(set) var steps: [Step] = []
    private(set) var jobs: [BatchJob] = []

    private let arguments: CompileAllArguments
    private let interpreter: Interpreter
    private let workingDirectory: BytePath
    /// Everything is opened from there, by paths without links: a directory each would use up descriptors.
    private let top: Directory
    private var realDirectories: [BytePath: BytePath] = [:]
    /// Files that are compiled already, with their jobs.
    private var planned: [BytePath: Range<Int>] = [:]
    /// Names that `-x` leaves out; asked for all at once.
    private var leftOut: Set<BytePath> = []
    private var isCollecting = false
    private var collected: [BytePath] = []

    /// Where a file is, as compileall names it, and how its embedded name is made.
    private struct Naming {
        let strip: BytePath?
        let prepend: BytePath?
        let directory: BytePath?
    }

    init(
        _ arguments: CompileAllArguments, interpreter: Interpreter, workingDirectory: BytePath
    ) throws(SystemError) {
        self.arguments = arguments
        self.interpreter = interpreter
        self.workingDirectory = workingDirectory
        top = try Directory(path: BytePath("/"))
    }

    /// All names that would be looked at.
    mutating func names(of destinations: [BytePath]) -> [BytePath] {
        isCollecting = true
        add(destinations)
        isCollecting = false
        steps = []
        defer { collected = [] }
        return collected
    }

    mutating func leaveOut(_ names: Set<BytePath>) { leftOut = names }

    mutating func add(_ destinations: [BytePath]) {
        for destination in destinations {
            if isFile(destination) {
                add(
                    file: destination,
                    Naming(strip: arguments.strip, prepend: arguments.prepend, directory: arguments.destination))
            } else {
                addDirectory(destination, levels: arguments.maximumLevels ?? .max)
            }
        }
    }

    /// - Parameters:
    ///   - levels: how many levels of directories below this one are entered.
    ///   - mayBeMissing: whether it is no failure that it cannot be listed.
    mutating func addDirectory(_ directory: BytePath, levels: Int, mayBeMissing: Bool = false) {
        let naming =
            arguments.destination.map { Naming(strip: directory, prepend: $0, directory: nil) }
            ?? Naming(strip: arguments.strip, prepend: arguments.prepend, directory: nil)
        walk(directory, levels: levels, naming, mayBeMissing: mayBeMissing)
    }

    private mutating func walk(_ directory: BytePath, levels: Int, _ naming: Naming, mayBeMissing: Bool = false) {
        steps.append(.line("Listing \(PythonText.repr(directory))...", quietFrom: 1))
        var names: [(name: BytePath, kind: EntryKind)] = []
        do throws(SystemError) {
            if directory.isEmpty { throw SystemError("open", directory, code: SystemError.noSuchFile) }
            try DirectoryListing().forEach(in: try Directory(path: absolute(directory)), path: directory) {
                name, kind throws(SystemError) in
                names.append((BytePath(cString: name), kind))
            }
        } catch {
            steps.append(.line("Can't list \(PythonText.repr(directory))", quietFrom: 2))
            // CPython goes on and exits with 0. An empty line in a list is no directory that somebody meant.
            if !mayBeMissing, !directory.isEmpty { steps.append(.fail) }
            return
        }
        names.sort { $0.name < $1.name }
        for (name, kind) in names where name != BytePath("__pycache__") {
            let path = Self.join(directory, name)
            let isDirectory: Bool
            var isLink = false
            switch kind {
            case .directory: isDirectory = true
            case .regular, .other: isDirectory = false
            case .symbolicLink, .unknown:
                isDirectory = status(path)?.kind == .directory
                isLink = status(path, followsLinks: false)?.kind == .symbolicLink
            }
            if !isDirectory {
                add(file: path, naming)
            } else if levels > 0, !isLink {
                walk(path, levels: levels - 1, naming)
            }
        }
    }

    private mutating func add(file: BytePath, _ naming: Naming) {
        if isCollecting {
            collected.append(file)
            return
        }
        var embedded = naming.directory.map { Self.join($0, BytePath.empty.appending(file.lastComponent)) }
        if let strip = naming.strip {
            let parts = file.bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
            let prefix = strip.bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
            if parts.starts(with: prefix, by: { $0.elementsEqual($1) }), parts.count > prefix.count {
                embedded = parts.dropFirst(prefix.count).reduce(BytePath.empty) {
                    Self.join($0, BytePath.empty.appending($1))
                }
            } else {
                steps.append(
                    .line(
                        "The stripdir path \(PythonText.repr(strip)) is not a valid prefix for source path \(PythonText.repr(file)); ignoring",
                        quietFrom: 2))
            }
        }
        if let prepend = naming.prepend { embedded = Self.join(prepend, embedded ?? file) }
        if leftOut.contains(file) || leadsOut(file) { return }
        guard isFile(file), file.hasSuffix(".py") else { return }
        compile(file, fileName: embedded ?? file)
    }

    private mutating func compile(_ file: BytePath, fileName: BytePath) {
        guard let source = real(file) else { return }
        // The compiler takes no other levels, and says so when it comes to one.
        let levels = arguments.levels.prefix { (-1...2).contains($0) }
        let refusal =
            levels.count == arguments.levels.count ? nil : "Sorry: ValueError: compile(): invalid optimize value"
        let places = levels.map { place(of: source, level: $0) }
        if !arguments.isForced, refusal == nil {
            if let jobs = planned[source], arguments.effectiveInvalidation == .timestamp {
                steps.append(.again(file, jobs: jobs))
                return
            }
            if let status = status(file), places.allSatisfy({ speaks($0, status.stamp) }) { return }
        }
        let namesSource = isFile(fileName)
        let first = jobs.count
        for (place, level) in zip(places, levels) {
            let shown = arguments.isLegacy ? Self.legacy(file) : shownPlace(of: file, place)
            if let taken = DropIn.taken(place, shown: shown, in: top) {
                steps.append(.compile(file, jobs: first..<jobs.count, thenRefused: "FileExistsError: \(taken)"))
                return
            }
            var job = BatchJob(
                source: BatchPlace(top, source), output: BatchPlace(top, place), fileName: fileName, interpreter: 0,
                level: self.level(level))
            job.namesSource = namesSource
            jobs.append(job)
        }
        planned[source] = first..<jobs.count
        steps.append(.compile(file, jobs: first..<jobs.count, thenRefused: refusal))
    }

    // MARK: Places

    private func place(of source: BytePath, level: Int) -> BytePath {
        if arguments.isLegacy { return Self.legacy(source) }
        return DropIn.place(
            of: source, level: self.level(level), interpreter: interpreter, workingDirectory: workingDirectory)
    }

    private func level(_ number: Int) -> OptimizationLevel {
        number < 0 ? DropIn.ownLevel : OptimizationLevel(rawValue: UInt8(clamping: number)) ?? .none
    }

    private static func legacy(_ source: BytePath) -> BytePath {
        BytePath.empty.appending(Array(source.bytes) + [UInt8(ascii: "c")])
    }

    private func shownPlace(of file: BytePath, _ place: BytePath) -> BytePath {
        Self.join(file.parent, BytePath.empty.appending(place.parent.lastComponent)).appending(place.lastComponent)
    }

    /// Whether a file's header says that it is of this source. CPython does not look at the size.
    private func speaks(_ place: BytePath, _ stamp: Stamp) -> Bool {
        let length = interpreter.layout.rawValue
        guard let file = try? top.file(place, .read), let bytes = try? file.readAll(expected: length, limit: length),
            let header = bytes.withUnsafeBytes({ PycHeader($0, length: length) }), header.magic == interpreter.magic,
            case .timestamp(let seconds, let size) = header.validation
        else { return false }
        return seconds == stamp.headerSeconds && (size ?? stamp.headerSize) == stamp.headerSize
    }

    /// Whether `-e` leaves a link out.
    private func leadsOut(_ file: BytePath) -> Bool {
        guard let limit = arguments.linkLimit, status(file, followsLinks: false)?.kind == .symbolicLink else {
            return false
        }
        let place = absolute(limit)
        let resolved = (try? Host.realPath(place)) ?? place.normalized
        guard let end = try? Host.realPath(absolute(file)) else { return true }
        return end == resolved || !end.isWithin(resolved)
    }

    /// The file from the top, by a path without links but its own.
    private mutating func real(_ file: BytePath) -> BytePath? {
        let parent = absolute(file).parent
        if realDirectories[parent] == nil { realDirectories[parent] = try? Host.realPath(parent) }
        return realDirectories[parent]?.relative(to: BytePath("/"))?.appending(file.lastComponent)
    }

    private func absolute(_ path: BytePath) -> BytePath {
        path.isAbsolute ? path : workingDirectory.appending(path)
    }

    private func isFile(_ path: BytePath) -> Bool { status(path)?.kind == .regular }

    private func status(_ path: BytePath, followsLinks: Bool = true) -> FileStatus? {
        // The empty name is nothing, and not the current directory.
        path.isEmpty ? nil : (try? Host.status(absolute(path), followsLinks: followsLinks)) ?? nil
    }

    /// `os.path.join`
    private static func join(_ directory: BytePath, _ name: BytePath) -> BytePath {
        name.isAbsolute ? name : directory.appending(name)
    }
}
