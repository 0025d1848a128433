// A plan for a bundle as text: what would go in, and why.

import BasicTypes
import Bundling

struct BundlePlanText {
    let text: String

    init(_ plan: BundlePlan) {
        var lines: [String] = []
        let own = plan.files.filter { $0.distribution == nil }
        let width = min(48, own.map { $0.path.count }.max() ?? 0)
        for file in own {
            let gap = String(repeating: " ", count: max(2, width + 2 - file.path.count))
            lines.append(BytePath.shown(file.path) + gap + file.reason.text)
        }
        for distribution in plan.distributions {
            lines.append(
                "\(distribution.name) \(distribution.version): \(Plural.count(distribution.fileCount, "file")), \(distribution.reason)"
            )
        }
        if let runtime = plan.runtime {
            lines.append(
                "the interpreter: \(Plural.count(runtime.fileCount, "file")); of the standard library \(runtime.modules.joined(separator: ", "))"
            )
            if !runtime.libraries.isEmpty {
                lines.append("shared libraries: \(runtime.libraries.joined(separator: ", "))")
            }
        }
        for note in plan.notes { lines.append("note: \(note)") }
        text = lines.map { $0 + "\n" }.joined()
    }
}
