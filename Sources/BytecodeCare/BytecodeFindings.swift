// What a look at a tree's bytecode has found, as diagnostics.
// Knows: words and severities. Does not know: how a verdict was reached, or where findings are shown.

import BasicTypes
import BuildModel
import Bytecode

/// Tells of one report.
package struct BytecodeFindings: Sendable {
    private let interpreters: [Interpreter]

    /// - Parameter interpreters: the verifier's.
    package init(interpreters: [Interpreter]) {
        self.interpreters = interpreters
    }

    /// By path. Of what is for other interpreters there is one for each cache tag.
    package func diagnostics(_ report: BytecodeReport) -> [LocatedDiagnostic] {
        var found = report.problems
        var foreign: [String: (first: BytePath, count: Int)] = [:]
        for file in report.files {
            if case .foreign(let tag) = file.verdict {
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

    /// - Returns: `nil` where there is nothing to be said, or it is said once for many.
    package func diagnostic(_ file: VerifiedBytecode) -> Diagnostic? {
        switch file.verdict {
        case .valid, .foreign, .gone: return nil
        case .stale(let difference):
            let runs = file.mode == .uncheckedHash ? "; Python runs it all the same (unchecked hash)" : ""
            return Diagnostic(.staleBytecode, .error, message: Self.message(difference) + runs)
        case .damaged(let how):
            return Diagnostic(.damagedBytecode, .error, message: how)
        case .wrongMagic(let number):
            let expected = file.interpreter.map { interpreters[$0] }
            let writes = expected.map { ", and \($0.name) writes \($0.magic & 0xFFFF)" } ?? ""
            return Diagnostic(.wrongMagic, .error, message: "its magic number is \(number)\(writes)")
        case .orphan:
            return Diagnostic(.orphan, .warning, message: "its source is not there; `freshpyc clean` removes it")
        case .sourceless:
            return Diagnostic(.sourceless, .note, message: "there is no source beside it: Python imports it as it is")
        case .unknownHash:
            return Diagnostic(
                .foreignTag, .warning,
                message:
                    "\(file.interpreter.map { interpreters[$0].name } ?? "its Python") hashes sources in a way of its own; it is not verified"
            )
        case .leftover:
            return Diagnostic(
                .leftover, .warning, message: "a temporary file of a process that is gone; `freshpyc clean` removes it")
        case .link:
            return Diagnostic(.foreignTag, .note, message: "a symbolic link, which is not followed; it is not verified")
        case .unreadable(let reason):
            return Diagnostic(
                .unreadable, .error, message: "cannot read the file: \(reason); change its permissions or --exclude it")
        }
    }

    private static func message(_ difference: BytecodeDifference) -> String {
        switch difference {
        case .size(let header, let source):
            "compiled from a source of \(header) byte\(header == 1 ? "" : "s"), and it has \(source) now"
        case .time(let header, let source):
            "compiled from the source of \(CalendarTime(seconds: header).text), and it is of \(CalendarTime(seconds: source).text) now"
        case .contents: "compiled from other contents than the source has now"
        }
    }

    private static func foreign(_ tag: String, count: Int) -> Diagnostic {
        let more = count == 1 ? "" : " (and \(count - 1) more)"
        let version = tag.contains(" ") ? nil : CacheName.version(ofTag: tag)
        let implementation = tag.hasPrefix("pypy") ? "pypy" : ""
        let hint = version.map { "; `--python \(implementation)\($0)`, or `--python all`" } ?? "; `--python all`"
        return Diagnostic(
            .foreignTag, .warning,
            message:
                "for no selected interpreter, by its \(tag.contains(" ") ? tag : "cache tag \(tag)")\(more): not verified\(hint)"
        )
    }
}
