// The work of a batch on one bytecode file, for lanes: read the source, have it compiled, and publish it.

import BuildModel
import Compilation
import Interpreters
import LinuxSystem

/// Reads and publishes for a batch.
struct BatchCompilation: CompilationWork {
    struct Item: Sendable {
        /// Index of the job in the batch.
        let index: Int
        let job: BatchJob
        /// The size of the source in bytes, before it is read.
        let size: Int64
    }

    let targets: [BatchTarget]
    let options: BatchOptions
    let store: CodeStore?
    /// Time limit for one file in nanoseconds.
    let deadline: Int64

    func size(of item: Item) -> Int { Int(clamping: item.size) }

    func makeScratch() -> BatchPublishers { BatchPublishers(makesDirectories: options.makesDirectories) }

    func prepare(_ item: Item, _ publishers: BatchPublishers) -> Preparation<SourceSnapshot, BatchResult> {
        let job = item.job
        do throws(SourceProblem) {
            let snapshot = try SourceReader(root: job.source.directory).read(job.source.path)
            return .request(
                CompileRequest(
                    identifier: 0, level: job.level, wantsCode: true,
                    printing: options.warningOptions.map { .init(hasLines: job.namesSource, warningOptions: $0) },
                    fileName: job.fileName, source: snapshot.bytes), snapshot)
        } catch {
            return .finished(BatchResult(outcome: .problem(error.diagnostic, error.cause)))
        }
    }

    func finish(
        _ item: Item, _ snapshot: SourceSnapshot, _ result: CompileResult, _ publishers: BatchPublishers
    ) -> BatchResult {
        let job = item.job
        let target = targets[job.interpreter]
        switch CompileVerdict(result, by: target.interpreter, deadline: deadline) {
        case .code(let marshalled, let diagnostics, let microseconds):
            let code = CompiledCode(marshalled, of: target.interpreter)
            do throws(SystemError) {
                try publishers[job.output.directory].publish(
                    job.output.path, header: target.header(for: snapshot.contents, options), body: code.body,
                    permissions: snapshot.permissions, modified: options.modified)
            } catch {
                return BatchResult(
                    outcome: .problem(.unwritable(job.output.path, error), error), diagnostics: diagnostics)
            }
            store?.keep(
                code, diagnostics, microseconds, source: snapshot.state.fingerprint, target.interpreter, job.level)
            return BatchResult(outcome: .compiled, diagnostics: diagnostics)
        case .refused(let diagnostics, _, let text):
            // Bytecode must not outlive the version of the source that it was compiled from.
            if options.removesRefused {
                do throws(SystemError) {
                    try publishers[job.output.directory].remove(job.output.path)
                } catch {
                    return BatchResult(
                        outcome: .problem(.unremovable(job.output.path, error), error), diagnostics: diagnostics)
                }
            }
            return BatchResult(outcome: .refused(text: text), diagnostics: diagnostics)
        case .unavailable(let diagnostic):
            return BatchResult(outcome: .problem(diagnostic, nil))
        }
    }
}
