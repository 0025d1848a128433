// `freshpyc clean`

import BasicTypes
import BuildModel
import BytecodeCare
import Interpreters
import LinuxSystem

enum CleanVerb: Verb {
    private static let foreign = OptionSpecification(
        "--foreign", help: "also remove bytecode with a cache tag of no selected interpreter")
    private static let all = OptionSpecification(
        "--all", help: "remove all bytecode, except files without a source beside them")
    private static let dryRun = OptionSpecification(
        "--dry-run", "-n", help: "list what would be removed; remove nothing")
    private static let verbose = OptionSpecification("--verbose", "-v", help: "list what is removed")

    static let declaration = VerbDeclaration(
        name: "clean",
        summary: "remove bytecode that is no longer needed",
        description: [
            "Without options, it removes bytecode in __pycache__ whose source is gone, and temporary files left behind by a killed process. Outside __pycache__, only --all removes bytecode, and only if its source is next to it. Symbolic links are not followed."
        ],
        options: [foreign, all, .python, .exclude, dryRun, verbose, .quiet, .help],
        exitStatuses: [0: "done", 2: "something could not be removed"],
        examples: [
            .init("freshpyc clean --dry-run", "see what would be removed"),
            .init("freshpyc clean --foreign -p 3.12 -p 3.13", "keep the bytecode of two Pythons"),
            .init("freshpyc clean --all build/", "remove all bytecode"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        let arguments = try BytecodeArguments(parsed, for: declaration)
        let isDryRun = parsed.has(dryRun.name)
        let extent = try extent(parsed, arguments)
        let begun = Host.monotonic
        let report: CleanReport
        do throws(SystemError) {
            report = try BytecodeCleaner(
                rootPath: arguments.rootPath, scope: arguments.scope, extent: extent,
                isDryRun: isDryRun
            ).clean(arguments.starts)
        } catch {
            FreshpycCommand.complain("cannot open \(error); check its permissions")
            return 2
        }
        let printer = arguments.printer
        if isDryRun || parsed.has(verbose.name) {
            let directories = report.directories.map { printer.shown($0).description + "/" }
            invocation.output.write(
                lines: (report.removed.map { printer.shown($0.path).description } + directories).sorted())
        }
        for problem in report.problems {
            FreshpycCommand.complain("\(printer.shown(problem.path)): \(problem.diagnostic.message)")
        }
        if !arguments.common.isQuiet {
            Host.writeError(summary(report, isDryRun: isDryRun, duration: Host.monotonic - begun) + "\n")
        }
        return report.problems.isEmpty ? 0 : 2
    }

    private static func extent(
        _ parsed: ParsedArguments, _ arguments: BytecodeArguments
    ) throws(UsageError) -> BytecodeCleaner.Extent {
        if parsed.has(all.name) { return .all }
        guard parsed.has(foreign.name) else { return .orphans }
        do throws(InterpreterError) {
            return .foreign(tags: Set(try arguments.interpreters().map(\.cacheTag)))
        } catch {
            throw UsageError(message: error.message)
        }
    }

    /// `removed 12 files and 3 directories (45678 bytes) in 0.004 s`
    private static func summary(_ report: CleanReport, isDryRun: Bool, duration: Int64) -> String {
        let directories =
            report.directories.isEmpty
            ? "" : " and \(Plural.count(report.directories.count, "directory", "directories"))"
        return
            "\(isDryRun ? "would remove" : "removed") \(Plural.count(report.removed.count, "file"))\(directories) (\(Plural.count(report.size, "byte"))) in \(WaveReport.seconds(duration))"
    }
}
