// A bundle that the configuration describes: `[tool.freshpyc.bundles]`, `"dist/shop.pyz" = ["-m", "shop"]`.

import BasicTypes
import LinuxSystem

struct BundleRecipe: Hashable {
    /// The bundle, absolute.
    let output: BytePath
    /// The words of the command line that make it, without `-o`. Paths are relative to the root.
    let words: [String]
    /// For `-o`: a directory ends with a slash.
    let operand: String

    /// The recipe for a bundle that the user named.
    ///
    /// - Parameter path: of the bundle, absolute.
    static func find(_ path: BytePath, in settings: Settings, root: BytePath) throws(UsageError) -> BundleRecipe {
        for (name, words) in settings.bundles where Self.place(name, root) == path.normalized {
            let output = path.normalized
            return BundleRecipe(
                output: output, words: words, operand: output.description + (name.hasSuffix("/") ? "/" : ""))
        }
        let known = settings.bundles.keys.sorted()
        throw UsageError(
            message: known.isEmpty
                ? "the configuration has no bundle '\(path.relative(to: root) ?? path)'; add it to [tool.freshpyc.bundles], or name an entry"
                : "the configuration has no bundle '\(path.relative(to: root) ?? path)'; it has \(known.joined(separator: ", "))"
        )
    }

    /// Where a bundle of the configuration is.
    static func place(_ name: String, _ root: BytePath) -> BytePath {
        (BytePath(name).isAbsolute ? BytePath(name) : root.appending(name)).normalized
    }

    /// The patterns of files that it includes.
    var included: [String] { values(of: "--include") }

    private func values(of option: String) -> [String] {
        var found: [String] = []
        for (index, word) in words.enumerated() {
            if word == option, index + 1 < words.count { found.append(words[index + 1]) }
            if word.hasPrefix(option + "=") { found.append(String(word.dropFirst(option.count + 1))) }
        }
        return found
    }

    /// All files that it writes, absolute.
    func outputs(root: BytePath) -> [BytePath] {
        [output] + (values(of: "--manifest") + values(of: "--sbom")).map { Self.place($0, root) }
    }
}
