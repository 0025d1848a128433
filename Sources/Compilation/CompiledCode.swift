// Converts the code from a worker to its canonical form.

import BuildModel
import Bytecode

/// Marshalled code in canonical form: it is the same for every worker and every run.
package struct CompiledCode: Sendable {
    package let body: [UInt8]
    /// The position of the embedded file name (`CanonicalMarshal.fileName`).
    package let fileName: Range<Int>?

    /// - Parameter marshalled: the bytes from the worker. They are kept unchanged if they cannot be parsed.
    package init(_ marshalled: ArraySlice<UInt8>, of interpreter: Interpreter) {
        let canonical = marshalled.withUnsafeBytes { body -> CanonicalMarshal? in
            guard let layout = interpreter.layoutOfCode, let arena = try? MarshalReader.read(body, layout: layout)
            else { return nil }
            return CanonicalMarshal(arena, body: body)
        }
        self.body = canonical?.body ?? Array(marshalled)
        fileName = canonical?.fileName
    }
}
