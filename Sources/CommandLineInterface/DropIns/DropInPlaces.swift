// Where Python puts the bytecode of a file (importlib.util.cache_from_source), and whether it may be written there.

import BasicTypes
import Batches
import BuildModel
import Bytecode
import LinuxSystem

/// The bytecode paths of one interpreter. Relative paths start at the working directory.
struct DropInPlaces {
    let interpreter: Interpreter
    let workingDirectory: BytePath
    /// `/`. All files are opened from here, by paths without links; one open directory for each would use up descriptors.
    private let top: Directory
    /// PYTHONPYCACHEPREFIX, for Python 3.8 and newer.
    private let prefix: BytePath?
    private var realDirectories: [BytePath: BytePath] = [:]

    init(interpreter: Interpreter, workingDirectory: BytePath) throws(SystemError) {
        self.interpreter = interpreter
        self.workingDirectory = workingDirectory
        top = try Directory(path: BytePath("/"))
        let version = interpreter.version.split(separator: ".").compactMap { Int($0) }
        let knowsPrefix = !version.lexicographicallyPrecedes([3, 8])
        prefix = knowsPrefix ? Host.environment("PYTHONPYCACHEPREFIX") : nil
    }

    // MARK: Names

    /// The path that `cache_from_source` returns.
    ///
    /// - Parameter level: as for Python's `optimize`: negative for the interpreter's own level.
    func bytecode(of file: BytePath, level: Int) -> BytePath {
        let level = UInt8(clamping: level < 0 ? Int(DropIn.ownLevel.rawValue) : level)
        let cache = CachePath(cacheTag: interpreter.cacheTag, level: level)
        let name = cache.fileName(source: file.lastComponent)
        guard let prefix else { return file.parent.appending(cache.directory).appending(name) }
        let parent = absolute(file.parent).normalized
        return prefix.appending(parent.bytes.drop { $0 == UInt8(ascii: "/") }).appending(name)
    }

    /// The path next to the source, as before PEP 3147.
    static func legacy(_ file: BytePath) -> BytePath {
        BytePath.empty.appending(Array(file.bytes) + [UInt8(ascii: "c")])
    }

    func absolute(_ path: BytePath) -> BytePath { path.isAbsolute ? path : workingDirectory.appending(path) }

    func isFile(_ path: BytePath) -> Bool { status(path)?.kind == .regular }

    /// `nil` if there is no such file, or it cannot be accessed. The empty path names no file.
    func status(_ path: BytePath, followsLinks: Bool = true) -> FileStatus? {
        path.isEmpty ? nil : (try? Host.status(absolute(path), followsLinks: followsLinks)) ?? nil
    }

    // MARK: Existing files

    /// Whether the header of a bytecode file matches this source. CPython's compileall does not compare the size.
    func speaks(_ place: BytePath, _ stamp: Stamp) -> Bool {
        let length = interpreter.layout.rawValue
        guard let bytes = Host.contents(absolute(place), limit: length),
            let header = bytes.withUnsafeBytes({ PycHeader($0, length: length) }), header.magic == interpreter.magic,
            case .timestamp(let seconds, let size) = header.validation
        else { return false }
        return seconds == stamp.headerSeconds && (size ?? stamp.headerSize) == stamp.headerSize
    }

    /// Why `py_compile` refuses to write to a path: it exists and is not a regular file. `nil` if it may be written.
    func refusal(_ place: BytePath) -> String? {
        guard let there = status(place, followsLinks: false), there.kind != .regular else { return nil }
        let (what, which) =
            there.kind == .symbolicLink
            ? ("is a symlink", "a regular file") : ("is a non-regular file", "a regular one")
        return
            "\(PythonText.shown(place)) \(what) and will be changed into \(which) if import writes a byte-compiled file to it"
    }

    /// Throws if a source does not exist, cannot be opened, or is a directory.
    func check(_ file: BytePath) throws(SystemError) {
        guard !file.isEmpty else { throw SystemError("open", file, code: SystemError.noSuchFile) }
        let status = try top.fileFollowingLinks(absolute(file)).status(file)
        if status.kind == .directory { throw SystemError("open", file, code: SystemError.isDirectory) }
    }

    // MARK: Compiling

    /// - Parameters:
    ///   - place: the result of `bytecode` or `legacy`.
    ///   - fileName: the file name to embed in the code.
    mutating func job(
        _ file: BytePath, to place: BytePath, fileName: BytePath, level: OptimizationLevel
    ) throws(SystemError) -> BatchJob {
        let source = try realDirectory(absolute(file).parent).appending(file.lastComponent)
        var job = BatchJob(
            source: BatchPlace(top, Self.fromTop(source)),
            output: BatchPlace(top, Self.fromTop(try output(place, of: file))), fileName: fileName, interpreter: 0,
            level: level)
        job.namesSource = fileName == file || isSame(fileName, file)
        return job
    }

    /// The path of an output with the user's links resolved. Directories that we create must not be links.
    mutating func output(_ place: BytePath, of file: BytePath) throws(SystemError) -> BytePath {
        if let prefix, place.parent != file.parent, let below = place.relative(to: prefix) {
            return try realDirectory(absolute(prefix)).appending(below)
        }
        let parent = try realDirectory(absolute(file).parent)
        let folder = place.parent == file.parent ? parent : parent.appending(place.parent.lastComponent)
        return folder.appending(place.lastComponent)
    }

    private func isSame(_ first: BytePath, _ second: BytePath) -> Bool {
        guard let first = status(first)?.stamp, let second = status(second)?.stamp else { return false }
        return first.device == second.device && first.inode == second.inode
    }

    private static func fromTop(_ path: BytePath) -> BytePath { path.relative(to: BytePath("/")) ?? path }

    /// The path of a directory with its links resolved. The part that does not exist yet has none.
    private mutating func realDirectory(_ path: BytePath) throws(SystemError) -> BytePath {
        if let known = realDirectories[path] { return known }
        let real: BytePath
        do throws(SystemError) {
            real = try Host.realPath(path)
        } catch  where error.isMissing && path.normalized != BytePath("/") {
            real = try realDirectory(path.normalized.parent).appending(path.normalized.lastComponent)
        }
        realDirectories[path] = real
        return real
    }

    // MARK: Errors

    /// The exception that Python would have raised for a job that failed for a reason other than the source's contents.
    func exception(_ problem: Diagnostic, _ cause: SystemError?, file: BytePath, place: BytePath) -> PythonException {
        guard let cause else { return PythonException(type: "OSError", text: problem.message) }
        if problem.rule != .unwritable { return PythonException(cause, file) }
        if let link = link(above: place) {
            return PythonException(
                type: "OSError",
                text: "\(PythonText.repr(link)) is a symbolic link, and bytecode is written through none")
        }
        if cause.operation == "write" { return PythonException(cause, nil) }
        // Python fails in `makedirs`, or else when it opens its temporary file, whose name ends with a number.
        if status(place.parent, followsLinks: false) == nil {
            var missing = place.parent
            while !missing.parent.isEmpty, status(missing.parent) == nil { missing = missing.parent }
            return PythonException(cause, missing)
        }
        return PythonException(cause, BytePath(Array(place.bytes) + Array(".\(Host.processIdentifier)".utf8)) ?? place)
    }

    /// A symbolic link among the directories that Python would create for a path.
    private func link(above place: BytePath) -> BytePath? {
        let end = prefix.flatMap { place.isWithin($0) ? $0 : nil } ?? place.parent.parent
        var directory = place.parent
        while directory.count > end.count {
            if status(directory, followsLinks: false)?.kind == .symbolicLink { return directory }
            directory = directory.parent
        }
        return nil
    }
}
