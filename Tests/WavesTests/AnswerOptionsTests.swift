// Tests which parts of a configuration the answers of a session depend on.

import BasicTypes
import BuildModel
import Testing
import Waves

@Suite struct AnswerOptionsTests {
    private static var configuration: SessionConfiguration {
        SessionConfiguration(
            rootPath: BytePath("/nowhere"), starts: [.empty], scope: Scope(), options: BuildOptions(),
            pythons: ["/bin/sh"], workingDirectory: BytePath("/"), jobs: 1, deadline: 1, stateDirectory: nil,
            holder: "build")
    }

    /// How a stored property is classified: a change to it, with the key that must differ, or why it is not compared.
    private enum Part: Sendable {
        case compared(AnswerOptions.Key, @Sendable (inout SessionConfiguration) -> Void)
        case notCompared(String)
    }

    private static let parts: [String: Part] = [
        "rootPath": .notCompared("each root has its own daemon"),
        "starts": .notCompared("travels with each request"),
        "scope": .compared(.exclude) { $0.scope = Scope(excludes: ["x"]) },
        "scope.excludeTexts": .compared(.exclude) { $0.scope = Scope(excludes: ["y"]) },
        "scope.excludes": .notCompared("derived from excludeTexts"),
        "scope.honoursGitignore": .compared(.gitignore) { $0.scope = Scope(honoursGitignore: true) },
        "options": .compared(.optimize) { $0.options.levels = [.none, .docstrings] },
        "options.levels": .compared(.optimize) { $0.options.levels = [.asserts] },
        "options.invalidation": .compared(.invalidation) { $0.options.invalidation = .checkedHash },
        "options.isForced": .notCompared("travels with each request"),
        "options.isCheckOnly": .notCompared("a build finds what a check finds"),
        "pythons": .compared(.python) { $0.pythons = ["/bin/cat"] },
        "workingDirectory": .compared(.python) {
            $0.pythons = ["./sh"]
            $0.workingDirectory = BytePath("/usr/bin")
        },
        "jobs": .notCompared("affects only the duration"),
        "deadline": .compared(.timeout) { $0.deadline = 2 },
        "stateDirectory": .notCompared("each state directory has its own daemon"),
        "holder": .notCompared("only used in messages about the lock"),
        "lifetime": .notCompared("says how long the lock is held"),
        "analyzesImports": .notCompared("always true in a daemon"),
        "writesGraph": .notCompared("affects only the database"),
        "declaredDependencies": .compared(.affects) {
            $0.declaredDependencies = [DeclaredDependency(files: "a", sources: ["b"])].compactMap { $0 }
        },
        "watchesData": .notCompared("only bundles are made from data"),
        "configurationFiles": .notCompared("the same for all roots"),
        "sourceRoots": .compared(.sourceRoots) { $0.sourceRoots = [BytePath("src")] },
        "storePlace": .notCompared("code from the store equals newly compiled code"),
        "isReadOnly": .notCompared("always false in a daemon"),
        "isReadOnlyDatabase": .notCompared("always false in a daemon"),
    ]

    @Test func everyStoredPropertyIsClassified() {
        func labels(_ value: Any, _ prefix: String = "") -> [String] {
            Mirror(reflecting: value).children.compactMap { $0.label.map { prefix + $0 } }
        }
        let configuration = Self.configuration
        let found =
            labels(configuration) + labels(configuration.scope, "scope.") + labels(configuration.options, "options.")
        #expect(Set(found) == Set(Self.parts.keys))
    }

    @Test func optionsThatAffectAnswersAreCompared() throws {
        let standard = try AnswerOptions(Self.configuration)
        #expect(standard.differences(from: standard) == [])
        for (name, part) in Self.parts {
            guard case .compared(let key, let change) = part else { continue }
            var configuration = Self.configuration
            change(&configuration)
            let other = try AnswerOptions(configuration)
            #expect(standard.differences(from: other) == [key.rawValue], "\(name)")
            #expect(standard.differences(from: other.keeping([key])) == [key.rawValue], "\(name)")
            let rest = Set(AnswerOptions.Key.allCases).subtracting([key])
            #expect(standard.differences(from: other.keeping(rest)) == [], "\(name)")
        }
    }
}
