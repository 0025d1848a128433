// A few lines of source each, and the imports that the scanner must report.

import Testing

@testable import ImportGraph

struct ImportScannerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let source: String
        let expected: [String]
        init(_ source: String, _ expected: String...) {
            self.source = source
            self.expected = expected
        }
        var testDescription: String { source.debugDescription }
    }

    static func check(_ row: Row) {
        #expect(ImportScanner.scan(Array(row.source.utf8)).map(\.description) == row.expected)
    }

    @Test(arguments: [
        Row(""),
        Row("\n"),
        Row("import a", "1:0 eager import a"),
        Row("import a\n", "1:0 eager import a"),
        Row("import a.b.c", "1:0 eager import a.b.c"),
        Row("import a as b", "1:0 eager import a as b"),
        Row("import a.b as c, d", "1:0 eager import a.b as c, d"),
        Row("import a . b", "1:0 eager import a.b"),
        Row("import a. b .c as d", "1:0 eager import a.b.c as d"),
        Row("import\ta", "1:0 eager import a"),
        Row("import \\\n a", "1:0 eager import a"),
        Row("import a,\\\r\n  b", "1:0 eager import a, b"),
        Row("import é", "1:0 eager import é"),
        Row("import a # b", "1:0 eager import a"),
        Row("from a import b", "1:0 eager from a import b"),
        Row("from a import b as c, d", "1:0 eager from a import b as c, d"),
        Row("from a.b import c", "1:0 eager from a.b import c"),
        Row("from a import *", "1:0 eager from a import *"),
        Row("from a import*", "1:0 eager from a import *"),
        Row("from a import(b)", "1:0 eager from a import b"),
        Row("from a import (b, c,)", "1:0 eager from a import b, c"),
        Row("from a import (  # why\n  b as c,  # (\n\n  d\n)", "1:0 eager from a import b as c, d"),
        Row("from a import (b\n as\n c)", "1:0 eager from a import b as c"),
        Row("from . import a", "1:0 eager from . import a"),
        Row("from .import a", "1:0 eager from . import a"),
        Row("from.import a", "1:0 eager from . import a"),
        Row("from .a import b as c", "1:0 eager from .a import b as c"),
        Row("from.a import b", "1:0 eager from .a import b"),
        Row("from ... import a", "1:0 eager from ... import a"),
        Row("from . .. a import b", "1:0 eager from ...a import b"),
        Row("from ....a.b import c", "1:0 eager from ....a.b import c"),
        Row("from __future__ import annotations", "1:0 eager from __future__ import annotations"),
    ])
    func statements(_ row: Row) { Self.check(row) }

    @Test(arguments: [
        Row("import a\nimport b", "1:0 eager import a", "2:0 eager import b"),
        Row("import a\r\nimport b\r\n", "1:0 eager import a", "2:0 eager import b"),
        Row("import a\rimport b\r", "1:0 eager import a", "2:0 eager import b"),
        Row("x\r\n\r\n\r\rimport a", "5:0 eager import a"),
        Row("import a; import b;import c", "1:0 eager import a", "1:10 eager import b", "1:19 eager import c"),
        Row("x = 1; import a", "1:7 eager import a"),
        Row("'é'; import a", "1:6 eager import a"),
        Row("\u{FEFF}import a", "1:0 eager import a"),
        Row("\u{FEFF}\nimport a", "2:0 eager import a"),
        Row("\u{0C}import a", "1:1 eager import a"),
        Row("\u{0C}\nif x:\n  \u{0C}  import a", "3:5 eager import a"),
        Row("x = 1\n\\\nimport a", "3:0 eager import a"),
        Row("x = \\\nimport_a\nimport a", "3:0 eager import a"),
        Row("x = 1 # \\\nimport a", "2:0 eager import a"),
        Row("x = (\n1,\n)\nimport a", "4:0 eager import a"),
        Row("x = [')', \"]\",\n'''\n]''']; import a", "3:7 eager import a"),
        Row("if x: import a", "1:6 eager import a"),
        Row("if x:import a;import b", "1:5 eager import a", "1:14 eager import b"),
        Row("if(x):import a", "1:6 eager import a"),
        Row("if x:\n  pass\nelse: import a", "3:6 eager import a"),
        Row("class A: import a", "1:9 eager import a"),
        Row("class A(b[1:2]):\n import a", "2:1 eager import a"),
        Row("for x in y: import a", "1:12 eager import a"),
        Row("while 1: import a", "1:9 eager import a"),
        Row("try: import a\nfinally: import b", "1:5 eager import a", "2:9 eager import b"),
        Row("with a as b, c: import d", "1:16 eager import d"),
        Row("if lambda: x: import a", "1:14 eager import a"),
        Row("if lambda x=lambda: 1, *y: {1: 2}: import a", "1:35 eager import a"),
        Row("if (lambda: 1)(): import a", "1:18 eager import a"),
        Row("if x := y: import a", "1:11 eager import a"),
        Row("if x[1:2]: import a", "1:11 eager import a"),
        Row("if f'{x:>{y}}': import a", "1:16 eager import a"),
        Row("if lambdax: import a", "1:12 eager import a"),
        Row("match x:\n  case 1: import a\n  case [b, *_]: import c", "2:10 eager import a", "3:16 eager import c"),
        Row("match x:\n  case {'k': v} if v: import a", "2:22 eager import a"),
        Row("match = case = type = lazy = 1\nimport a", "2:0 eager import a"),
        Row("match(x)\ncase(x)\ntype(x)\nlazy(x)\nimport a", "5:0 eager import a"),
        Row("case: int = 1; import a", "1:15 eager import a"),
        Row("type X = int\nimport a", "2:0 eager import a"),
        Row("print 'x', y\nprint >>f, x\nexec 'import b' in c\nimport a", "4:0 eager import a"),
        Row("x = `y`\nimport a", "2:0 eager import a"),
        Row("import_a = 1"),
        Row("importlib.reload(a)"),
        Row("imported = x"),
        Row("fromage = 1"),
        Row("x = import_ from_"),
        Row("def f():\n  yield \\\n  from x\nimport a", "4:0 eager import a"),
        Row("x = (yield\nfrom y)\nimport a", "3:0 eager import a"),
        Row("@x\nimport a", "2:0 eager import a"),
    ])
    func places(_ row: Row) { Self.check(row) }

    @Test(arguments: [
        Row("'import a'"),
        Row("# import a"),
        Row("'''\nimport a\n'''"),
        Row("\"\"\"\nimport a\n\"\"\"\nimport b", "4:0 eager import b"),
        Row("'''a\\'''\nimport b\n'''\nimport c", "4:0 eager import c"),
        Row("'''a''b'\nimport b\n''''\nimport c", "4:0 eager import c"),
        Row("'a\\\nimport b'\nimport c", "3:0 eager import c"),
        Row("'a\\\r\nimport b'\r\nimport c", "3:0 eager import c"),
        Row("r'\\'; import a'\nimport b", "2:0 eager import b"),
        Row("r'\\\\'; import a", "1:7 eager import a"),
        Row("bR'''\nimport a'''; import b", "2:13 eager import b"),
        Row("u'x'; Rb'y'; UR'z'; import a", "1:20 eager import a"),
        Row("''; ''''''; \"\"; import a", "1:16 eager import a"),
        Row("'\"'; \"'\"; import a", "1:10 eager import a"),
        Row("'#'; import a", "1:5 eager import a"),
        Row("f'{x}'; import a", "1:8 eager import a"),
        Row("f'{{'; import a", "1:7 eager import a"),
        Row("f'}}{{{x}}}'; import a", "1:14 eager import a"),
        Row("f'{x[\"a\"]}'; import a", "1:13 eager import a"),
        Row("f'{x['a']}'; import a", "1:13 eager import a"),
        Row("f'{f'{f'{1}'}'}'; import a", "1:18 eager import a"),
        Row("f'{'; import b;'}'; import a", "1:20 eager import a"),
        Row("f'{\"}\"}'; import a", "1:10 eager import a"),
        Row("f'{\nimport_\n}'; import a", "3:4 eager import a"),
        Row("f'''{\nx # }\n}\nimport b'''; import a", "4:13 eager import a"),
        Row("f'''\n{x:\nimport b}\n'''; import a", "4:5 eager import a"),
        Row("f'{x:{y}}{z:{'a'}>{w:}}'; import a", "1:26 eager import a"),
        Row("f'{x:{{y}}}'; import a", "1:14 eager import a"),
        Row("f'{x!r:^{y}}'; import a", "1:15 eager import a"),
        Row("f'{x:%H:%M}'; import a", "1:14 eager import a"),
        Row("f'{(lambda: 1)()}'; import a", "1:20 eager import a"),
        Row("f'{ {1: 2}[1] }'; import a", "1:18 eager import a"),
        Row("f'\\N{BULLET}'; import a", "1:15 eager import a"),
        Row("rf'\\N{x}'; import a", "1:11 eager import a"),
        Row("f'\\{x}\\''; import a", "1:11 eager import a"),
        Row("fr'\\{x}'; import a", "1:10 eager import a"),
        Row("Rf'\\''; import a", "1:8 eager import a"),
        Row("t'{x['a']}'; import a", "1:13 eager import a"),
        Row("tR'{'; import b;'}'; import a", "1:21 eager import a"),
        Row("x = 1if'{'else 2; import a", "1:18 eager import a"),
        Row("x = y if'{'else z; import a", "1:19 eager import a"),
        Row("print'{'; import a", "1:10 eager import a"),
        Row("x = 'a'f'{'b'}'; import a", "1:17 eager import a"),
        Row("b'{'; import a", "1:6 eager import a"),
        Row("éf'{'; import a", "1:8 eager import a"),
    ])
    func strings(_ row: Row) { Self.check(row) }

    @Test(arguments: [
        Row("import"),
        Row("import a b"),
        Row("import a,"),
        Row("import a.\nimport b", "2:0 eager import b"),
        Row("import .a"),
        Row("import (a)"),
        Row("import 1a"),
        Row("import a as"),
        Row("import *"),
        Row("from a"),
        Row("from import a"),
        Row("from a. import b"),
        Row("from .a. import b"),
        Row("from .a.import b"),
        Row("from a import"),
        Row("from a import ()"),
        Row("from a import b,"),
        Row("from a import (b"),
        Row("from a import (,)"),
        Row("from a import b.c"),
        Row("from a import (*)"),
        Row("from a import (b,\nimport c\nimport d", "2:0 eager import c", "3:0 eager import d"),
        Row("import a; from b\nimport c", "1:0 eager import a", "2:0 eager import c"),
        Row("x = 'open\nimport a", "2:0 eager import a"),
        Row("x = f'open {y\nimport a", "2:0 eager import a"),
        Row("x = f'open {y:\nimport a", "2:0 eager import a"),
        Row("x = f'{y:'; import a", "1:12 eager import a"),
        Row("x = (1,\nimport a", "2:0 eager import a"),
        Row("x = [1,\n2\nfrom a import b", "3:0 eager from a import b"),
        Row("x = [1,\n2\nfrom ..a.b import c", "3:0 eager from ..a.b import c"),
        Row("foo(\ndef f():\n  import a", "3:2 deferred import a"),
        Row("x = )]}\nimport a", "2:0 eager import a"),
        Row("x = {)\nimport a", "2:0 eager import a"),
        Row("if x\nimport a", "2:0 eager import a"),
        Row("if x import a\nimport b", "2:0 eager import b"),
        Row("x ? y $ z !\nimport a", "2:0 eager import a"),
        Row("x = 1 \\ 2\nimport a", "2:0 eager import a"),
        Row("else: import a", "1:6 eager import a"),
        Row("except ImportError: import a", "1:20 optional import a"),
        Row("x = \\"),
        Row("  import a\n import b\nimport c", "1:2 eager import a", "2:1 eager import b", "3:0 eager import c"),
    ])
    func brokenSources(_ row: Row) { Self.check(row) }

    @Test func bytesThatAreNotUTF8() {
        #expect(
            ImportScanner.scan([0xFF, 0x00, 0x0A] + Array("import a".utf8)).map(\.description) == ["2:0 eager import a"]
        )
        #expect(
            ImportScanner.scan(Array("# coding: latin-1\nx = '".utf8) + [0xE9] + Array("'; import a".utf8)).count == 1)
    }

    @Test func keywordsAreTheirBytes() {
        let words = [
            "as", "assert", "async", "break", "case", "class", "continue", "def", "del", "elif", "else", "except",
            "finally", "for", "from", "global", "if", "import", "lazy", "pass", "raise", "return", "try", "while",
            "with",
        ]
        for word in words {
            let packed = word.utf8.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            #expect(Keyword(rawValue: packed).map { "\($0)" } == word)
        }
    }
}
