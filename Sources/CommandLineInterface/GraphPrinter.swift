// Formats an import graph as text, for Graphviz and for Mermaid.

import Documents

/// The formats of a graph.
enum GraphFormat: String, CaseIterable {
    case text, json, dot, mermaid
}

/// Formats one graph.
struct GraphPrinter {
    private let document: GraphDocument
    private let showsExternal: Bool
    private let shown: (String) -> String

    init(_ document: GraphDocument, showsExternal: Bool, shown: @escaping (String) -> String) {
        self.document = document
        self.showsExternal = showsExternal
        self.shown = shown
    }

    /// One arrow; it may stand for several imports.
    private struct Arrow {
        let target: String
        let line: Int
        let kind: String
        /// `resolved`, `ambiguous`, `external`.
        let state: String
    }

    private func arrows(of module: GraphDocument.Module) -> [Arrow] {
        var arrows: [Arrow] = []
        var seen: Set<String> = []
        for kept in module.imports {
            for path in kept.to + kept.through where seen.insert(path).inserted {
                arrows.append(Arrow(target: shown(path), line: kept.line, kind: kept.kind, state: kept.state))
            }
            guard showsExternal else { continue }
            for name in kept.external where seen.insert(":" + name).inserted {
                arrows.append(Arrow(target: name, line: kept.line, kind: kept.kind, state: "external"))
            }
        }
        return arrows
    }

    func text(_ format: GraphFormat) -> String {
        switch format {
        case .text, .json: list
        case .dot: dot
        case .mermaid: mermaid
        }
    }

    /// Each source, followed by its imports: `  pkg/b.py (line 3)`, with the kind if it is not eager.
    private var list: String {
        var text = ""
        for module in document.modules {
            text +=
                shown(module.path) + (module.outdated == true ? " (does not compile)" : "")
                + "\n"
            for arrow in arrows(of: module) {
                let kind = arrow.kind == "eager" ? "" : ", \(arrow.kind)"
                let state = arrow.state == "ambiguous" || arrow.state == "external" ? ", \(arrow.state)" : ""
                text += "  \(arrow.target) (line \(arrow.line)\(kind)\(state))\n"
            }
        }
        return text
    }

    /// https://graphviz.org/doc/info/lang.html
    private var dot: String {
        func quoted(_ name: String) -> String {
            "\"" + name.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
        }
        var text = "digraph imports {\n  rankdir=LR;\n  node [shape=box];\n"
        for module in document.modules {
            text += "  \(quoted(shown(module.path)));\n"
            for arrow in arrows(of: module) {
                let style = arrow.kind == "eager" ? "" : " [style=dashed, label=\(quoted(arrow.kind))]"
                text += "  \(quoted(shown(module.path))) -> \(quoted(arrow.target))\(style);\n"
            }
        }
        return text + "}\n"
    }

    /// https://mermaid.js.org/syntax/flowchart.html: nodes have short names, and their labels are in quotes.
    private var mermaid: String {
        var numbers: [String: Int] = [:]
        var text = "flowchart LR\n"
        func node(_ name: String) -> String {
            if let number = numbers[name] { return "n\(number)" }
            numbers[name] = numbers.count
            let escaped = name.map { $0 == "\"" ? "#quot;" : String($0) }.joined()
            return "n\(numbers.count - 1)[\"\(escaped)\"]"
        }
        for module in document.modules {
            let arrows = arrows(of: module)
            if arrows.isEmpty { text += "  \(node(shown(module.path)))\n" }
            for arrow in arrows {
                let line = arrow.kind == "eager" ? "-->" : "-. \(arrow.kind) .->"
                text += "  \(node(shown(module.path))) \(line) \(node(arrow.target))\n"
            }
        }
        return text
    }
}
