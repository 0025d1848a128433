// What compiled code says of the place of its source.
// Knows: prefixes. Does not know: files.

import BasicTypes

/// How `co_filename` follows from where a source lies now: tracebacks are to name the place where it will lie.
package struct EmbeddedPath: Sendable {
    /// Absolute; what every source lies below.
    package var strip: BytePath?
    package var prepend: BytePath?

    package init(strip: BytePath? = nil, prepend: BytePath? = nil) {
        self.strip = strip
        self.prepend = prepend
    }

    /// - Parameter source: absolute.
    /// - Returns: `nil` where the source is not below what is to be stripped.
    package func fileName(of source: BytePath) -> BytePath? {
        var name = source
        if let strip {
            guard let rest = source.relative(to: strip) else { return nil }
            name = rest
        }
        guard let prepend else { return name }
        return prepend.appending(name.bytes.drop { $0 == UInt8(ascii: "/") })
    }
}
