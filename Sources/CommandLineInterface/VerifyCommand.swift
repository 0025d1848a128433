// `verify`: every bytecode file against its source.
// Knows: what is printed where, and what a result means to a shell. Does not know: how a file is judged.

import BasicTypes
import Batches
import BuildModel
import BytecodeCare
import Documents
import Interpreters
import LinuxSystem
import Service
import Synchronization

struct VerifyCommand {
    private let arguments: BytecodeArguments
    private let isStrict: Bool
    private let repairs: Bool

    /// - Returns: the exit status.
    static func run(_ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        let arguments = try BytecodeArguments(parsed, verb: .verify)
        return VerifyCommand(
            arguments: arguments, isStrict: parsed.has("--strict"), repairs: parsed.has("--repair")
        ).run()
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
            let report = verifier.verify(arguments.starts)
            let repaired = repairs ? repair(report, interpreters) : RepairResult()
            return show(repairs ? verifier.verify(arguments.starts) : report, interpreters, repaired)
        } catch {
            FreshpycCommand.complain("cannot look at \(error)")
            return 2
        }
    }

    /// Makes anew what is stale or damaged, and removes what has no source and what was left over.
    private func repair(_ report: BytecodeReport, _ interpreters: [Interpreter]) -> RepairResult {
        let result = Mutex(RepairResult())
        if report.files.contains(where: BytecodeRepair.canRepair) {
            let configuration = arguments.common.configuration
            let rootPath = arguments.rootPath
            _ = EventLoop.run { loop in
                do throws(SystemError) {
                    let compiler: BatchCompiler
                    do throws(InterpreterError) {
                        compiler = try BatchCompiler(
                            loop: loop,
                            candidates: interpreters.map { InterpreterCandidate(path: $0.path, origin: .option) },
                            jobs: Processors.available, deadline: configuration.deadline)
                    } catch {
                        FreshpycCommand.complain(error.message)
                        return loop.stop(2)
                    }
                    let repair = try BytecodeRepair(rootPath: rootPath, compiler: compiler)
                    repair.run(report.files) { done in
                        result.withLock { $0 = done }
                        compiler.close()
                        loop.stop(0)
                    }
                } catch {
                    FreshpycCommand.complain("cannot look at \(error)")
                    loop.stop(2)
                }
            }
        }
        var repaired = result.withLock { $0 }
        do throws(SystemError) {
            let cleaned = try BytecodeCleaner(
                rootPath: arguments.rootPath, scope: arguments.scope, extent: .orphans, isDryRun: false
            ).clean(arguments.starts)
            repaired.repaired += cleaned.removed.count
            repaired.diagnostics += cleaned.problems
        } catch {
            repaired.diagnostics.append(
                LocatedDiagnostic(path: .empty, diagnostic: Diagnostic(.unreadable, .error, message: "\(error)")))
        }
        return repaired
    }

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
            Host.write(JSONLine.encode(document), to: 1)
        } else {
            let printer = arguments.printer
            BytecodeArguments.write(diagnostics.map { printer.text($0) })
        }
        if !arguments.common.isQuiet, !report.files.isEmpty {
            if repairs { Host.write("\(BytecodeArguments.counted(repaired.repaired, "file")) repaired\n", to: 2) }
            Host.write(summary(report, counts) + "\n", to: 2)
        }
        if let hint { FreshpycCommand.complain(hint) }
        return status
    }

    /// Why there was nothing to verify: that is never green.
    private func nothing(_ report: BytecodeReport, _ counts: BytecodeReport.Counts) -> String? {
        if report.files.isEmpty, report.problems.isEmpty {
            return
                "nothing to verify: no bytecode in \(arguments.printer.shown(arguments.starts[0])) that is not excluded; build it with `freshpyc build`, or name another path"
        }
        guard counts.verified == 0, counts.foreign > 0 else { return nil }
        return
            "nothing was verified: all bytecode is of other interpreters; name them with --python, or all with --python all"
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
            if count > 0 { others.append("\(count) \(count == 1 ? one : many)") }
        }
        note(counts.orphans, "orphan", "orphans")
        note(counts.foreign, "of another interpreter", "of other interpreters")
        note(counts.leftovers, "left over", "left over")
        note(counts.notVerified, "that could not be verified", "that could not be verified")
        note(report.sourcesWithoutBytecode, "source without bytecode", "sources without bytecode")
        let rest = others.isEmpty ? "" : "; besides \(others.joined(separator: ", "))"
        return
            "\(BytecodeArguments.counted(counts.verified, "bytecode file")) verified: \(parts.joined(separator: ", "))\(rest) in \(WaveReport.seconds(report.duration))"
    }
}

/// What `verify --format json` prints; OUTPUT.md describes it.
struct VerifyDocument: Encodable {
    struct Counts: Encodable {
        let verified: Int
        let valid: Int
        let stale: Int
        let damaged: Int
        let wrongMagic: Int
        let sourceless: Int
        let orphans: Int
        let foreign: Int
        let leftovers: Int
        let notVerified: Int
        let sources: Int
        let sourcesWithoutBytecode: Int
    }

    struct Finding: Encodable {
        let path: String
        let pathBytes: String?
        let rule: String
        let severity: String
        let message: String
        let source: String?
        let cacheTag: String?
        let level: UInt8?
        let invalidation: String?
    }

    var schema = ReportDocument.schema
    var verb = Verb.verify.rawValue
    let root: String
    let seconds: Double
    let exitStatus: Int32
    let counts: Counts
    let interpreters: [ReportDocument.Python]
    let findings: [Finding]

    init(
        _ report: BytecodeReport, root: BytePath, interpreters: [Interpreter], diagnostics: [LocatedDiagnostic],
        exitStatus: Int32
    ) {
        self.root = root.description
        seconds = Double(report.duration) / 1e9
        self.exitStatus = exitStatus
        let counts = report.counts
        self.counts = Counts(
            verified: counts.verified, valid: counts.valid, stale: counts.stale, damaged: counts.damaged,
            wrongMagic: counts.wrongMagic, sourceless: counts.sourceless, orphans: counts.orphans,
            foreign: counts.foreign, leftovers: counts.leftovers, notVerified: counts.notVerified,
            sources: report.sources, sourcesWithoutBytecode: report.sourcesWithoutBytecode)
        self.interpreters = interpreters.map { ReportDocument.Python($0) }
        let files = Dictionary(report.files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        findings = diagnostics.map { located in
            let file = files[located.path]
            return Finding(
                path: located.path.description, pathBytes: located.path.hexadecimalIfNotText,
                rule: located.diagnostic.rule.rawValue, severity: located.diagnostic.severity.rawValue,
                message: located.diagnostic.message, source: file?.source?.description,
                cacheTag: file?.interpreter.map { interpreters[$0].cacheTag }, level: file?.level?.rawValue,
                invalidation: file?.mode?.rawValue)
        }
    }
}
