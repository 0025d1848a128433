import BasicTypes
import BuildModel
import Testing

@testable import CommandLineInterface

@Suite struct ArgumentParserTests {
    private let options = [
        OptionSpecification("--python", "-p", value: "SPEC", help: ""),
        OptionSpecification("-O", value: "LEVEL", help: ""),
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
        for verb in Verb.allCases {
            let names = verb.options.flatMap(\.names)
            #expect(Set(names).count == names.count, "\(verb)")
        }
    }

    @Test func workflowCommandsAreEscaped() {
        let printer = DiagnosticPrinter(root: BytePath("/r"), workingDirectory: BytePath("/r/src"))
        let finding = LocatedDiagnostic(
            path: BytePath("src/a,b.py"),
            diagnostic: Diagnostic(.syntaxError, .error, line: 2, column: 3, message: "50% of\nthis"))
        #expect(
            printer.github(finding)
                == "::error file=a%2Cb.py,line=2,col=3,title=freshpyc%3A syntax-error::50%25 of%0Athis")
        #expect(printer.text(finding) == "a,b.py:2:3: error: 50% of\nthis [syntax-error]")
    }
}
