// Compares every bytecode file of a tree with its source, without running Python.
// Must not use the database: it judges each file by its bytes alone, no matter which program wrote it.

import BasicTypes
import BuildModel
import Bytecode
import Compilation
import FileWatching
import Interpreters
import LinuxSystem

/// Verifies bytecode. Writes nothing.
package struct BytecodeVerifier: Sendable {
    private let root: Directory
    private let walk: BytecodeWalk
    private let interpreters: [Interpreter]
    private let shapes: [PycShape?]

    /// - Parameters:
    ///   - rootPath: absolute, without links.
    ///   - interpreters: probed, at most one for each cache tag.
    package init(rootPath: BytePath, scope: Scope, interpreters: [Interpreter]) throws(SystemError) {
        root = try Directory(path: rootPath)
        walk = BytecodeWalk(root: root, rootPath: rootPath, scope: scope)
        self.interpreters = interpreters
        shapes = interpreters.map { interpreter in
            interpreter.layoutOfCode.map { PycShape(headerLength: interpreter.layout.rawValue, layout: $0) }
        }
    }

    /// A file to read.
    private struct Task: Sendable {
        let file: VerifiedBytecode
        /// Whether it is outside `__pycache__`.
        let isLegacy: Bool
    }

    /// - Parameter starts: directories or sources, relative to the root.
    package func verify(_ starts: [BytePath]) -> BytecodeReport {
        let begun = Host.monotonic
        let walked = walk.walk(starts)
        var report = BytecodeReport()
        report.problems = walked.problems
        var tasks: [Task] = []
        for folder in walked.folders {
            report.sources += folder.stems.count
            report.sourcesWithoutBytecode += folder.stems.count
            gather(folder, into: &tasks, &report)
        }
        report.files += ParallelSlices.map(tasks, sliceSize: 16, scratch: { FileBuffer() }) { task, buffer in
            judge(task, buffer)
        }
        report.files.removeAll { $0.verdict == .gone }
        report.files.sort { $0.path < $1.path }
        report.duration = Host.monotonic - begun
        return report
    }

    /// Creates a task for each file of a directory that must be read. Judges the others by their names.
    private func gather(_ folder: BytecodeFolder, into tasks: inout [Task], _ report: inout BytecodeReport) {
        var covered: Set<[UInt8]> = []
        for name in folder.cached {
            let path = folder.path.appending(BytecodeFolder.cacheName).appending(name)
            guard let parsed = CacheName(name.bytes) else {
                // No Python looks for a name like this.
                report.files.append(VerifiedBytecode(path: path, source: nil, verdict: .foreign("no cache tag")))
                continue
            }
            guard let source = folder.source(of: parsed) else {
                report.files.append(VerifiedBytecode(path: path, source: nil, verdict: .orphan))
                continue
            }
            var file = VerifiedBytecode(path: path, source: source, verdict: .foreign(parsed.tag))
            guard let interpreter = interpreters.firstIndex(where: { $0.cacheTag == parsed.tag }) else {
                report.files.append(file)
                continue
            }
            covered.insert(parsed.stem)
            file.interpreter = interpreter
            file.level = Self.level(parsed.optimization)
            tasks.append(Task(file: file, isLegacy: false))
        }
        for name in folder.legacy {
            let source = folder.source(beside: name)
            var file = VerifiedBytecode(path: folder.path.appending(name), source: source, verdict: .sourceless)
            file.level = name.hasSuffix(".pyo") ? .asserts : OptimizationLevel.none
            if source != nil, let stem = CacheName.stripped(name.bytes) { covered.insert(stem) }
            tasks.append(Task(file: file, isLegacy: true))
        }
        for name in folder.leftovers {
            report.files.append(VerifiedBytecode(path: folder.path.appending(name), source: nil, verdict: .leftover))
        }
        for name in folder.links {
            report.files.append(VerifiedBytecode(path: folder.path.appending(name), source: nil, verdict: .link))
        }
        report.sourcesWithoutBytecode -= covered.count
    }

    private static func level(_ optimization: String) -> OptimizationLevel? {
        optimization.isEmpty ? OptimizationLevel.none : UInt8(optimization).flatMap { OptimizationLevel(rawValue: $0) }
    }

    // MARK: One file

    private func judge(_ task: Task, _ buffer: FileBuffer) -> VerifiedBytecode {
        var file = attempt(task, buffer)
        // The source and its bytecode may have been replaced after one of them was read.
        if case .stale = file.verdict { file = attempt(task, buffer) }
        return file
    }

    private func attempt(_ task: Task, _ buffer: FileBuffer) -> VerifiedBytecode {
        var file = task.file
        do throws(SystemError) {
            let descriptor = try root.file(file.path, .read)
            let status = try descriptor.status(file.path)
            guard status.kind == .regular else { return file.with(.damaged("it is not a regular file")) }
            let bytes = try buffer.read(descriptor, size: status.stamp.size, path: file.path)
            if task.isLegacy { file.interpreter = owner(of: bytes) }
            guard let number = file.interpreter else { return unowned(file, bytes) }
            return try judge(file, bytes, interpreters[number], shapes[number], buffer)
        } catch {
            if error.isMissing { return file.with(.gone) }
            if error.isLoop { return file.with(.link) }
            return file.with(.unreadable(error.reason))
        }
    }

    private func judge(
        _ file: VerifiedBytecode, _ bytes: UnsafeRawBufferPointer, _ interpreter: Interpreter, _ shape: PycShape?,
        _ buffer: FileBuffer
    ) throws(SystemError) -> VerifiedBytecode {
        var file = file
        let length = interpreter.layout.rawValue
        guard bytes.count >= length else {
            return file.with(.damaged("it is too short for a header (\(Plural.count(bytes.count, "byte")))"))
        }
        let magic = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        guard magic == interpreter.magic else {
            return file.with(.wrongMagic(found: UInt16(truncatingIfNeeded: magic)))
        }
        guard let header = PycHeader(bytes, length: length) else {
            return file.with(.damaged("its header has unknown flags"))
        }
        file.mode = header.mode
        guard let pyc = shape.map({ PycFile(bytes, shape: $0) }) ?? PycFile.guessing(bytes) else {
            return file.with(.damaged("it is too short for a header (\(Plural.count(bytes.count, "byte")))"))
        }
        if let problem = Self.problem(of: pyc) { return file.with(.damaged(problem)) }
        guard let source = file.source else { return file.with(.sourceless) }
        // The source reuses the buffer, so the bytecode must not be read after this.
        return file.with(try compare(header, interpreter, source, buffer))
    }

    /// The problem with the code, if there is one.
    private static func problem(of file: PycFile) -> String? {
        switch file.code {
        case .failure(let error): return "its code cannot be read: \(error) of the code"
        case .success:
            if !file.holdsCode { return "its top object is not a code object" }
            return file.trailing == 0 ? nil : "\(Plural.count(file.trailing, "byte")) after the code"
        }
    }

    private func compare(
        _ header: PycHeader, _ interpreter: Interpreter, _ source: BytePath, _ buffer: FileBuffer
    ) throws(SystemError) -> BytecodeVerdict {
        switch header.validation {
        case .timestamp(let seconds, let size):
            guard let status = try root.status(source, followsLinks: true), status.kind == .regular else {
                return .orphan
            }
            if let size, size != status.stamp.headerSize {
                return .stale(.size(header: size, source: status.stamp.headerSize))
            }
            let time = status.stamp.headerSeconds
            return seconds == time ? .valid : .stale(.time(header: seconds, source: time))
        case .hash(let hash, _):
            guard let variant = interpreter.sourceHash else { return .unknownHash }
            do throws(SystemError) {
                let descriptor = try root.fileFollowingLinks(source)
                let status = try descriptor.status(source)
                guard status.kind == .regular else { return .orphan }
                let bytes = try buffer.read(descriptor, size: status.stamp.size, path: source)
                return variant.hash(bytes, key: UInt64(interpreter.magic)) == hash ? .valid : .stale(.contents)
            } catch {
                if error.isMissing { return .orphan }
                return .unreadable("its source \(source): \(error.reason)")
            }
        }
    }

    // MARK: Files without a cache tag

    /// The interpreter of bytecode outside `__pycache__`, by its magic number: its name does not show the interpreter.
    private func owner(of bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let magic = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        return interpreters.firstIndex { $0.magic == magic }
    }

    private func unowned(_ file: VerifiedBytecode, _ bytes: UnsafeRawBufferPointer) -> VerifiedBytecode {
        var file = file
        guard let pyc = PycFile.guessing(bytes) else {
            return file.with(.damaged("it is too short for a header (\(Plural.count(bytes.count, "byte")))"))
        }
        guard pyc.hasMagicEnding else {
            return file.with(.damaged("its first four bytes are not a magic number"))
        }
        file.mode = pyc.header?.mode
        if file.source != nil {
            // Python 2 looks for bytecode here, and would not run this file.
            guard let owner = interpreters.firstIndex(where: { $0.cacheTag.isEmpty }) else {
                return file.with(.foreign("magic number \(pyc.magicNumber)"))
            }
            file.interpreter = owner
            return file.with(.wrongMagic(found: pyc.magicNumber))
        }
        if pyc.header == nil { return file.with(.damaged("its header has unknown flags")) }
        return file.with(Self.problem(of: pyc).map { .damaged($0) } ?? .sourceless)
    }
}

extension VerifiedBytecode {
    fileprivate func with(_ verdict: BytecodeVerdict) -> VerifiedBytecode {
        var copy = self
        copy.verdict = verdict
        return copy
    }
}

extension PycHeader {
    /// The validation mode in the header.
    package var mode: InvalidationMode {
        switch validation {
        case .timestamp: .timestamp
        case .hash(_, let isChecked): isChecked ? .checkedHash : .uncheckedHash
        }
    }
}
