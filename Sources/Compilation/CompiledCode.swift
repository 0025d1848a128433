// What a worker has sent, in the form in which it is kept.
// Knows: that code has a canonical form. Does not know: where it goes.

import BuildModel
import Bytecode

/// Marshalled code that does not depend on which worker made it, or when.
package struct CompiledCode: Sendable {
    package let body: [UInt8]
    /// Where the embedded file name is in it (`CanonicalMarshal.fileName`).
    package let fileName: Range<Int>?

    /// - Parameter marshalled: as the worker wrote it. What cannot be read natively is kept as it is.
    package init(_ marshalled: [UInt8], of interpreter: Interpreter) {
        let canonical = marshalled.withUnsafeBytes { body -> CanonicalMarshal? in
            guard let layout = interpreter.layoutOfCode, let arena = try? MarshalReader.read(body, layout: layout)
            else { return nil }
            return CanonicalMarshal(arena, body: body)
        }
        self.body = canonical?.body ?? marshalled
        fileName = canonical?.fileName
    }
}
