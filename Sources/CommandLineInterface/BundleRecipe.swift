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
        for (name, words) in settings.bundles where root.appending(name).normalized == path.normalized {
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

    /// All files that it writes, absolute.
    func outputs(root: BytePath) -> [BytePath] {
        var found = [output]
        for (index, word) in words.enumerated() {
            for option in ["--manifest", "--sbom"] {
                if word == option, index + 1 < words.count { found.append(root.appending(words[index + 1]).normalized) }
                if word.hasPrefix(option + "=") {
                    found.append(root.appending(String(word.dropFirst(option.count + 1))).normalized)
                }
            }
        }
        return found
    }
}
