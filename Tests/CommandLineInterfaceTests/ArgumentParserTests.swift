import BasicTypes
import BuildModel
import Testing

@testable import CommandLineInterface

@Suite struct ArgumentParserTests {
    private let options = [
        OptionSpecification("--python", "-p", value: .text("SPEC"), help: ""),
        OptionSpecification("-O", value: .choice("LEVEL", of: ["0", "1", "2"]), help: ""),
        OptionSpecification("--force", "-f", help: ""),
    ]

    private func parse(_ words: String...) throws -> ParsedArguments {
        try ParsedArguments(words.map { Argument(BytePath($0)) }, options: options, verb: "build")
    }

    @Test func optionsStandAnywhere() throws {
        let parsed = try parse(
            "a", "--python", "3.12", "-p3.13", "--python=x=y", "b", "-O2", "-O", "0", "-f", "--", "--force", "-")
        #expect(parsed.all("--python") == ["3.12", "3.13", "x=y"])
        #expect(parsed.all("-O") == ["2", "0"])
        #expect(parsed.has("--force"))
        #expect(parsed.operands == ["a", "b", "--force", "-"].map { BytePath($0) })
    }

    @Test func bytesOfOperandsAreKept() throws {
        let odd = try #require(BytePath([0x61, 0xFF]))
        let parsed = try ParsedArguments([Argument(odd)], options: options, verb: "build")
        #expect(parsed.operands == [odd])
    }

    @Test(arguments: [
        ("--forse", "--force"), ("--pyhton", "--python"), ("biuld", "build"), ("chekc", "check"), ("x", nil),
        ("--completely-different", nil),
    ])
    func theNearestWordIsSuggested(_ word: String, _ expected: String?) {
        #expect(Suggestion.nearest(to: word, among: ["--force", "--python", "build", "check"]) == expected)
    }

    @Test func everyOptionOfEveryVerbIsUnique() {
        for verb in FreshpycCommand.verbs.map({ $0.declaration }) {
            let names = verb.options.flatMap(\.names)
            #expect(Set(names).count == names.count, "\(verb.name)")
        }
    }

    @Test func everyDeclarationIsComplete() {
        let verbs = FreshpycCommand.verbs.map { $0.declaration }
        #expect(Set(verbs.map(\.name)).count == verbs.count)
        for verb in verbs {
            #expect(verb.has("--help") || verb.options.contains { $0.names.contains("--help") }, "\(verb.name)")
            #expect(!verb.examples.isEmpty && verb.exitStatuses.first?.key == 0, "\(verb.name)")
            #expect(verb.examples.allSatisfy { $0.command.contains("freshpyc \(verb.name)") }, "\(verb.name)")
            for option in verb.options {
                #expect(!option.help.isEmpty && !option.help.hasSuffix("."), "\(verb.name) \(option.name)")
                // The help explains every word that can be chosen.
                guard case .choice(_, of: let words) = option.value else { continue }
                #expect(words.allSatisfy(option.help.contains), "\(verb.name) \(option.name)")
            }
        }
    }

    @Test(arguments: [60, 80, 100])
    func helpFitsTheTerminal(_ columns: Int) {
        for verb in FreshpycCommand.verbs.map({ $0.declaration }) {
            let lines = HelpText(columns: columns).verb(verb).split(separator: "\n")
            let wrapped = lines.prefix { $0 != "Examples:" }
            #expect(wrapped.allSatisfy { $0.count <= columns }, "\(verb.name)")
        }
    }

    @Test func aWordThatCannotBeChosenIsAnError() {
        #expect(throws: UsageError.self) { try parse("-O", "3") }
        #expect(throws: UsageError.self) { try parse("-O3") }
        #expect(throws: Never.self) { try parse("-O1") }
    }

    @Test func workflowCommandsAreEscaped() {
        let printer = DiagnosticPrinter(root: BytePath("/r"), workingDirectory: BytePath("/r/src"))
        let finding = LocatedDiagnostic(
            path: BytePath("src/a,b.py"),
            diagnostic: Diagnostic(.syntaxError, .error, line: 2, column: 3, message: "50% of\nthis"))
        #expect(
            printer.github(finding)
                == "::error file=a%2Cb.py,line=2,col=3,title=freshpyc%3A syntax-error::50%25 of%0Athis")
        #expect(printer.text(finding) == "a,b.py:2:3: error: 50% of\\nthis [syntax-error]")
    }
}
