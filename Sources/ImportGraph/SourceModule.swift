// The module name of a source file, and the base of its relative imports.

/// A source's `__name__`, and whether it is the `__init__.py` of a package.
package struct SourceModule: Hashable, Sendable {
    package let name: ModuleName
    package let isPackage: Bool

    package init(name: ModuleName, isPackage: Bool) {
        self.name = name
        self.isPackage = isPackage
    }

    /// The module at a path: `pkg/mod.py` is `pkg.mod`, and `pkg/__init__.py` is the package `pkg`.
    ///
    /// `nil` if no import statement can name it: another suffix, a dot in a component, or an `__init__.py` at the
    /// source root. Names that are not identifiers (`my-tool.py`) are accepted: `importlib` can load them.
    ///
    /// - Parameter relativePath: relative to the source root, with `/` between components.
    package init?(relativePath: some BidirectionalCollection<UInt8>) {
        var path = Array(relativePath)
        let suffix = [UInt8](".py".utf8)
        guard path.count > suffix.count, path.suffix(suffix.count).elementsEqual(suffix) else { return nil }
        path.removeLast(suffix.count)
        var components = path.split(separator: UInt8(ascii: "/"))
        guard path.last != UInt8(ascii: "/"), !components.contains(where: { $0.contains(UInt8(ascii: ".")) }) else {
            return nil
        }
        isPackage = components.last?.elementsEqual("__init__".utf8) ?? false
        if isPackage { components.removeLast() }
        guard !components.isEmpty else { return nil }
        name = ModuleName(components.joined(separator: [UInt8(ascii: ".")]))
    }

    /// Its `__package__`: itself if it is a package, else its parent; empty for a top-level module.
    package var enclosingPackage: ModuleName {
        isPackage ? name : name.parent ?? .empty
    }

    /// The absolute name of an import in this module; `nil` if the dots lead beyond the top-level package
    /// (`importlib._bootstrap._resolve_name`) or to a package that is only known at run time.
    package func absoluteName(level: Int, module: ModuleName, anchor: ImportAnchor = .enclosingPackage) -> ModuleName? {
        guard level > 0 else { return module }
        let start: ModuleName
        switch anchor {
        case .enclosingPackage: start = enclosingPackage
        case .ownName: start = name
        case .named(let package): start = package
        case .unknown: return nil
        }
        guard !start.isEmpty else { return nil }
        var base = start
        for _ in 1..<level {
            guard let parent = base.parent else { return nil }
            base = parent
        }
        return base.appending(module)
    }

    /// The absolute name of the module in a `from` import or a call. For `import a, b` use its names.
    package func absoluteName(of statement: ImportStatement) -> ModuleName? {
        absoluteName(level: statement.level, module: statement.module, anchor: statement.anchor)
    }
}
