// `freshpyc bundle`

import BasicTypes
import BuildModel
import Bundling
import LinuxSystem

enum BundleVerb: Verb {
    private static let module = OptionSpecification(
        "--module", "-m", value: .text("MODULE"), help: "run this module or package, as `python -m MODULE` does")
    private static let output = OptionSpecification(
        "--output", "-o", value: .path("FILE"), help: "the bundle to write")
    private static let form = OptionSpecification(
        "--form", value: .choice("FORM", BundleOptions.Form.self),
        help:
            "pyz: a program for whoever has a Python; executable: the same with a launcher that finds a Python (default if FILE has no suffix); script: one ASCII file of Python source (default if FILE ends with .py); dir: a directory, for a container (default if FILE ends with /); zip: a library for sys.path (default if FILE ends with .zip)"
    )
    private static let path = OptionSpecification(
        "--path", value: .path("DIR"), help: "look for modules in DIR, too, before the environment; may be repeated")
    private static let include = OptionSpecification(
        "--include", value: .text("WHAT"),
        help: "include this module, distribution or glob of files, too; may be repeated")
    private static let exclude = OptionSpecification(
        "--exclude", value: .text("WHAT"), help: "omit this module or glob of files; may be repeated")
    private static let whole = OptionSpecification(
        "--whole", help: "include every module of the project, not only those that the entry imports")
    private static let sourceless = OptionSpecification(
        "--sourceless", help: "omit the sources; the bundle then runs on the given Pythons only")
    private static let compress = OptionSpecification(
        "--compress", value: .choice("METHOD", of: ["none", "deflate"]),
        help: "none (default: the fastest start) or deflate (a third of the size)")
    private static let shebang = OptionSpecification(
        "--shebang", value: .text("COMMAND"),
        help: "the interpreter after #!, or the first that the launcher tries (default: /usr/bin/env python3)")
    private static let withInterpreter = OptionSpecification(
        "--with-interpreter",
        help:
            "include the interpreter, its standard library and the shared libraries that these need: runs where no Python is installed (forms executable and dir; a directory is then started with DIR/python/bin/python3.X -I DIR)"
    )
    private static let standardLibrary = OptionSpecification(
        "--stdlib", value: .choice("SHARE", StandardLibraryShare.self),
        help: "of the standard library, include what is reached (default), or all; with --with-interpreter")
    private static let manifest = OptionSpecification(
        "--manifest", value: .path("FILE"),
        help: "write a JSON list of the files in the bundle, with SHA-256 and reasons")
    private static let billOfMaterials = OptionSpecification(
        "--sbom", value: .path("FILE"), help: "write a bill of materials (CycloneDX JSON) of the distributions")
    private static let dryRun = OptionSpecification(
        "--dry-run", help: "show what would go in and why, and write nothing")
    private static let optimize = OptionSpecification(
        "-O", value: .choice("LEVEL", of: ["0", "1", "2"]), help: "optimization level: 0, 1 or 2 (default: 0)")

    static let declaration = VerbDeclaration(
        name: "bundle",
        summary: "turn a program into one file that starts at once",
        arguments: "[OPTIONS] [ENTRY] -o FILE",
        traits: [.compiles, .usesStore, .analyzesImports, .remembers],
        description: [
            "ENTRY is a script, a directory with a __main__.py, module:function, or the name of an installed console script. The bundle has what the entry imports in the project, the data files of these packages, and whole distributions from the environment of the first interpreter, with what they require. It runs without installation or unpacking, with the bytecode of every given interpreter, and from the sources on other versions of Python 3.",
            "With -o alone, the bundle is made as the configuration says: [tool.freshpyc.bundles] has the entry or the words of the command line for each FILE.",
            "Programs can open their own files by path, as if they were unpacked. Extension modules are written once to $XDG_CACHE_HOME/freshpyc/bundles; pure programs write nothing. The same inputs give the same bytes on every machine; SOURCE_DATE_EPOCH sets the time of the files in it.",
        ],
        options: [
            module, output, form, .python, optimize, include, exclude, whole, path, sourceless, compress, shebang,
            withInterpreter, standardLibrary, manifest,
            billOfMaterials, dryRun,
            .sourceRoot, .jobs, .compileTimeout, .store, .noStore, .quiet, .help,
        ],
        exitStatuses: [
            0: "the bundle is written", 1: "a module does not compile, or one that is needed is missing",
            2: "something could not be done",
        ],
        examples: [
            .init("freshpyc bundle app.py -o app.pyz", "a script and what it imports"),
            .init("freshpyc bundle -m shop -o shop.pyz -p 3.10 -p 3.13", "a package, for two Pythons"),
            .init("freshpyc bundle black -o black.pyz -p .venv/bin/python", "an installed console script"),
            .init("freshpyc bundle app.py -o app --with-interpreter", "runs where no Python is installed"),
            .init("freshpyc bundle manage.py --whole -o site.pyz", "a program that finds its modules by name"),
            .init("freshpyc bundle app.py -o tool.py", "one Python source, to send by mail or scp"),
            .init("freshpyc bundle app.py -o layer/", "a directory, for an image of a container"),
            .init("freshpyc bundle app.py --dry-run", "what would go in, and why"),
        ])

    /// The files to write are different, not sources, and in directories that exist.
    private static func checkOutputs(
        _ parsed: ParsedArguments, _ form: BundleOptions.Form, workingDirectory: BytePath
    ) throws(UsageError) {
        var seen: Set<BytePath> = []
        for option in [output.name, manifest.name, billOfMaterials.name] {
            guard let file = parsed.lastPath(option) else { continue }
            if file == BytePath("-") {
                throw UsageError(message: "\(option) needs a file: nothing is written before all is done")
            }
            for suffix in [".py", ".pyc", ".pyo"]
            where file.text.hasSuffix(suffix) && !(option == output.name && suffix == ".py" && form == .script) {
                throw UsageError(
                    message: "'\(file)' is the name of a source or of bytecode; name another file with \(option)")
            }
            let place = (file.isAbsolute ? file : workingDirectory.appending(file)).normalized
            // A device or a pipe would be replaced by a file.
            if option == output.name, let status = (try? Host.status(place)) ?? nil {
                if status.kind == .directory, form != .dir {
                    throw UsageError(message: "'\(file)' is a directory; write \(file)/ for a bundle that is one")
                }
                // A file that somebody wrote is easily named by mistake.
                let isReplaceable =
                    form == .dir
                    ? BundleOptions.canReplaceDirectory(place)
                    : status.kind != .regular || status.stamp.size == 0 || file.hasSuffix(".pyz")
                        || file.hasSuffix(".zip")
                        || BundleReader.mayBegin(Host.contents(place, limit: 1 << 17) ?? [])
                guard isReplaceable else {
                    throw UsageError(
                        message:
                            "'\(file)' exists, and was not made by bundle; remove it, or name another with \(option)")
                }
                guard form == .dir || status.kind == .regular else {
                    throw UsageError(message: "'\(file)' is not a regular file; name another file with \(option)")
                }
            }
            guard seen.insert(place).inserted else {
                throw UsageError(message: "'\(file)' is named twice; name another file with \(option)")
            }
            let parent: FileStatus?
            do throws(SystemError) {
                parent = try Host.status(place.parent)
            } catch {
                throw UsageError(message: "cannot write \(file): \(error.reason); name another file with \(option)")
            }
            guard parent?.kind == .directory else {
                let folder = file.parent.isEmpty ? place.parent : file.parent
                throw UsageError(message: "there is no directory \(folder) for \(option); create it")
            }
        }
    }

    /// The place that decides which project an entry belongs to: the current directory, or that of the outermost package around
    /// an entry elsewhere.
    private static func places(of entry: BytePath?, workingDirectory: BytePath) -> [BytePath] {
        func exists(_ path: BytePath) -> FileStatus? { (try? Host.status(path)) ?? nil }
        guard let entry, exists(entry) != nil,
            let real = try? Host.realPath(entry.isAbsolute ? entry : workingDirectory.appending(entry)),
            let current = try? Host.realPath(workingDirectory), !real.isWithin(current)
        else { return [] }
        var folder = real
        while exists(folder.appending("__init__.py")) != nil || exists(folder)?.kind == .regular {
            folder = folder.parent
        }
        return [folder]
    }

    /// The command line, completed by the configuration if it names a bundle and no entry. That says how it is made, as if in the
    /// root.
    private static func completed(_ parsed: ParsedArguments) throws(UsageError) -> ParsedArguments {
        guard parsed.operands.isEmpty, !parsed.has(module.name), !parsed.has(include.name), !parsed.has(whole.name),
            let directory = try? Host.workingDirectory()
        else { return parsed }
        let root = try RootLocator.locate([], workingDirectory: directory).root
        let settings = try Settings(root: root, mayRemember: true)
        guard !settings.bundles.isEmpty else { return parsed }
        guard let given = parsed.lastPath(output.name) else {
            throw UsageError(
                message:
                    "name an entry, or with -o a bundle of the configuration: \(settings.bundles.keys.sorted().joined(separator: ", "))"
            )
        }
        let place = (given.isAbsolute ? given : directory.appending(given)).normalized
        let recipe = try BundleRecipe.find(place, in: settings, root: root)
        let words = recipe.words.map { Argument(BytePath($0)) }
        let described: ParsedArguments
        do throws(UsageError) {
            described = try ParsedArguments(words, options: declaration.options, verb: declaration.name)
        } catch {
            throw UsageError(message: "bundles: '\(given)': \(error.message)")
        }
        do throws(SystemError) {
            try Host.changeWorkingDirectory(to: root)
        } catch {
            throw UsageError(message: "cannot change to \(root): \(error.reason); check its permissions")
        }
        return parsed.replacing([Argument(BytePath(recipe.operand))], for: output.name).completed(by: described)
    }

    /// The form that a name stands for. `shop-1.4` has no suffix, but a version.
    private static func form(of target: BytePath?, isFolder: Bool, hasInterpreter: Bool) -> BundleOptions.Form {
        if isFolder { return .dir }
        if hasInterpreter { return .executable }
        guard let name = target.map({ String(decoding: $0.lastComponent, as: UTF8.self) }) else { return .pyz }
        let suffix = name.dropFirst().lastIndex(of: ".").map { name[name.index(after: $0)...] } ?? ""
        switch suffix {
        case "zip": return .zip
        case "py": return .script
        default: return suffix.first?.isLetter == true ? .pyz : .executable
        }
    }

    static func run(_ invocation: Invocation) throws(UsageError) -> Int32 {
        let parsed = try completed(invocation.arguments)
        // Operands are an entry, not paths of a tree; but the project is the one that a script is in.
        let entries = parsed.operands
        guard entries.count <= 1 else {
            throw UsageError(
                message:
                    "name one entry, not \(entries.count); the file to write goes after -o, and more modules after --include"
            )
        }
        let directory = (try? Host.workingDirectory()) ?? BytePath("/")
        var arguments = try SessionArguments(
            parsed.withOperands(places(of: entries.first, workingDirectory: directory)), for: declaration)
        arguments.configuration.starts = [.empty]
        arguments.configuration.options.isCheckOnly = true
        var request = BundleRequest()
        request.entry = try entries.first.map { (path) throws(UsageError) in
            guard let text = path.exactText else {
                throw UsageError(message: "'\(path)' is not UTF-8, and no archive can hold such a name; rename it")
            }
            return text
        }
        request.module = parsed.last(module.name)
        if request.entry != nil, request.module != nil {
            throw UsageError(message: "name an entry or -m MODULE, not both")
        }
        request.includes = parsed.all(include.name)
        request.excludes = arguments.arguments.all(exclude.name)
        request.isWhole = parsed.has(whole.name)
        request.searchPaths = parsed.paths(path.name).map {
            ($0.isAbsolute ? $0 : arguments.workingDirectory.appending($0)).normalized
        }
        for place in request.searchPaths where (try? Host.status(place))??.kind != .directory {
            throw UsageError(message: "\(place) is not a directory (--path)")
        }
        var options = BundleOptions()
        let target = parsed.lastPath(output.name)
        let isFolder = parsed.last(output.name)?.hasSuffix("/") == true
        let isWhole = parsed.has(withInterpreter.name)
        options.form = parsed.choice(form.name) ?? Self.form(of: target, isFolder: isFolder, hasInterpreter: isWhole)
        request.form = options.form
        request.target = target.map { path in
            let place = (path.isAbsolute ? path : arguments.workingDirectory.appending(path)).normalized
            return ((try? Host.realPath(place.parent)) ?? place.parent).appending(place.lastComponent)
        }
        // What is installed in a directory of the project is not a part of the project, and neither is an earlier bundle.
        let folders = request.searchPaths + (options.form == .dir ? [request.target].compactMap { $0 } : [])
        let own = folders.compactMap { $0.relative(to: arguments.configuration.rootPath)?.exactText }
        let scope = arguments.configuration.scope
        arguments.configuration.scope = Scope(
            excludes: scope.excludeTexts + own.filter { !$0.isEmpty }.map { "/\($0)/" },
            honoursGitignore: scope.honoursGitignore)
        try checkOutputs(parsed, options.form, workingDirectory: arguments.workingDirectory)
        options.isSourceless = parsed.has(sourceless.name)
        options.isCompressed = parsed.last(compress.name) == "deflate"
        if options.form == .script, parsed.last(compress.name) == "none" {
            throw UsageError(message: "a script is always compressed; omit --compress")
        }
        if options.form == .dir, options.isCompressed {
            throw UsageError(message: "the files of a directory are not compressed; omit --compress")
        }
        if let given = parsed.last(shebang.name) {
            let command = given.hasPrefix("#!") ? String(given.dropFirst(2)) : given
            if command.contains(" "), command.hasPrefix("/"),
                (try? Host.status(BytePath(command))).flatMap({ $0 }) != nil
            {
                throw UsageError(
                    message:
                        "'\(command)' has a space, and Linux ends the interpreter there; use another path (--shebang)")
            }
            guard !command.isEmpty, command.utf8.count <= 120, !command.utf8.contains(where: { $0 < 0x20 }) else {
                throw UsageError(message: "'\(command)' cannot follow #!; name an interpreter (--shebang)")
            }
            options.shebang = command
        }
        options.epoch = try SourceDateEpoch.read()
        if parsed.has(withInterpreter.name) {
            guard options.form == .executable || options.form == .dir else {
                throw UsageError(
                    message: "--with-interpreter needs --form executable or dir; name a FILE without a suffix, or DIR/")
            }
            guard arguments.arguments.all("--python").count <= 1 else {
                throw UsageError(message: "--with-interpreter includes one Python; name one with --python")
            }
            request.standardLibrary = parsed.choice(standardLibrary.name) ?? .reached
        } else if parsed.has(standardLibrary.name) {
            throw UsageError(message: "--stdlib needs --with-interpreter")
        }
        if options.form == .zip || options.form == .dir && options.isSourceless,
            arguments.arguments.all("--python").count > 1
        {
            throw UsageError(
                message:
                    "\(options.form == .zip ? "a library" : "a directory without sources") has the bytecode of one Python; name one, or use --form pyz"
            )
        }
        if request.entry == nil, request.module == nil, !options.form.isPlain {
            throw UsageError(
                message:
                    "name an entry: a script, a package, module:function, a console script, or -m MODULE; or describe the bundle in [tool.freshpyc.bundles]"
            )
        }
        if request.entry == nil, request.module == nil, request.includes.isEmpty, !request.isWhole {
            throw UsageError(message: "name what the library has: --include WHAT or --whole")
        }
        let isDry = parsed.has(dryRun.name)
        guard target != nil || isDry else {
            throw UsageError(message: "name the bundle to write with -o FILE, or use --dry-run")
        }
        let documents = BundleRun.Documents(
            manifest: parsed.lastPath(manifest.name), billOfMaterials: parsed.lastPath(billOfMaterials.name))
        options.wantsManifest = documents.manifest != nil || documents.billOfMaterials != nil
        let run = BundleRun(
            arguments: arguments, request: request, options: options, target: target, documents: documents,
            isDry: isDry,
            output: invocation.output)
        return EventLoop.run { loop in run.start(on: loop) }
    }
}
