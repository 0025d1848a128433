// The parts of a bundle as values: files, why each is in, and what runs first.

import BasicTypes
import BuildModel

/// What a bundle runs.
package enum BundleProgram: Hashable, Sendable {
    /// This file, as `python PATH` runs it.
    case script(String)
    /// As `python -m name` runs it; a package's `__main__` has its own name.
    case module(String)
    /// As a console script calls it.
    case call(module: String, function: String)
    /// Nothing: a library.
    case none
}

/// Why a file is in a bundle.
package enum BundleReason: Hashable, Sendable {
    case entry
    /// By a source, on a line; `how`: a kind of import, `package`, `mentions`.
    case importedBy(String, line: Int, how: String)
    case included(by: String)
    /// It lies in a package that is in.
    case dataOf(package: String)
    /// It belongs to a distribution, which is in for this reason.
    case distribution(String, because: String)

    package var text: String {
        switch self {
        case .entry: "the entry"
        case .importedBy(let source, let line, let how):
            switch how {
            case "package": "the package of \(source)"
            case "mentions": "named in a string of \(source)"
            case "eager": "imported by \(source):\(line)"
            default: "imported by \(source):\(line) (\(how))"
            }
        case .included(let option): option
        case .dataOf(let package): "data of \(package)"
        case .distribution(let name, let reason): "\(name), \(reason)"
        }
    }
}

/// One file of a bundle.
package struct BundleFile: Sendable {
    package enum Origin: Sendable {
        case file(BytePath)
        case bytes([UInt8])
    }

    /// With `/`, relative to the top of the bundle.
    package let path: String
    package let origin: Origin
    package let reason: BundleReason
    /// The distribution that it belongs to.
    package let distribution: String?

    /// The name of the Python module that a source is; `nil` for other files, and for names that no import can have.
    package let module: (name: String, isPackage: Bool)?

    init(path: String, origin: Origin, reason: BundleReason, distribution: String? = nil) {
        self.path = path
        self.origin = origin
        self.reason = reason
        self.distribution = distribution
        module = path.hasSuffix(".py") ? Self.module(path.dropLast(3)) : nil
    }

    /// Whether it is this file, or lies in this directory.
    func isOrigin(_ path: BytePath) -> Bool {
        if case .file(let place) = origin { place.isWithin(path) } else { false }
    }

    static func module(_ stem: Substring) -> (name: String, isPackage: Bool)? {
        var parts = stem.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && !$0.contains(".") }) else { return nil }
        let isPackage = parts.count > 1 && parts.last == "__init__"
        if isPackage { parts.removeLast() }
        return (parts.joined(separator: "."), isPackage)
    }

    /// Whether it is machine code: an extension module, or a library that one needs.
    package var isNative: Bool {
        let name = path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]
        return name.hasSuffix(".so") || name.contains(".so.")
    }

    /// The extension module that a file is for an interpreter; `nil` if it is none.
    ///
    /// File names: `x.cpython-312-x86_64-linux-gnu.so`, `x.abi3.so`, `x.so`, `x.pypy310-pp73-x86_64-linux-gnu.so` (PEP 3149).
    func extensionModule(for interpreter: Interpreter) -> (name: String, isPackage: Bool)? {
        guard path.hasSuffix(".so"), Self.fits(path, interpreter) else { return nil }
        let folder = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let stem = path[folder...].firstIndex(of: ".").map { path[..<$0] } ?? path[...]
        return Self.module(stem)
    }

    /// Whether an interpreter can load a library of this name.
    static func fits(_ path: String, _ interpreter: Interpreter) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2] == "so" else { return true }
        let tag = parts[1]
        if tag == "abi3" { return interpreter.implementation == "cpython" }
        guard tag.hasPrefix("cpython-") || tag.hasPrefix("pypy") else { return true }
        // Before 3.8, the tag had flags: `cpython-37m`.
        return tag.hasPrefix(interpreter.cacheTag) && tag.dropFirst(interpreter.cacheTag.count).first?.isNumber != true
    }
}

/// Everything that goes into a bundle, and what is missing.
package struct BundlePlan: Sendable {
    package var program: BundleProgram
    /// Sorted by path.
    package var files: [BundleFile] = []
    /// The distributions that are in, sorted by name.
    package var distributions: [BundleDistribution] = []
    /// What prevents the bundle.
    package var findings: [LocatedDiagnostic] = []
    package var notes: [String] = []
    /// The interpreter, if it is to go into the bundle.
    package var runtime: BundleRuntime?
}

/// A distribution that is in a bundle.
package struct BundleDistribution: Hashable, Sendable {
    package let name: String
    package let version: String
    package let license: String?
    package let reason: String
    package let fileCount: Int
    package let requirements: [String]
}

/// Why there is no bundle. The message is one line that says what to do.
package struct BundleError: Error, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}
