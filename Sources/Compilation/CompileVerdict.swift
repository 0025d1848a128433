// Turns a worker's answer into code or diagnostics.

import BuildModel
import Interpreters
import LinuxSystem

/// The result of compiling one source with one interpreter.
package enum CompileVerdict {
    /// The source compiles.
    case code(ArraySlice<UInt8>, diagnostics: [Diagnostic], microseconds: UInt32)
    /// The source does not compile. `text` is what `py_compile` would print, if that was requested.
    case refused([Diagnostic], microseconds: UInt32, text: String)
    /// The interpreter could not be run.
    case unavailable(Diagnostic)

    /// - Parameter deadline: the time limit for one file in nanoseconds.
    package init(_ result: CompileResult, by interpreter: Interpreter, deadline: Int64) {
        func refused(_ rule: Rule, type: String = "", microseconds: UInt32 = 0, _ message: String) -> CompileVerdict {
            .refused(
                [Diagnostic(rule, .error, type: type, message: message)], microseconds: microseconds, text: message)
        }
        switch result {
        case .compiled(let code, let diagnostics, let microseconds):
            self = .code(code, diagnostics: diagnostics, microseconds: microseconds)
        case .refused(let diagnostics, let microseconds, let text):
            self = .refused(diagnostics, microseconds: microseconds, text: text)
        case .crashed(.signal(ExitReason.killSignal)):
            self = refused(
                .compilerCrash, type: Diagnostic.killed,
                "\(interpreter.name) was killed whenever it compiled this file (signal 9, often a lack of memory); use fewer --jobs, or --exclude it"
            )
        case .crashed(let reason):
            let how =
                switch reason {
                case .signal(let number): "signal \(number)"
                case .status(let status): "exit status \(status)"
                }
            self = refused(
                .compilerCrash,
                "\(interpreter.name) crashed on this file every time (\(how)); simplify the file or --exclude it")
        case .timedOut:
            self = refused(
                .timeout, microseconds: UInt32(clamping: deadline / 1_000),
                "\(interpreter.name) took longer than \(WaveReport.seconds(deadline)) to compile this file, twice; raise --timeout or --exclude it"
            )
        case .unavailable(let failure):
            self = .unavailable(Diagnostic(.unreadable, .error, message: failure.message(path: interpreter.path)))
        }
    }
}
