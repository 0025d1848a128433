// Compares `inspect` with CPython's own tools, and checks its output for damaged files.

import BasicTypes
import FoundationEssentials
import LinuxSystem
import Testing

@Suite struct InspectTests {
    /// All interpreters found: from pyenv, from PATH, and PyPy.
    private static let pythons: [BytePath] = {
        let script =
            "ls -d \"$HOME\"/.pyenv/versions/*/bin/python 2>/dev/null; for n in python3 pypy3; do command -v $n || true; done"
        let home = Host.environment("HOME") ?? BytePath("/")
        let found = try? Program.run(
            "env", "HOME=\(home)", "sh", "-c", script)
        return (found?.lines ?? []).map { BytePath($0) }
    }()

    /// Prints the code objects of a file, outer before inner, as Python sees them. Runs on 2.7 and later.
    private static let oracle = #"""
        import dis, json, marshal, sys, types
        def span(code):
            lines = []
            if hasattr(code, 'co_positions'):
                for line, end, _, _ in code.co_positions():
                    if line: lines += [line, end or line]
            elif hasattr(code, 'co_lines'):
                lines = [line for _, _, line in code.co_lines() if line]
            else:
                lines = [line for _, line in dis.findlinestarts(code)]
            lines = [line for line in lines + [code.co_firstlineno] if line > 0]
            return [min(lines), max(lines)]
        def nested(constants):
            for c in constants:
                if isinstance(c, types.CodeType): yield c
                elif isinstance(c, tuple):
                    for inner in nested(c): yield inner
        def shown(c):
            if isinstance(c, types.CodeType): return '<code %s, line %d>' % (c.co_name, c.co_firstlineno)
            # The order of a set is the interpreter's, and what is long is cut.
            text = repr(c)
            return None if 'frozenset' in text or '<code' in text or len(text) > 300 else text
        def walk(code):
            one = {'name': code.co_name, 'definedAt': code.co_firstlineno, 'flagBits': code.co_flags,
                'stackSize': code.co_stacksize, 'file': code.co_filename, 'instructionBytes': len(code.co_code),
                'arguments': [code.co_argcount, getattr(code, 'co_posonlyargcount', 0),
                    getattr(code, 'co_kwonlyargcount', 0)],
                'names': list(code.co_names), 'locals': list(code.co_varnames), 'cells': sorted(code.co_cellvars),
                'free': sorted(code.co_freevars), 'constants': [shown(c) for c in code.co_consts]}
            if hasattr(code, 'co_qualname'): one['qualifiedName'] = code.co_qualname
            one['firstLine'], one['lastLine'] = span(code)
            yield one
            for inner in nested(code.co_consts):
                for found in walk(inner): yield found
        data = open(sys.argv[1], 'rb').read()
        header = 8 if sys.version_info < (3,) else 12 if sys.version_info < (3, 7) else 16
        print(json.dumps(list(walk(marshal.loads(data[header:])))))
        """#

    private struct OracleCode: Decodable {
        let name: String
        let qualifiedName: String?
        let definedAt: Int
        let firstLine: Int
        let lastLine: Int
        let flagBits: UInt32
        let stackSize: Int
        let file: String
        let instructionBytes: Int
        let arguments: [Int]
        let names: [String]
        let locals: [String]
        let cells: [String]
        let free: [String]
        let constants: [String?]
    }

    struct Document: Decodable {
        struct File: Decodable {
            let path: String
            let magicNumber: Int?
            let cacheTag: String?
            let writer: Writer?
            let header: Header?
            let codeBytes: Int?
            let trailingBytes: Int?
            let error: String?
            let codes: [Code]
        }
        struct Writer: Decodable {
            let version: String
            let implementation: String
        }
        struct Header: Decodable {
            let bytes: Int
            let validation: String
            let seconds: Int?
            let size: Int?
            let hash: String?
        }
        struct Code: Decodable {
            struct Arguments: Decodable {
                let positional: Int
                let positionalOnly: Int
                let keywordOnly: Int
            }
            struct Constant: Decodable {
                let type: String
                let text: String
                let code: Int?
            }
            let parent: Int?
            let name: String
            let qualifiedName: String?
            let file: String
            let definedAt: Int
            let firstLine: Int?
            let lastLine: Int?
            let arguments: Arguments
            let flagBits: UInt32
            let stackSize: Int
            let instructionBytes: Int
            let names: [String]
            let locals: [String]
            let cells: [String]
            let free: [String]
            let constants: [Constant]
            let elsewhere: [String: Int]?
        }
        let files: [File]
        let exitStatus: Int
    }

    private static func document(_ result: RunResult) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
    }

    /// Modules from the interpreter's own library, compiled by itself.
    @Test(arguments: pythons)
    func codeMatchesPython(_ python: BytePath) throws {
        let tree = try Tree()
        let script = #"""
            import os, py_compile, shutil, sys
            library = os.path.dirname(os.__file__)
            for name in 'argparse', 'ast', 'copy', 'decimal', 'inspect', 'locale', 'pickle', 'string', 'token', 'typing', '_pydecimal':
                source = os.path.join(library, name + '.py')
                if os.path.exists(source):
                    shutil.copyfile(source, name + '.py')
                    py_compile.compile(name + '.py', cfile=name + '.pyc', doraise=True)
                    print(name)
            """#
        let modules = try Program.run(python.description, "-c", script, in: tree.path)
        try #require(modules.status == 0 && modules.lines.count > 5, "\(modules)")
        let path = python.parent.description + ":/usr/bin:/bin"
        for name in modules.lines {
            let told = try Program.run(python.description, "-c", Self.oracle, "\(name).pyc", in: tree.path)
            try #require(told.status == 0, "\(told)")
            let expected = try JSONDecoder().decode([OracleCode].self, from: Data(told.output.utf8))
            let result = try tree.run(
                ["inspect", "--format", "json", "\(name).pyc"], environment: ["PATH": path], usesPython: false)
            #expect(result.status == 0, "\(result.errors)")
            let file = try #require(try Self.document(result).files.first)
            #expect(file.writer != nil && file.error == nil && file.trailingBytes == 0)
            #expect(file.header?.validation == "timestamp")
            try Self.compare(file.codes, expected, "\(python) \(name)")
        }
    }

    private static func compare(_ codes: [Document.Code], _ expected: [OracleCode], _ what: String) throws {
        try #require(codes.count == expected.count, "\(what)")
        for (index, (code, known)) in zip(codes, expected).enumerated() {
            var differences: [String] = []
            func check<Value: Equatable>(_ label: String, _ value: Value, _ expected: Value) {
                if value != expected { differences.append("\(label): \(value), not \(expected)") }
            }
            check("name", code.name, known.name)
            check("qualifiedName", code.qualifiedName, known.qualifiedName)
            check("definedAt", code.definedAt, known.definedAt)
            check("firstLine", code.firstLine, known.firstLine)
            check("lastLine", code.lastLine, known.lastLine)
            check("flagBits", code.flagBits, known.flagBits)
            check("stackSize", code.stackSize, known.stackSize)
            check("file", code.file, known.file)
            check("instructionBytes", code.instructionBytes, known.instructionBytes)
            let arguments = code.arguments
            check(
                "arguments", [arguments.positional, arguments.positionalOnly, arguments.keywordOnly], known.arguments)
            let elsewhere = Set(code.elsewhere.map { Array($0.keys) } ?? [])
            if !elsewhere.contains("names") { check("names", code.names, known.names) }
            if !elsewhere.contains("locals") { check("locals", code.locals, known.locals) }
            if !elsewhere.contains("cells") { check("cells", code.cells.sorted(), known.cells) }
            if !elsewhere.contains("free") { check("free", code.free.sorted(), known.free) }
            if !elsewhere.contains("constants") {
                check("constants", code.constants.count, known.constants.count)
                for (constant, text) in zip(code.constants, known.constants) {
                    if let text { check("constant", constant.text, text) }
                    if let place = constant.code { check("parent of \(place)", codes[place].parent, index) }
                }
            }
            #expect(differences.isEmpty, "\(what): \(code.name) of line \(code.definedAt)")
            if !differences.isEmpty { return }
        }
    }

    @Test func headersAreDescribed() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let path = tree.python.path.parent.description + ":/usr/bin:/bin"
        try tree.shell("TZ=UTC touch -d '2024-05-01 12:00:00 UTC' a.py")
        for (mode, text) in [
            ("timestamp", "timestamp: valid for a source modified at 2024-05-01 12:00:00 UTC (6 bytes)"),
            ("checked-hash", "checked hash: valid for a source with the hash 0x"),
            ("unchecked-hash", "unchecked hash: import never compares it; 0x"),
        ] {
            try tree.run("build", "--force", "--invalidation", mode)
            let result = try tree.run(
                ["inspect", tree.pyc("a.py")], environment: ["PATH": path], usesPython: false)
            #expect(result.status == 0 && result.errors == "", "\(result)")
            #expect(result.output.contains(text), "\(result)")
            #expect(result.output.contains("written by  cpython \(tree.python.version) (magic number "), "\(result)")
            #expect(result.output.contains("\n<module>, line 1\n"), "\(result)")
            let input = try Program.shell("\(Freshpyc.path) inspect - < \(tree.pyc("a.py"))", in: tree.path)
            #expect(input.status == 0 && input.output.hasPrefix("-\n") && input.output.contains(text), "\(input)")
        }
    }

    @Test func theWriterIsFoundByMagicNumberAndNeverGuessed() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.run("build")
        let nobody = try tree.run(
            ["inspect", tree.pyc("a.py")], environment: ["PATH": "/nowhere"], usesPython: false)
        #expect(nobody.status == 0, "\(nobody)")
        #expect(nobody.output.contains(", of no Python found here\n"), "\(nobody)")
        // The name has no cache tag, or the wrong one.
        let path = tree.python.path.parent.description + ":/usr/bin:/bin"
        for name in ["b.pyc", "a.cpython-399.pyc"] {
            try tree.shell("cp \(tree.pyc("a.py")) \(name)")
            let result = try tree.run(["inspect", name], environment: ["PATH": path], usesPython: false)
            #expect(result.output.contains("written by  cpython \(tree.python.version) "), "\(result)")
        }
    }

    @Test func damageIsReported() throws {
        let tree = try Tree(["a.py": "def f(x):\n    return x + 1\n" + String(repeating: "y = f(1)\n", count: 50)])
        try tree.run("build")
        let bytes = try tree.bytes(tree.pyc("a.py"))
        try tree.write("cut.pyc", bytes: Array(bytes.dropLast(20)))
        try tree.write("long.pyc", bytes: bytes + [1, 2, 3])
        try tree.write("header.pyc", bytes: Array(bytes.prefix(16)))
        try tree.write("short.pyc", bytes: Array(bytes.prefix(5)))
        try tree.write("flags.pyc", bytes: Array(bytes.prefix(4)) + [7, 0, 0, 0] + Array(bytes.dropFirst(8)))
        try tree.write("text.pyc", "import os\n")
        try tree.write("none.pyc", bytes: Array(bytes.prefix(16)) + [0x4E])
        let cases = [
            ("cut.pyc", "the code cannot be read: the data ends within an object, at byte "),
            ("long.pyc", "3 bytes after the code, which Python ignores"),
            (
                "header.pyc",
                "the code cannot be read: the data ends within an object, at byte 0 of the code, which begins at byte 16"
            ),
            ("short.pyc", "too short for a header (5 bytes)"),
            ("flags.pyc", "the header has unknown flags, which Python rejects"),
            ("text.pyc", "this is not bytecode: "),
            ("none.pyc", "not a module: it contains a NoneType instead of a code object"),
        ]
        let path = tree.python.path.parent.description + ":/usr/bin:/bin"
        for (name, message) in cases {
            let result = try tree.run(["inspect", name], environment: ["PATH": path], usesPython: false)
            #expect(result.status == 1, "\(result)")
            #expect(result.output.contains("\(name): error: \(message)"), "\(result)")
            #expect(result.lines.count { $0.hasSuffix(" [damaged-bytecode]") } == 1, "\(result)")
            let json = try Self.document(
                try tree.run(["inspect", "--format=json", name], environment: ["PATH": path], usesPython: false))
            #expect(json.exitStatus == 1 && json.files.first?.error?.hasPrefix(message) == true)
        }
    }

    @Test func aSparseFileCostsNoMemory() throws {
        let tree = try Tree()
        try tree.shell("truncate -s 1T huge.pyc")
        let result = try Program.shell("prlimit --as=8000000000 '\(Freshpyc.path)' inspect huge.pyc", in: tree.path)
        #expect(result.status == 2, "\(result)")
        #expect(result.errors == "freshpyc: cannot read 'huge.pyc': file too large; check the path\n", "\(result)")
    }

    @Test func whatCannotBeReadIsOneLine() throws {
        let tree = try Tree(["a.py": ""])
        try tree.run("build")
        let missing = try tree.run(["inspect", "b.pyc", tree.pyc("a.py"), "."], usesPython: false)
        #expect(missing.status == 2)
        #expect(
            missing.errors
                == "freshpyc: cannot read 'b.pyc': no such file or directory; check the path\nfreshpyc: cannot read '.': is a directory; check the path\n"
        )
        #expect(missing.output.hasPrefix(tree.pyc("a.py") + "\n"))
        let none = try tree.run(["inspect"], usesPython: false)
        #expect(
            none.status == 2 && none.errors == "freshpyc: inspect needs a bytecode file, or `-` for standard input\n")
    }
}
