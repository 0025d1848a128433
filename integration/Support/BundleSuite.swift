// What the suites about bundles share.

import BasicTypes
import LinuxSystem
import Testing

protocol BundleSuite {}

extension BundleSuite {
    /// Runs a bundle in an empty directory, with nothing but the interpreter's own library.
    func start(
        _ bundle: BytePath, _ words: String..., with python: TestPython, environment: [String: String] = [:]
    ) throws -> RunResult {
        try RunningProgram(
            [python.path, BytePath("-I"), BytePath("-B"), bundle] + words.map { BytePath($0) }, in: bundle.parent,
            environment: environment
        ).finish()
    }

    /// A place for the bundle outside its tree.
    func place(_ name: String = "app.pyz") throws -> BytePath {
        let folder = Scratch.unique("bundle")
        _ = try Host.makeDirectory(folder, permissions: 0o755)
        return folder.appending(name)
    }

    static var shop: [String: String] {
        [
            "pyproject.toml": "",
            "app.py": """
            import sys
            from typing import TYPE_CHECKING
            from shop import cart
            if TYPE_CHECKING:
                import shop.types
            if __name__ == "__main__":
                print(cart.total(3), __name__, sys.argv[1:])
            """,
            "shop/__init__.py": "", "shop/cart.py": "def total(n):\n    from .tax import rate\n    return n * rate()\n",
            "shop/tax.py": "def rate():\n    return 2\n", "shop/types.py": "",
            "shop/unused.py": "", "shop/data/rates.txt": "2\n", "other/__init__.py": "",
        ]
    }
}
