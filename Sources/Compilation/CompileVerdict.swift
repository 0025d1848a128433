// What a worker's answer means for a source.
// Knows: results of workers, and the words for them. Does not know: files, or what is recorded.

import BuildModel
import Interpreters

/// What became of one source at one interpreter.
package enum CompileVerdict {
    /// It compiles.
    case code([UInt8], diagnostics: [Diagnostic], microseconds: UInt32)
    /// It does not; `text` is what `py_compile` would print, where that was asked for.
    case refused([Diagnostic], microseconds: UInt32, text: String)
    /// Nobody could say.
    case unavailable(Diagnostic)

    /// - Parameter deadline: nanoseconds that a file may take.
    package init(_ result: CompileResult, by interpreter: Interpreter, deadline: Int64) {
        func refused(_ rule: Rule, _ message: String) -> CompileVerdict {
            .refused([Diagnostic(rule, .error, message: message)], microseconds: 0, text: message)
        }
        switch result {
        case .compiled(let code, let diagnostics, let microseconds):
            self = .code(code, diagnostics: diagnostics, microseconds: microseconds)
        case .refused(let diagnostics, let microseconds, let text):
            self = .refused(diagnostics, microseconds: microseconds, text: text)
        case .crashed(let reason):
            let how =
                switch reason {
                case .signal(let number): "signal \(number)"
                case .status(let status): "exit status \(status)"
                }
            self = refused(
                .compilerCrash,
                "\(interpreter.name) died on this file every time (\(how)); simplify it or --exclude it")
        case .timedOut:
            self = refused(
                .timeout,
                "\(interpreter.name) did not compile this file in \(WaveReport.seconds(deadline)), twice; raise --timeout or --exclude it"
            )
        case .unavailable(let failure):
            self = .unavailable(Diagnostic(.unreadable, .error, message: failure.message(path: interpreter.path)))
        }
    }
}
