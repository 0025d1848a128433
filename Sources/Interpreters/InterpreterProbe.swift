// Probes an interpreter: starts a worker and reads its first frame.

import BasicTypes
import BuildModel
import LinuxSystem

/// Why no interpreter can be used.
package enum InterpreterError: Error, Sendable {
    case notFound(spec: String, searched: String)
    case noneFound
    case notPython(BytePath, reason: String)

    /// None of these candidates was selected.
    package static func none(of candidates: [InterpreterCandidate]) -> InterpreterError {
        guard let requirement = candidates.lazy.compactMap(\.requirement).first else { return .noneFound }
        return .notFound(spec: requirement.text, searched: "no Python found here has such a version")
    }

    package var message: String { message(option: "--python") }

    /// - Parameter option: what names an interpreter: an option, or a variable for commands without one.
    package func message(option: String) -> String {
        switch self {
        case .notFound(let spec, let searched):
            "no Python '\(spec)' found (\(searched)); run `freshpyc interpreters`, or give a path with \(option)"
        case .noneFound:
            "no Python interpreter found (looked for $VIRTUAL_ENV, .venv and python3 on PATH); name one with \(option)"
        case .notPython(let path, let reason):
            "\(path) is not a usable Python interpreter: \(reason); name another with \(option)"
        }
    }
}

/// A probed interpreter, and the warm worker left over from the probe.
package struct ProbedInterpreter {
    package let interpreter: Interpreter
    /// Its `sys.version`, in hexadecimal.
    let build: String?
    let worker: WorkerProcess
}

package enum InterpreterProbe {
    /// Maximum time for an interpreter to start, in nanoseconds.
    package static let deadline: Int64 = 20_000_000_000

    /// Starts the interpreter and waits for its hello.
    package static func run(
        _ path: BytePath, deadline: Int64 = InterpreterProbe.deadline
    ) throws(InterpreterError) -> ProbedInterpreter {
        var hello: WorkerHello?
        var reading = WorkerProcess.Reading.more
        let worker: WorkerProcess
        let stamp: Stamp
        do throws(SystemError) {
            guard let status = try Host.status(path), status.kind == .regular else {
                throw SystemError("exec", path, code: SystemError.noSuchFile)
            }
            stamp = status.stamp
            worker = try WorkerProcess(path, level: nil, tells: true)
            let begun = Host.monotonic
            while hello == nil, reading == .more, Host.monotonic - begun < deadline {
                let ready = try worker.child.waitUntilReady(
                    forInput: worker.hasUnsent, nanoseconds: deadline - (Host.monotonic - begun))
                if ready.input { worker.flush() }
                if ready.output { reading = worker.read { if case .hello(let said) = $0 { hello = said } } }
            }
        } catch {
            throw .notPython(path, reason: error.reason)
        }
        guard let hello else {
            throw .notPython(
                path,
                reason: reading == .more
                    ? "no answer within \(deadline / 1_000_000_000) s" : "it cannot run the compiler")
        }
        guard let interpreter = hello.interpreter(path: path, executable: stamp) else {
            throw .notPython(path, reason: "it does not report its version")
        }
        return ProbedInterpreter(interpreter: interpreter, build: hello.build, worker: worker)
    }
}

extension SourceHashVariant {
    /// CPython's `_imp.source_hash`. The lower half of the key is the raw magic number, the upper half is 0.
    package func hash(_ bytes: UnsafeRawBufferPointer, key: UInt64) -> UInt64 {
        switch self {
        case .sipHash13: SipHash.hash13(bytes, key: (key, 0))
        case .sipHash24: SipHash.hash24(bytes, key: (key, 0))
        }
    }
}
