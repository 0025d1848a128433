// `clean`: bytecode that nothing needs, removed.
// Knows: what is printed where, and what a result means to a shell. Does not know: what goes, or how.

import BuildModel
import BytecodeCare
import Interpreters
import LinuxSystem

struct CleanCommand {
    private let arguments: BytecodeArguments
    private let extent: BytecodeCleaner.Extent
    private let isDryRun: Bool
    private let isVerbose: Bool

    /// - Returns: the exit status.
    static func run(_ parsed: ParsedArguments) throws(UsageError) -> Int32 {
        let arguments = try BytecodeArguments(parsed, verb: .clean)
        let extent: BytecodeCleaner.Extent
        if parsed.has("--all") {
            extent = .all
        } else if parsed.has("--foreign") {
            do throws(InterpreterError) {
                extent = .foreign(tags: Set(try arguments.interpreters().map(\.cacheTag)))
            } catch {
                throw UsageError(message: error.message)
            }
        } else {
            extent = .orphans
        }
        return CleanCommand(
            arguments: arguments, extent: extent, isDryRun: parsed.has("--dry-run"), isVerbose: parsed.has("--verbose")
        ).run()
    }

    private func run() -> Int32 {
        let begun = Host.monotonic
        let report: CleanReport
        do throws(SystemError) {
            let cleaner = try BytecodeCleaner(
                rootPath: arguments.rootPath, scope: arguments.scope, extent: extent, isDryRun: isDryRun)
            report = cleaner.clean(arguments.starts)
        } catch {
            FreshpycCommand.complain("cannot look at \(error)")
            return 2
        }
        let printer = arguments.printer
        if isDryRun || isVerbose {
            let folders = report.folders.map { printer.shown($0).description + "/" }
            BytecodeArguments.write((report.removed.map { printer.shown($0.path).description } + folders).sorted())
        }
        for problem in report.problems {
            FreshpycCommand.complain("\(printer.shown(problem.path)): \(problem.diagnostic.message)")
        }
        if !arguments.common.isQuiet { Host.write(summary(report, Host.monotonic - begun) + "\n", to: 2) }
        return report.problems.isEmpty ? 0 : 2
    }

    /// `12 files and 3 folders removed, 45678 bytes in 0.004 s`
    private func summary(_ report: CleanReport, _ duration: Int64) -> String {
        let folders =
            report.folders.isEmpty ? "" : " and \(BytecodeArguments.counted(report.folders.count, "folder"))"
        return
            "\(BytecodeArguments.counted(report.removed.count, "file"))\(folders) \(isDryRun ? "would be removed" : "removed"), \(report.size) bytes in \(WaveReport.seconds(duration))"
    }
}
