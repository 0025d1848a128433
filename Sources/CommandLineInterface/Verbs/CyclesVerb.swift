// `freshpyc cycles`

import BasicTypes
import Documents
import LinuxSystem
import Service

enum CyclesVerb: Verb {
    static let declaration = VerbDeclaration(
        name: "cycles",
        summary: "find import cycles",
        arguments: "[OPTIONS] [PATH]",
        traits: [.analyzesImports, .remembers],
        description: [
            "With a path, shows the cycles that a module there is in. An eager cycle consists of imports that run when the modules are loaded. Cycles that need an import inside a function are listed, too, and are not findings."
        ],
        options: [
            .python, .exclude, .gitignore, .sourceRoot, .stateDirectory, .noDaemon, .textOrJSON, .help,
        ],
        exitStatuses: [0: "no eager cycle", 1: "there are eager cycles", 2: "something could not be done"],
        examples: [.init("freshpyc cycles", "the project in the current directory")])

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let question = try GraphQuestion(invocation, declaration, asksForFiles: false)
        let output = invocation.output
        let isJSON = question.arguments.format == .json
        let places = PathSet(question.places)
        return question.answer(.cycles, alone: { session, _ in ControlAnswers.cycles(session) }) {
            (answer: CyclesDocument) in
            var document = answer
            if document.modules == 0 {
                FreshpycCommand.complain(
                    "nothing in scope: no .py file that is not excluded; run it in another directory, or check --exclude and --gitignore"
                )
                return 2
            }
            if !question.places.isEmpty {
                document.cycles.removeAll { cycle in !cycle.members.contains { places.covers(BytePath($0)) } }
            }
            let eager = document.cycles.count(where: \.eager)
            let status: Int32 = eager > 0 ? 1 : 0
            guard !isJSON else {
                output.write(JSONLine.encode(document))
                return status
            }
            output.write(document.cycles.map { text($0, question) }.joined())
            Host.writeError(
                "\(Plural.count(eager, "eager cycle")), \(Plural.count(document.cycles.count - eager, "deferred cycle"))\n"
            )
            return status
        }
    }

    private static func text(_ cycle: CyclesDocument.Cycle, _ question: GraphQuestion) -> String {
        let note = cycle.members.count == cycle.chain.count ? "" : "; the shortest loop in it"
        let kind = cycle.eager ? "eager" : "deferred"
        var text = "\(kind) cycle of \(Plural.count(cycle.members.count, "module"))\(note):\n"
        for (index, step) in cycle.chain.enumerated() {
            let next = cycle.chain[(index + 1) % cycle.chain.count]
            text += "  \(question.shown(step.path)):\(step.line): \(step.kind) import of \(question.shown(next.path))\n"
        }
        return text
    }
}
