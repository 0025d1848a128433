// The same source, options and interpreter give the same bytes, no matter what else a worker has compiled.

import BuildModel
import LinuxSystem
import Testing

@Suite struct ReproducibleTests {
    /// Modules that share names, characters, numbers and sets, so that compiling one may change another's bytes.
    private static let files = Dictionary(
        uniqueKeysWithValues: (0..<24).map { number -> (String, String) in
            let text = """
                # coding: utf-8
                import a.b.c\(number % 3), os.path as p
                x, y = '.', 'django.utils.x\(number % 5)'
                def f\(number)(z=1\(number)00, k=('a', 1, 1.0, True, -1, 10 ** 20, -10 ** 20)):
                    return z in {'b', 'a', None, (2, 'x'), \(number)}, lambda: ('.', 'é', b'\\0', {}, p)
                class C\(number % 4):
                    'Text.'
                    attribute = x + '-\(number % 2)'

                """
            return ("pkg\(number % 3)/m\(number).py", text)
        })

    @Test(arguments: ["2.7", "3.6", "3.8", "3.10", "3.12", "3.13", "pypy3"])
    func anyOrderAndNumberOfWorkersGiveTheSameBytes(version: String) throws {
        let (one, other) = (try Tree(Self.files), try Tree(Self.files))
        // Old Pythons support only timestamps.
        for tree in [one, other] { try tree.shell("find . -name '*.py' -exec touch -d 2020-01-01 {} +") }
        let python = ["--python", version, "--strip-prefix"]
        func compile(_ tree: Tree, _ words: [String]) throws -> RunResult {
            // Use the pyenv of the user who runs the tests.
            let home = Host.environment("HOME")?.appending(".pyenv").description ?? ""
            return try tree.run(
                ["precompile"] + words + python + [tree.path.description], environment: ["PYENV_ROOT": home],
                usesPython: false)
        }
        let first = try compile(one, ["--jobs", "1"])
        if first.status == 2, first.errors.contains("no Python") { try Test.cancel("needs Python \(version)") }
        // Compile some modules first, in another order, then all again with more workers.
        _ = try compile(other, ["--jobs", "3", "pkg2", "pkg0/m9.py"])
        let second = try compile(other, ["--jobs", "3", "--force"])
        #expect(first.status == 0 && first.summary.hasPrefix("24 modules: 24 compiled"), "\(first)")
        #expect(second.status == 0 && second.summary.hasPrefix("24 modules: 24 compiled"), "\(second)")
        let difference = try Program.run("diff", "-rq", one.path.description, other.path.description)
        #expect(difference.status == 0, "\(difference)")
    }
}
