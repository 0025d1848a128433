// Recompiles bytecode that is stale or damaged, with the level, validation and embedded file name that it had.

import BasicTypes
import BuildModel
import Bytecode
import BytecodeCare
import LinuxSystem

/// The result of a repair.
package struct RepairResult: Sendable {
    /// The bytecode that was compiled again.
    package var recompiled: [BytePath] = []
    /// The files that were removed.
    package var removed: [BytePath] = []
    /// Errors from the compiler or the system.
    package var diagnostics: [LocatedDiagnostic] = []

    package init() {}
}

/// Repairs the files of one report. Lives on its loop.
package final class BytecodeRepair {
    private let rootPath: BytePath
    private let root: Directory
    private let compiler: BatchCompiler
    private var result = RepairResult()

    /// - Parameters:
    ///   - rootPath: the directory that the report's paths are relative to.
    ///   - compiler: for the same interpreters as the report, in the same order.
    package init(rootPath: BytePath, compiler: BatchCompiler) throws(SystemError) {
        self.rootPath = rootPath
        root = try Directory(path: rootPath)
        self.compiler = compiler
    }

    /// Whether a file can be repaired.
    package static func canRepair(_ file: VerifiedBytecode) -> Bool {
        switch file.verdict {
        case .stale, .damaged, .wrongMagic: file.source != nil && file.interpreter != nil && file.level != nil
        default: false
        }
    }

    /// Recompiles all files that can be repaired. Each keeps its validation mode.
    package func run(_ files: [VerifiedBytecode], done: @escaping (RepairResult) -> Void) {
        let modes = files.filter(Self.canRepair).map { $0.mode ?? .timestamp }
        repair(files.filter(Self.canRepair), modes: InvalidationMode.allCases.filter(modes.contains)[...], done)
    }

    private func repair(
        _ files: [VerifiedBytecode], modes: ArraySlice<InvalidationMode>, _ done: @escaping (RepairResult) -> Void
    ) {
        guard let mode = modes.first else { return done(result) }
        let own = files.filter { ($0.mode ?? .timestamp) == mode }
        let jobs = own.compactMap { job($0) }
        var options = BatchOptions(mode: mode, reuse: .none)
        options.guards = true
        compiler.run(
            jobs, options: options,
            each: { [self] index, outcome in record(outcome, jobs[index]) },
            done: { [self] in repair(files, modes: modes.dropFirst(), done) })
    }

    private func job(_ file: VerifiedBytecode) -> BatchJob? {
        guard let source = file.source, let interpreter = file.interpreter, let level = file.level else { return nil }
        let name = embeddedName(of: file.path, compiler.interpreters[interpreter])
        return BatchJob(
            source: BatchPlace(root, source), output: BatchPlace(root, file.path),
            fileName: name ?? rootPath.appending(source), interpreter: interpreter, level: level)
    }

    /// The file name in the old code, if it can be read. It may name another place on purpose.
    private func embeddedName(of path: BytePath, _ interpreter: Interpreter) -> BytePath? {
        guard let layout = interpreter.layoutOfCode, let file = try? root.file(path, .read),
            let bytes = try? file.readAll(expected: 65_536, limit: Int(Int32.max), path: path),
            bytes.count > interpreter.layout.rawValue
        else { return nil }
        return bytes.withUnsafeBytes { bytes in
            let body = UnsafeRawBufferPointer(rebasing: bytes[interpreter.layout.rawValue...])
            guard let arena = try? MarshalReader.read(body, layout: layout) else { return nil }
            return CanonicalMarshal.fileName(of: arena, body: body).flatMap { $0.isEmpty ? nil : BytePath($0) }
        }
    }

    private func record(_ outcome: BatchResult, _ job: BatchJob) {
        var diagnostics = outcome.diagnostics.filter { $0.severity == .error }
        switch outcome.outcome {
        case .compiled, .resealed, .restored, .upToDate: result.recompiled.append(job.output.path)
        case .refused: break
        case .problem(let diagnostic, _): diagnostics.append(diagnostic)
        }
        result.diagnostics += diagnostics.map { LocatedDiagnostic(path: job.source.path, diagnostic: $0) }
    }
}
