// Computes the path of the source that compiled code records (`co_filename`).

import BasicTypes

/// How to compute `co_filename` from a source's current path. Tracebacks must name the path that it will have when
/// deployed.
package struct EmbeddedPath: Sendable {
    /// Prefix to remove: absolute, and every source must be below it.
    package var strip: BytePath?
    /// Prefix to add.
    package var prepend: BytePath?

    package init(strip: BytePath? = nil, prepend: BytePath? = nil) {
        self.strip = strip
        self.prepend = prepend
    }

    /// - Parameter source: absolute.
    /// - Returns: `nil` if the source is not below `strip`.
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
