// The kind of an import, from the blocks around it.

import Testing

@testable import ImportGraph

struct ImportKindTests {
    typealias Row = ImportScannerTests.Row

    @Test(arguments: [
        Row("def f(): import a", "1:9 deferred import a"),
        Row("def f():\n  import a\nimport b", "2:2 deferred import a", "3:0 eager import b"),
        Row("def f(\n  x: int = {1: 2}[1],\n) -> {1: 2}:\n  import a", "4:2 deferred import a"),
        Row("async def f():\n  from a import b", "2:2 deferred from a import b"),
        Row("async  \\\n def f(): import a", "2:10 deferred import a"),
        Row("async with a: import b", "1:14 eager import b"),
        Row("async = 1; import a", "1:11 eager import a"),
        Row(
            "class A:\n  def f(self):\n    if x:\n      import a\n  import b", "4:6 deferred import a",
            "5:2 eager import b"),
        Row(
            "def f():\n\timport a\n        import b\nimport c", "2:1 deferred import a", "3:8 deferred import b",
            "4:0 eager import c"),
        Row("def f():\n  x\n\n# dedent\n  import a", "5:2 deferred import a"),
        Row("def f():\n  '''\ndoc\n'''\n  import a", "5:2 deferred import a"),
        Row("def f[T: (int, str)](x): import a", "1:25 deferred import a"),
        Row("if x:\n  def f():\n    pass\n  import a", "4:2 eager import a"),
        Row("lazy import a", "1:0 lazy import a"),
        Row("lazy from a import b", "1:0 lazy from a import b"),
        Row("x; lazy  import a", "1:3 lazy import a"),
        Row("lazy = 1\nlazy.import_(a)"),
        Row("try: lazy import a\nexcept ImportError: pass", "1:5 lazy import a"),
    ])
    func functions(_ row: Row) { ImportScannerTests.check(row) }

    @Test(arguments: [
        Row("try:\n  import a\nexcept ImportError:\n  import b", "2:2 optional import a", "4:2 optional import b"),
        Row("try: import a\nexcept ImportError: import b", "1:5 optional import a", "2:20 optional import b"),
        Row("try:\n  import a\nexcept ImportError, e:\n  pass", "2:2 optional import a"),
        Row("try:\n  import a\nexcept (ValueError, ImportError) as e: pass", "2:2 optional import a"),
        Row("try:\n  import a\nexcept ValueError, ImportError: pass", "2:2 optional import a"),
        Row("try:\n  import a\nexcept builtins.ModuleNotFoundError: pass", "2:2 optional import a"),
        Row("try:\n  import a\nexcept* ImportError: pass", "2:2 optional import a"),
        Row("try:\n  import a\nexcept *(ImportError,): pass", "2:2 optional import a"),
        Row("try:\n  import a\nexcept: import b", "2:2 optional import a", "3:8 optional import b"),
        Row("try:\n  import a\nexcept Exception: pass", "2:2 optional import a"),
        Row("try:\n  import a\nexcept BaseException as e: pass", "2:2 optional import a"),
        Row("try:\n  x()\nexcept Exception: import b", "3:18 eager import b"),
        Row("try:\n  x()\nexcept ImportError: import b", "3:20 optional import b"),
        Row("try:\n  import a\nexcept ValueError: import b", "2:2 eager import a", "3:19 eager import b"),
        Row("try:\n  import a\nexcept ImportError.x: pass", "2:2 optional import a"),
        Row("try:\n  import a\nexcept x as ImportError: pass", "2:2 optional import a"),
        Row(
            "try:\n  import a\nexcept ValueError: import b\nexcept ImportError: import c",
            "2:2 optional import a", "3:19 eager import b", "4:20 optional import c"),
        Row(
            "try:\n  x\nexcept ImportError: import b\nexcept Exception: import c",
            "3:20 optional import b", "4:18 eager import c"),
        Row(
            "try: import a\nexcept ImportError: pass\nelse: import b\nfinally: import c",
            "1:5 optional import a", "3:6 eager import b", "4:9 eager import c"),
        Row("try: import a\nfinally: pass", "1:5 eager import a"),
        Row(
            "import z\ntry: import a\nexcept ImportError: pass\nimport y", "1:0 eager import z",
            "2:5 optional import a", "4:0 eager import y"),
        Row(
            "try:\n  import a\n  try:\n    import b\n  except ValueError:\n    import c\nexcept ImportError:\n  import d",
            "2:2 optional import a", "4:4 optional import b", "6:4 optional import c", "8:2 optional import d"),
        Row(
            "try:\n  try:\n    import a\n  except ImportError:\n    import b\nfinally:\n  pass",
            "3:4 optional import a", "5:4 optional import b"),
        Row("try:\n  def f():\n    import a\nexcept ImportError: pass", "3:4 deferred import a"),
        Row("def f():\n  try:\n    import a\n  except ImportError: pass", "3:4 deferred import a"),
        Row("with suppress(ImportError): import a", "1:28 optional import a"),
        Row(
            "with contextlib.suppress(ValueError, ImportError):\n  import a\nimport b", "2:2 optional import a",
            "3:0 eager import b"),
        Row("with x as y, suppress(ModuleNotFoundError): import a", "1:44 optional import a"),
        Row("with (\n  suppress(ImportError) as x,\n): import a", "3:3 optional import a"),
        Row("with suppress(ValueError), raises(ImportError): import a", "1:48 optional import a"),
        Row("with raises(ImportError): import a", "1:26 optional import a"),
    ])
    func failures(_ row: Row) { ImportScannerTests.check(row) }

    @Test(arguments: [
        Row("if TYPE_CHECKING: import a", "1:18 typeOnly import a"),
        Row("if typing.TYPE_CHECKING:\n  import a\nelse:\n  import b", "2:2 typeOnly import a", "4:2 eager import b"),
        Row(
            "import typing as t\nif t.TYPE_CHECKING: import a", "1:0 eager import typing as t", "2:20 typeOnly import a"
        ),
        Row(
            "from typing import TYPE_CHECKING as T\nif T: import a",
            "1:0 eager from typing import TYPE_CHECKING as T", "2:6 typeOnly import a"),
        Row("if T: import a", "1:6 eager import a"),
        Row("TYPE_CHECKING = False\nif TYPE_CHECKING: import a", "2:18 typeOnly import a"),
        Row("if not TYPE_CHECKING: import a\nelse: import b", "1:22 eager import a", "2:6 typeOnly import b"),
        Row("if TYPE_CHECKING and x: import a", "1:24 typeOnly import a"),
        Row("if x and (typing.TYPE_CHECKING): import a", "1:33 typeOnly import a"),
        Row("if TYPE_CHECKING or x: import a", "1:23 eager import a"),
        Row("if x == TYPE_CHECKING: import a", "1:23 eager import a"),
        Row(
            "if TYPE_CHECKING:\n  def f():\n    import a\n  class B: import c", "3:4 typeOnly import a",
            "4:11 typeOnly import c"),
        Row(
            "if x: import a\nelif TYPE_CHECKING: import b\nelse: import c", "1:6 eager import a",
            "2:20 typeOnly import b", "3:6 eager import c"),
        Row(
            "def f():\n  if TYPE_CHECKING:\n    import a\n  import b", "3:4 typeOnly import a", "4:2 deferred import b"),
        Row("if TYPE_CHECKING: # why\n  import a", "2:2 typeOnly import a"),
        Row("if 'TYPE_CHECKING': import a", "1:20 eager import a"),
        Row("if False: import a", "1:10 typeOnly import a"),
        Row("if 0:\n  import a", "2:2 typeOnly import a"),
        Row("if 1: import a\nelse: import b", "1:6 eager import a", "2:6 typeOnly import b"),
        Row("if MYPY: import a", "1:9 typeOnly import a"),
        Row("for x in y:\n  pass\nelse:\n  import a", "4:2 eager import a"),
        Row("if TYPE_CHECKING: pass\nfor x in y: pass\nelse: import a", "3:6 eager import a"),
    ])
    func typeChecking(_ row: Row) { ImportScannerTests.check(row) }

    @Test(arguments: [
        Row("importlib.import_module('a.b')", "1:0 dynamic load a.b"),
        Row("x = importlib.import_module(\n  'a'\n)", "1:4 dynamic load a"),
        Row("importlib.import_module('.a', 'b')", "1:0 dynamic load .a"),
        Row("importlib.import_module(name='a', package=None)", "1:0 dynamic load a"),
        Row("importlib.import_module(package=__name__, name='.a')", "1:0 dynamic load .a"),
        Row("import_module('a')"),
        Row(
            "from importlib import import_module\nimport_module('a')", "1:0 eager from importlib import import_module",
            "2:0 dynamic load a"),
        Row(
            "def f(): import_module('a')\nfrom importlib import import_module", "1:9 dynamic load a",
            "2:0 eager from importlib import import_module"),
        Row(
            "from importlib import import_module as im\nx = im('a'), y('b')",
            "1:0 eager from importlib import import_module as im", "2:4 dynamic load a"),
        Row("import importlib as il\nil.import_module('a')", "1:0 eager import importlib as il", "2:0 dynamic load a"),
        Row("self.import_module('a')"),
        Row(
            "def import_module(name='a'): pass\nfrom importlib import import_module",
            "2:0 eager from importlib import import_module"),
        Row("x().importlib.import_module('a')"),
        Row("django.utils.importlib.import_module('a')", "1:0 dynamic load a"),
        Row("__import__('a')", "1:0 dynamic load a"),
        Row("__import__ ( 'a' )", "1:0 dynamic load a"),
        Row("x = [__import__(\"a\").b]", "1:5 dynamic load a"),
        Row("__import__('a', globals(), locals(), ['b', \"c\"], 1)", "1:0 dynamic load .a for b, c"),
        Row("__import__('a', fromlist=('b',))", "1:0 dynamic load a for b"),
        Row("__import__('a', None, None, [x])", "1:0 dynamic load a"),
        Row("__import__('a', {}, {}, [], -1)", "1:0 dynamic load a"),
        Row("builtins.__import__('a')", "1:0 dynamic load a"),
        Row("x.__import__('a')"),
        Row("__import__('a' 'b')", "1:0 dynamic load ab"),
        Row("__import__(u'a'); __import__(r'b')", "1:0 dynamic load a", "1:18 dynamic load b"),
        Row("__import__(f'a'); __import__(b'b'); __import__('c\\n')"),
        Row(
            "__import__('a' + x); __import__('a.%s' % x); __import__('a'.b()); __import__(x)",
            "1:21 dynamic load a for **"),
        Row("__import__('a.b.' + x, y)", "1:0 dynamic load a.b for **"),
        Row(
            "import importlib\nimportlib.import_module('.' + x, __name__)", "1:0 eager import importlib",
            "2:0 dynamic load . for **"),
        Row("__import__(f'a.b.{x}')", "1:0 dynamic load a.b for **"),
        Row("__import__('a.{}'.format(x))", "1:0 dynamic load a for **"),
        Row("__import__(f'{x}')"), Row("__import__('a' + '.b')"),
        Row("'__import__(\"a\")' # __import__('b')"),
        Row("f'{__import__(\"a\")}'", "1:3 dynamic load a"),
        Row("f'{x:{__import__('a').b}}'", "1:6 dynamic load a"),
        Row("def f(): return __import__('a')", "1:16 dynamic load a"),
        Row("if TYPE_CHECKING: __import__('a')", "1:18 typeOnly load a"),
        Row("if __import__('a'): import b", "1:3 dynamic load a", "1:20 eager import b"),
        Row("__import__(__import__('a').b('c'))", "1:11 dynamic load a"),
        Row("x = 1 # importlib.\nimport_module('a')"),
        Row("__import__('a'"),
        Row("__import__("),
        Row("try: __import__('a')\nexcept ImportError: pass", "1:5 dynamic load a"),
    ])
    func calls(_ row: Row) { ImportScannerTests.check(row) }

    @Test func anchorsOfCalls() {
        func anchor(_ source: String) -> ImportAnchor? { ImportScanner.scan(Array(source.utf8)).first?.anchor }
        #expect(anchor("importlib.import_module('.a', 'b.c')") == .named(ModuleName("b.c")))
        #expect(anchor("importlib.import_module('.a', __name__)") == .ownName)
        #expect(anchor("importlib.import_module('.a', package=__package__)") == .enclosingPackage)
        #expect(anchor("importlib.import_module('.a', x.__name__)") == .unknown)
        #expect(anchor("importlib.import_module('a', x)") == .enclosingPackage)
        #expect(anchor("from . import a") == .enclosingPackage)
    }

    @Test func traitsCombine() {
        let source = """
            if sys.platform == 'x':
                try:
                    def f():
                        import a
                except ImportError:
                    pass
            """
        let found = ImportScanner.scan(Array(source.utf8))
        #expect(found.map(\.traits) == [[.conditional, .optional, .deferred]])
        #expect(found.map(\.kind) == [.deferred])
    }

    @Test(arguments: [
        ("if sys.version_info >= (3, 8): import a", ["sys.version_info >= (3, 8)"]),
        ("if sys.platform == 'win32' :\n  import a", ["sys.platform == 'win32'"]),
        ("if x:\n  if os.name == 'nt':\n    import a", ["os.name == 'nt'"]),
        ("if sys.platform == 'a': pass\nelse: import a", ["not: sys.platform == 'a'"]),
        ("if sys.platform == 'a': pass\nelif x: import a", ["not: sys.platform == 'a'"]),
        ("if sys.platform == 'a': pass\nelif x: pass\nelif PY2: import a", ["not: sys.platform == 'a'", "PY2"]),
        ("if six.PY2: pass\nelif os.name: pass\nelse: import a", ["not: six.PY2", "not: os.name"]),
        ("if PY3:\n  if sys.platform: pass\n  else:\n    import a", ["PY3", "not: sys.platform"]),
        ("if PY3:\n  if sys.platform: pass\n  import a", ["PY3"]),
        ("if PY3: pass\nimport a", []),
        ("if platform.system() == 'x': import a", ["platform.system() == 'x'"]),
        ("if platform.domain == 'x': import a", []),
        ("if sys.argv: import a", []),
        ("if x == 'sys.platform': import a", []),
        ("if (sys.\nplatform): import a", ["(sys.\nplatform)"]),
        ("try: pass\nexcept sys.platform: import a", []),
    ])
    func conditions(_ source: String, _ expected: [String]) {
        let found = ImportScanner.scan(Array(source.utf8))
        #expect(found.count == 1)
        for statement in found {
            let texts = statement.conditions.map {
                ($0.isNegated ? "not: " : "") + String(decoding: $0.text, as: UTF8.self)
            }
            #expect(texts == expected)
            #expect(statement.traits.contains(.conditional) == !expected.isEmpty)
        }
    }
}
