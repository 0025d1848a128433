// Making bytecode that is stale or damaged anew.
// Knows: which verdicts can be mended, and how the file was: its level, its validation, its embedded name. Does not know:
// how a verdict was reached, or how it is told.

import BasicTypes
import BuildModel
import Bytecode
import BytecodeCare
import LinuxSystem

/// What a repair has come to.
package struct RepairResult: Sendable {
    /// Files that are right now.
    package var repaired = 0
    /// What the compiler, or the machine, has said.
    package var diagnostics: [LocatedDiagnostic] = []

    package init() {}
}

/// Repairs one report. Lives on its loop.
package final class BytecodeRepair {
    private let rootPath: BytePath
    private let root: Directory
    private let compiler: BatchCompiler
    private var result = RepairResult()

    /// - Parameters:
    ///   - rootPath: what the report's paths are relative to.
    ///   - compiler: for the interpreters that the report was made with, in their order.
    package init(rootPath: BytePath, compiler: BatchCompiler) throws(SystemError) {
        self.rootPath = rootPath
        root = try Directory(path: rootPath)
        self.compiler = compiler
    }

    /// Whether there is something to be done about a file.
    package static func canRepair(_ file: VerifiedBytecode) -> Bool {
        switch file.verdict {
        case .stale, .damaged, .wrongMagic: file.source != nil && file.interpreter != nil && file.level != nil
        default: false
        }
    }

    /// Compiles the sources of all files that can be repaired; each file is validated as it was.
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
            each: { [self] index, outcome in take(outcome, jobs[index]) },
            done: { [self] in repair(files, modes: modes.dropFirst(), done) })
    }

    private func job(_ file: VerifiedBytecode) -> BatchJob? {
        guard let source = file.source, let interpreter = file.interpreter, let level = file.level else { return nil }
        let name = embeddedName(of: file.path, compiler.interpreters[interpreter])
        return BatchJob(
            source: BatchPlace(root, source), output: BatchPlace(root, file.path),
            fileName: name ?? rootPath.appending(source), interpreter: interpreter, level: level)
    }

    /// The name that the old code has, where it can be read: it may be that of another place, on purpose.
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

    private func take(_ outcome: BatchResult, _ job: BatchJob) {
        var diagnostics = outcome.diagnostics.filter { $0.severity == .error }
        switch outcome.outcome {
        case .compiled, .resealed, .restored, .upToDate: result.repaired += 1
        case .refused: break
        case .problem(let diagnostic, _): diagnostics.append(diagnostic)
        }
        result.diagnostics += diagnostics.map { LocatedDiagnostic(path: job.source.path, diagnostic: $0) }
    }
}
