// Why an interpreter's workers cannot be used.

import BasicTypes

/// Why no worker of an interpreter can be used.
package enum WorkerFailure: Error, Hashable, Sendable {
    /// The reason is shown after a colon.
    case cannotStart(String)
    /// The interpreter at the path is no longer the one that was selected.
    case interpreterChanged(before: String, now: String)

    /// A one-line message that says what to do next.
    ///
    /// - Parameter path: the path of the interpreter.
    package func message(path: BytePath) -> String {
        switch self {
        case .cannotStart(let reason):
            "\(path) cannot compile: \(reason); name another interpreter with --python"
        case .interpreterChanged(let before, let now):
            "\(path) has changed from \(before) to \(now) since it was selected, so the rest was not compiled; run the command again"
        }
    }
}
