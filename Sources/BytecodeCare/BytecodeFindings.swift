// Turns verdicts on bytecode into diagnostics: their wording and severity.

import BasicTypes
import BuildModel
import Bytecode

/// Makes the diagnostics of a report.
package struct BytecodeFindings: Sendable {
    private let interpreters: [Interpreter]

    /// - Parameter interpreters: the interpreters of the verifier, in the same order.
    package init(interpreters: [Interpreter]) {
        self.interpreters = interpreters
    }

    /// By path. Bytecode for other interpreters has one diagnostic for each cache tag.
    package func diagnostics(_ report: BytecodeReport) -> [LocatedDiagnostic] {
        var found = report.problems
        var foreign: [String: (first: BytePath, count: Int)] = [:]
        for file in report.files {
            if case .foreign(let tag) = file.verdict {
                // pytest writes bytecode with rewritten assertions (`-pytest-8.1.1`), and validates it itself.
                if tag.contains("-pytest-") { continue }
                foreign[tag, default: (file.path, 0)].count += 1
            } else if let diagnostic = diagnostic(file) {
                found.append(LocatedDiagnostic(path: file.path, diagnostic: diagnostic))
            }
        }
        for (tag, files) in foreign {
            found.append(LocatedDiagnostic(path: files.first, diagnostic: Self.foreign(tag, count: files.count)))
        }
        return found.sorted { ($0.path, $0.diagnostic.message) < ($1.path, $1.diagnostic.message) }
    }

    /// - Returns: `nil` if there is nothing to report, or one diagnostic covers many files.
    package func diagnostic(_ file: VerifiedBytecode) -> Diagnostic? {
        switch file.verdict {
        case .valid, .foreign, .gone: return nil
        case .stale(let difference):
            let runs = file.mode == .uncheckedHash ? "; Python runs it anyway (unchecked hash)" : ""
            return Diagnostic(.staleBytecode, .error, message: Self.message(difference) + runs)
        case .damaged(let how):
            return Diagnostic(.damagedBytecode, .error, message: how)
        case .wrongMagic(let number):
            let expected = file.interpreter.map { interpreters[$0] }
            let writes = expected.map { ", and \($0.name) writes \($0.magic & 0xFFFF)" } ?? ""
            return Diagnostic(.wrongMagic, .error, message: "its magic number is \(number)\(writes)")
        case .orphan:
            return Diagnostic(.orphan, .warning, message: "its source does not exist; `freshpyc clean` removes it")
        case .sourceless:
            return Diagnostic(.sourceless, .note, message: "there is no source next to it; Python imports it as it is")
        case .unknownHash:
            return Diagnostic(
                .foreignTag, .warning,
                message:
                    "\(file.interpreter.map { interpreters[$0].name } ?? "its Python") uses an unknown source hash; not verified"
            )
        case .leftover:
            return Diagnostic(
                .leftover, .warning,
                message: "a temporary file of a process that has ended; `freshpyc clean` removes it")
        case .link:
            return Diagnostic(.foreignTag, .note, message: "a symbolic link; not followed, not verified")
        case .unreadable(let reason):
            return Diagnostic(
                .unreadable, .error, message: "cannot read the file: \(reason); change its permissions or --exclude it")
        }
    }

    private static func message(_ difference: BytecodeDifference) -> String {
        switch difference {
        case .size(let header, let source):
            "compiled from a source of \(Plural.count(header, "byte")); the source now has \(source)"
        case .time(let header, let source):
            "compiled from a source modified at \(CalendarTime(seconds: header).text); the source is now from \(CalendarTime(seconds: source).text)"
        case .contents: "the source's contents changed since it was compiled"
        }
    }

    private static func foreign(_ tag: String, count: Int) -> Diagnostic {
        let more = count == 1 ? "" : ", and \(count - 1) more"
        let version = tag.contains(" ") ? nil : CacheName.version(ofTag: tag)
        let implementation = tag.hasPrefix("pypy") ? "pypy" : ""
        let hint = version.map { "; use `--python \(implementation)\($0)` or `--python all`" } ?? "; use `--python all`"
        return Diagnostic(
            .foreignTag, .warning,
            message:
                "made for another interpreter (\(tag)\(more)), so not verified\(hint)"
        )
    }
}
