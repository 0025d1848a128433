// Module names, and the packages that relative imports start from.

import Testing

@testable import ImportGraph

struct ModuleNameTests {
    @Test(
        arguments: [
            ("mod.py", "mod"), ("pkg/mod.py", "pkg.mod"), ("pkg/__init__.py", "pkg/"), ("a/b/__init__.py", "a.b/"),
            ("pkg/__main__.py", "pkg.__main__"), ("./mod.py", nil), ("a//b.py", "a.b"), ("my-tool.py", "my-tool"),
            ("__init__.py", nil), (".py", nil), ("pkg/.py", nil), ("mod.pyc", nil), ("mod.pyi", nil), ("mod", nil),
            ("a.b/c.py", nil), ("a.b.py", nil), ("", nil), ("é.py", "é"),
        ] as [(String, String?)])
    func paths(_ path: String, _ expected: String?) {
        let module = SourceModule(relativePath: Array(path.utf8))
        #expect(module.map { "\($0.name)\($0.isPackage ? "/" : "")" } == expected)
    }

    @Test(
        arguments: [
            ("a.b.c", "from . import x", "a.b"), ("a.b.c", "from .d import x", "a.b.d"),
            ("a.b.c", "from .. import x", "a"),
            ("a.b.c", "from ..d.e import x", "a.d.e"), ("a.b.c", "from ... import x", nil),
            ("a.b/", "from . import x", "a.b"), ("a.b/", "from .. import x", "a"), ("a.b/", "from ... import x", nil),
            ("a/", "from . import x", "a"), ("a/", "from .. import x", nil),
            ("a", "from . import x", nil), ("a", "from b import x", "b"), ("a.b", "from c.d import x", "c.d"),
            ("a.b", "importlib.import_module('.c', __package__)", "a.c"),
            ("a.b", "importlib.import_module('.c', __name__)", "a.b.c"),
            ("a.b", "importlib.import_module('..c', 'x.y')", "x.c"),
            ("a.b", "importlib.import_module('.c', x)", nil),
            ("a.b", "importlib.import_module('c')", "c"),
            ("a.b", "__import__('c', globals(), locals(), [], 1)", "a.c"),
        ] as [(String, String, String?)])
    func relativeNames(_ module: String, _ source: String, _ expected: String?) {
        let isPackage = module.hasSuffix("/")
        let here = SourceModule(name: ModuleName(isPackage ? String(module.dropLast()) : module), isPackage: isPackage)
        let statements = ImportScanner.scan(Array(source.utf8))
        #expect(statements.count == 1)
        #expect(statements.first.flatMap { here.absoluteName(of: $0) }?.description == expected)
    }

    @Test func parts() {
        let name = ModuleName("a.bc.d")
        #expect(name.components.map { String(decoding: $0, as: UTF8.self) } == ["a", "bc", "d"])
        #expect(name.parent == ModuleName("a.bc"))
        #expect(ModuleName("a").parent == nil)
        #expect(name.lastComponent.elementsEqual("d".utf8))
        #expect(name.isWithin(ModuleName("a.bc")))
        #expect(name.isWithin(name))
        #expect(!name.isWithin(ModuleName("a.b")))
        #expect(ModuleName.empty.appending(name) == name)
        #expect(name.appending(.empty) == name)
        #expect(ModuleName("a").appending(ModuleName("b")) == ModuleName("a.b"))
        #expect(ModuleName("a") < ModuleName("a.b"))
    }
}
