// `freshpyc verify`

import BasicTypes
import Batches
import BuildModel
import BytecodeCare
import Documents
import Interpreters
import LinuxSystem
import Synchronization

struct VerifyVerb: Verb {
    private static let repair = OptionSpecification(
        "--repair",
        help:
            "recompile stale and damaged bytecode, with the validation that it had, and remove orphans and leftover temporary files"
    )

    static let declaration = VerbDeclaration(
        name: "verify",
        summary: "compare every bytecode file with its source",
        description: [
            "Checks the header, the source that the header describes, and the code to its last byte. Sources without bytecode are counted, but are not findings."
        ],
        options: [
            .python, .exclude, repair, .strict, .textOrJSON, .quiet, .help,
        ],
        exitStatuses: [
            0: "all bytecode is valid", 1: "findings: errors, and with --strict warnings and notes",
            2: "something could not be verified or repaired, or there is no bytecode",
        ],
        examples: [
            .init("freshpyc verify", "the project in the current directory"),
            .init("freshpyc verify --strict --python all /opt/app", "before shipping: nothing may be left over"),
            .init("freshpyc verify app.pyz", "a bundle: checksums, places, and bytecode against its sources"),
            .init("freshpyc verify venv/lib/python3.12/site-packages", "a directory that is skipped unless named"),
        ])

    private let arguments: BytecodeArguments
    private let isStrict: Bool
    private let repairs: Bool
    private let output: StandardOutput

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        let directory = (try? Host.workingDirectory()) ?? BytePath("/")
        if let other = parsed.operands.first(where: { BundleExamination.isOther($0, workingDirectory: directory) }) {
            throw UsageError(
                message: "'\(other)' is not a bundle of freshpyc; name a bundle, a directory, a source or its bytecode")
        }
        let bundles = parsed.operands.compactMap { BundleExamination($0, workingDirectory: directory) }
        if !bundles.isEmpty {
            guard bundles.count == parsed.operands.count, !parsed.has(repair.name) else {
                throw UsageError(message: "bundles are verified on their own, and not repaired; name only bundles")
            }
            if parsed.last("--format") == "json" {
                return BundleExamination.writeJSON(bundles, verb: declaration.name, to: invocation.output)
            }
            let isQuiet = parsed.has(OptionSpecification.quiet.name)
            return bundles.map { $0.verify(invocation.output, isQuiet: isQuiet) }.max() ?? 0
        }
        let arguments = try BytecodeArguments(parsed, for: declaration)
        return VerifyVerb(
            arguments: arguments, isStrict: arguments.common.arguments.has(OptionSpecification.strict.name),
            repairs: parsed.has(repair.name), output: invocation.output
        ).run()
    }

    private func verified(by verifier: BytecodeVerifier) -> BytecodeReport {
        var report = verifier.verify(arguments.starts)
        guard !arguments.files.isEmpty else { return report }
        report.files.removeAll { !arguments.files.contains($0.path) }
        report.problems.removeAll { !arguments.files.contains($0.path) }
        report.sources = 0
        report.sourcesWithoutBytecode = 0
        return report
    }

    private func run() -> Int32 {
        let interpreters: [Interpreter]
        do throws(InterpreterError) {
            interpreters = try arguments.interpreters()
        } catch {
            FreshpycCommand.complain(error.message)
            return 2
        }
        do throws(SystemError) {
            let verifier = try BytecodeVerifier(
                rootPath: arguments.rootPath, scope: arguments.scope, interpreters: interpreters)
            let report = verified(by: verifier)
            guard repairs else { return show(report, interpreters, RepairResult()) }
            let recompiled = recompile(report, interpreters)
            // Clean before verifying again, so that removed files are not reported.
            let repaired = clean(recompiled.result)
            let status = show(verified(by: verifier), interpreters, repaired)
            return max(status, recompiled.status)
        } catch {
            FreshpycCommand.complain("cannot open \(error); check its permissions")
            return 2
        }
    }

    // MARK: Repairing

    /// Recompiles stale and damaged bytecode.
    ///
    /// - Returns: the result, and exit status 2 if the repair could not start.
    private func recompile(
        _ report: BytecodeReport, _ interpreters: [Interpreter]
    ) -> (result: RepairResult, status: Int32) {
        guard report.files.contains(where: BytecodeRepair.canRepair) else { return (RepairResult(), 0) }
        let result = Mutex(RepairResult())
        let deadline = arguments.common.configuration.deadline
        let rootPath = arguments.rootPath
        let status = EventLoop.run { loop in
            do throws(UsageError) {
                let compiler: BatchCompiler
                do throws(InterpreterError) {
                    compiler = try BatchCompiler(
                        loop: loop,
                        candidates: interpreters.map { InterpreterCandidate(path: $0.path, origin: .option) },
                        jobs: Processors.available, deadline: deadline)
                } catch {
                    throw UsageError(message: error.message)
                }
                let repair: BytecodeRepair
                do throws(SystemError) {
                    repair = try BytecodeRepair(rootPath: rootPath, compiler: compiler)
                } catch {
                    compiler.close()
                    throw UsageError(message: "cannot open \(error); check its permissions")
                }
                repair.run(report.files) { done in
                    result.withLock { $0 = done }
                    compiler.close()
                    loop.stop(0)
                }
            } catch {
                FreshpycCommand.complain(error.message)
                loop.stop(2)
            }
        }
        return (result.withLock { $0 }, status)
    }

    /// Removes bytecode without a source, and leftover temporary files.
    private func clean(_ result: RepairResult) -> RepairResult {
        var result = result
        do throws(SystemError) {
            let cleaned = try BytecodeCleaner(
                rootPath: arguments.rootPath, scope: arguments.scope, extent: .orphans, isDryRun: false
            ).clean(arguments.starts)
            result.removed += cleaned.removed.map(\.path)
            result.diagnostics += cleaned.problems
        } catch {
            result.diagnostics.append(
                LocatedDiagnostic(path: .empty, diagnostic: Diagnostic(.unreadable, .error, message: "\(error)")))
        }
        return result
    }

    // MARK: Showing

    private func show(_ report: BytecodeReport, _ interpreters: [Interpreter], _ repaired: RepairResult) -> Int32 {
        let findings = BytecodeFindings(interpreters: interpreters)
        let diagnostics = repaired.diagnostics + findings.diagnostics(report)
        let counts = report.counts
        let hint = nothing(report, counts)
        let status = hint == nil ? status(diagnostics) : 2
        if arguments.common.format == .json {
            let document = VerifyDocument(
                report, root: arguments.rootPath, interpreters: interpreters, diagnostics: diagnostics,
                exitStatus: status)
            output.write(JSONLine.encode(document))
        } else {
            let printer = arguments.printer
            output.write(lines: diagnostics.map { printer.text($0) })
        }
        if !arguments.common.isQuiet, !report.files.isEmpty {
            if repairs { Host.writeError(text(repaired)) }
            Host.writeError(summary(report, counts) + "\n")
        }
        if let hint { FreshpycCommand.complain(hint) }
        return status
    }

    /// A line for each file that was repaired, and their number.
    private func text(_ repaired: RepairResult) -> String {
        let lines = [("recompiled", repaired.recompiled), ("removed", repaired.removed)].flatMap { word, paths in
            paths.sorted().map { "\(word) \(arguments.printer.shown($0))\n" }
        }
        return lines.joined() + "\(Plural.count(lines.count, "file")) repaired\n"
    }

    /// Why there was nothing to verify, which is never a success.
    private func nothing(_ report: BytecodeReport, _ counts: BytecodeReport.Counts) -> String? {
        if report.files.isEmpty, report.problems.isEmpty {
            return
                "nothing to verify: no bytecode in \(arguments.printer.shown(arguments.starts[0])) that is not excluded; build it with `freshpyc build`, or name another path"
        }
        guard counts.verified == 0, counts.foreign > 0 else { return nil }
        return
            "nothing was verified: all bytecode belongs to other interpreters; name them with --python, or use --python all"
    }

    private func status(_ diagnostics: [LocatedDiagnostic]) -> Int32 {
        if diagnostics.contains(where: \.diagnostic.rule.isOperational) { return 2 }
        return diagnostics.contains { isStrict || $0.diagnostic.severity == .error } ? 1 : 0
    }

    /// `7722 bytecode files verified: 7721 valid, 1 stale in 0.31 s`
    private func summary(_ report: BytecodeReport, _ counts: BytecodeReport.Counts) -> String {
        var parts = ["\(counts.valid) valid"]
        func add(_ count: Int, _ word: String) {
            if count > 0 { parts.append("\(count) \(word)") }
        }
        add(counts.stale, "stale")
        add(counts.damaged, "damaged")
        add(counts.wrongMagic, "with a wrong magic number")
        add(counts.sourceless, "sourceless")
        var others: [String] = []
        func note(_ count: Int, _ one: String, _ many: String) {
            if count > 0 { others.append(Plural.count(count, one, many)) }
        }
        note(counts.orphans, "orphan", "orphans")
        note(counts.foreign, "of another interpreter", "of other interpreters")
        note(counts.leftovers, "left over", "left over")
        note(counts.notVerified, "that could not be verified", "that could not be verified")
        note(report.sourcesWithoutBytecode, "source without bytecode", "sources without bytecode")
        let rest = others.isEmpty ? "" : "; not counted: \(others.joined(separator: ", "))"
        let time = WaveReport.seconds(report.duration)
        return
            "\(Plural.count(counts.verified, "bytecode file")) verified in \(time): \(parts.joined(separator: ", "))\(rest)"
    }
}
