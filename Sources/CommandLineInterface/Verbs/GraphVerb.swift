// `freshpyc graph`

import BasicTypes
import Documents
import ImportGraph
import Service

enum GraphVerb: Verb {
    private static let from = OptionSpecification(
        "--from", value: .path("PATH"), help: "start at this source or directory; may be repeated")
    private static let direction = OptionSpecification(
        "--direction", value: .choice("WAY", of: ["dependencies", "dependents"]),
        help: "follow dependencies (default) or dependents of --from")
    private static let depth = OptionSpecification(
        "--depth", value: .count("N"), help: "maximum number of steps from --from")
    private static let external = OptionSpecification(
        "--external", help: "show imports that lead out of the tree, too")

    static let declaration = VerbDeclaration(
        name: "graph",
        summary: "show which modules import which",
        arguments: "[OPTIONS] [PATH…]",
        traits: [.analyzesImports, .remembers],
        description: [
            "With paths, shows the imports of the modules there. Asks the daemon of the tree, or reads what has changed since the last time. Compiles nothing."
        ],
        options: [
            from, direction, depth, .kinds, external, .python, .exclude, .gitignore, .sourceRoot, .stateDirectory,
            .noDaemon,
            .format("text", "json", "dot", "mermaid", help: "text (default), json, dot (Graphviz) or mermaid"), .help,
        ],
        exitStatuses: [0: "shown", 2: "something could not be done, or nothing is in scope"],
        examples: [
            .init("freshpyc graph --from a.py --direction dependents --depth 1", "which modules import a.py"),
            .init("freshpyc graph --format dot | dot -Tsvg > graph.svg", "a picture"),
        ])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = invocation.arguments
        var question = try GraphQuestion(invocation, declaration, asksForFiles: false)
        var paths: [BytePath] = []
        for path in parsed.paths(from.name) { paths.append(try question.relative(path)) }
        if paths.isEmpty {
            for (name, option) in [(depth.name, "--depth"), (direction.name, "--direction")] where parsed.has(name) {
                throw UsageError(message: "\(option) needs --from PATH, where it begins")
            }
            paths = question.places
            question.showOnlyPlaces()
        } else if !parsed.operands.isEmpty {
            throw UsageError(message: "name paths or --from PATH, not both")
        }
        try question.ask(about: paths)
        question.ask(direction: parsed.last(direction.name), onlyTests: false)
        let format: GraphFormat = parsed.choice("--format") ?? .text
        let output = invocation.output
        let settled = question
        let startsSomewhere = !paths.isEmpty
        let showsExternal = parsed.has(external.name)
        return question.answer(.graph, alone: { ControlAnswers.graph($0, $1) }) { (document: GraphDocument) in
            if document.modules.isEmpty {
                FreshpycCommand.complain(
                    startsSomewhere
                        ? "there is no source of this tree at that path; `freshpyc graph` lists all"
                        : "nothing in scope: no .py file that is not excluded; run it in another directory, or check --exclude and --gitignore"
                )
                return 2
            }
            if format == .json {
                output.write(String(decoding: document.line, as: UTF8.self) + "\n")
            } else {
                output.write(
                    GraphPrinter(document, showsExternal: showsExternal) { settled.shown($0) }.text(format))
            }
            return 0
        }
    }
}
