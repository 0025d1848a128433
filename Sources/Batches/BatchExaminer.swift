// Finishes a job without the compiler where possible: the file is up to date, or needs only a new header, or its code
// is in the store. Several threads examine jobs in parallel.
//
// No database says where existing bytecode came from. It is valid if import would accept it: the magic number is right
// and the header matches the source. The body must also parse to its last byte and be canonical code with the wanted
// file name, which import does not check.

import BasicTypes
import BuildDatabase
import BuildModel
import Bytecode
import Compilation
import LinuxSystem

/// Examines jobs. A value, so that the threads of a batch can share it.
struct BatchExaminer: Sendable {
    let targets: [BatchTarget]
    let options: BatchOptions
    let store: CodeStore?

    /// - Returns: `nil` if the job must be compiled.
    func examine(_ job: BatchJob, _ publishers: BatchPublishers) -> BatchResult? {
        let source: SourceContents
        do throws(SourceProblem) {
            source = try SourceReader(root: job.source.directory).contents(job.source.path)
        } catch {
            return BatchResult(outcome: .problem(error.diagnostic, error.cause))
        }
        let target = targets[job.interpreter]
        do throws(SystemError) {
            for place in [job.output, job.existing].compactMap({ $0 }) {
                let isInPlace = place.directory === job.output.directory && place.path == job.output.path
                guard let valid = ValidBytecode(place, job, target.interpreter, source, isInPlace: isInPlace)
                else { continue }
                return BatchResult(outcome: try reseal(valid, job, source, publishers) ? .resealed : .upToDate)
            }
        } catch {
            return BatchResult(outcome: .problem(.unwritable(job.output.path, error), error))
        }
        return restore(job, source, publishers)
    }

    private func restore(
        _ job: BatchJob, _ source: SourceContents, _ publishers: BatchPublishers
    ) -> BatchResult? {
        let target = targets[job.interpreter]
        guard let store,
            let code = store.restore(
                Fingerprint(of: source.bytes), target.interpreter, job.level, fileName: job.fileName)
        else { return nil }
        do throws(SystemError) {
            try publishers[job.output.directory].publish(
                job.output.path, header: target.header(for: source, options), body: code.body,
                permissions: source.permissions, modified: options.modified)
            return BatchResult(outcome: .restored, diagnostics: code.diagnostics)
        } catch {
            return BatchResult(
                outcome: .problem(.unwritable(job.output.path, error), error), diagnostics: code.diagnostics)
        }
    }

    /// Puts valid code in the wanted place, with the wanted header.
    ///
    /// - Returns: whether it wrote anything.
    private func reseal(
        _ valid: ValidBytecode, _ job: BatchJob, _ source: SourceContents,
        _ publishers: BatchPublishers
    ) throws(SystemError) -> Bool {
        let header = targets[job.interpreter].header(for: source, options)
        if valid.isInPlace, valid.isExact {
            if valid.header == header {
                guard let modified = options.modified, valid.stamp.modified != modified, let file = valid.writable
                else {
                    return false
                }
                try file.setModified(modified, path: job.output.path)
                return true
            }
            if let file = valid.writable,
                try ArtifactPublisher.reseal(
                    file, job.output.path, stamp: valid.stamp, header: header, modified: options.modified)
            {
                return true
            }
        }
        try publishers[job.output.directory].publish(
            job.output.path, header: header, body: valid.body, permissions: source.permissions,
            modified: options.modified)
        return true
    }
}

/// Existing bytecode that is valid for a source.
private struct ValidBytecode {
    /// Larger files cannot be bytecode: lengths in marshal are signed 32-bit numbers.
    private static let maximumSize = Int64(Int32.max)

    let stamp: Stamp
    let header: [UInt8]
    /// The canonical code, with the wanted file name.
    let body: [UInt8]
    /// Whether the file already has this body.
    let isExact: Bool
    /// Whether the file is already in the wanted place.
    let isInPlace: Bool
    /// The open file, if it is in the wanted place and can be written.
    let writable: OwnedDescriptor?

    init?(
        _ place: BatchPlace, _ job: BatchJob, _ interpreter: Interpreter, _ source: SourceContents,
        isInPlace: Bool
    ) {
        self.isInPlace = isInPlace
        writable = isInPlace ? try? place.directory.file(place.path, .readWrite) : nil
        guard let layout = interpreter.layoutOfCode,
            let file = writable ?? (try? place.directory.file(place.path, .read)),
            let status = try? file.status(place.path), status.kind == .regular,
            status.stamp.size <= Self.maximumSize,
            let bytes = try? file.read(count: Int(status.stamp.size), path: place.path)
        else { return nil }
        let length = interpreter.layout.rawValue
        let canonical = bytes.withUnsafeBytes { bytes -> (body: [UInt8], isExact: Bool)? in
            guard let header = PycHeader(bytes, length: length), header.magic == interpreter.magic,
                Self.isValid(header.validation, written: status.stamp.changed, interpreter, source)
            else { return nil }
            let body = UnsafeRawBufferPointer(rebasing: bytes[length...])
            guard let arena = try? MarshalReader.read(body, layout: layout), arena.length == body.count,
                let canonical = CanonicalMarshal(arena, body: body, fileName: Array(job.fileName.bytes))
            else { return nil }
            return (canonical.body, canonical.hasBody(body))
        }
        guard let canonical else { return nil }
        stamp = status.stamp
        header = Array(bytes.prefix(length))
        body = canonical.body
        isExact = canonical.isExact
    }

    /// - Parameter written: when the file was last changed.
    private static func isValid(
        _ validation: PycValidation, written: FileTime, _ interpreter: Interpreter, _ source: SourceContents
    ) -> Bool {
        let stamp = source.stamp
        switch validation {
        case .timestamp(let seconds, let size):
            // Bytecode written in the same second as a save may come from an earlier save in that second. A hash in its
            // header would then make it valid for good.
            return seconds == stamp.headerSeconds && (size ?? stamp.headerSize) == stamp.headerSize
                && !source.needsGuard && written.seconds > stamp.modified.importSecond
        case .hash(let hash, _):
            guard let variant = interpreter.sourceHash else { return false }
            return source.bytes.withUnsafeBytes { variant.hash($0, key: UInt64(interpreter.magic)) } == hash
        }
    }
}

/// One interpreter of a batch.
struct BatchTarget: Sendable {
    let id: InterpreterID
    let interpreter: Interpreter

    /// The header for code compiled from this source. It is guarded against another save within the same second only if
    /// `options.guards`: deployed sources are not edited.
    func header(for source: SourceContents, _ options: BatchOptions) -> [UInt8] {
        ArtifactTarget(key: ArtifactKey(interpreter: id, level: .none), interpreter: interpreter)
            .seal(
                stamp: options.stamp(of: source), source: source.bytes, mode: options.mode,
                isGuarded: options.guards && source.needsGuard
            ).header
    }
}

extension BatchOptions {
    /// The stamp of the source for the header: its time is at most the epoch.
    fileprivate func stamp(of source: SourceContents) -> Stamp {
        var stamp = source.stamp
        if let epoch { stamp.modified = min(stamp.modified, FileTime(seconds: epoch, nanosecond: 0)) }
        return stamp
    }
}

extension SourceProblem {
    /// The problem, for a user who named the source.
    var diagnostic: Diagnostic {
        switch self {
        case .gone: Diagnostic(.unreadable, .error, message: "the file was removed in the meantime; run again")
        case .diagnostic(let diagnostic, _): diagnostic
        }
    }
}
