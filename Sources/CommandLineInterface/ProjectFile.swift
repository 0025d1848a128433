// `[tool.freshpyc]` in pyproject.toml, read with an interpreter's own tomllib; the result is remembered in `.freshpyc/`.

import BasicTypes
import FoundationEssentials
import Interpreters
import LinuxSystem

/// A pyproject.toml with a table for freshpyc.
struct ProjectFile {
    private let root: BytePath
    private let contents: [UInt8]

    /// `nil` if there is no such file or no such table.
    init?(root: BytePath) {
        guard let contents = Host.contents(root.appending("pyproject.toml")), Self.mentionsUs(contents) else {
            return nil
        }
        self.root = root
        self.contents = contents
    }

    /// Whether a line begins the table. Only if so, an interpreter is started to read the TOML.
    static func mentionsUs(_ contents: [UInt8]) -> Bool {
        contents.split(separator: UInt8(ascii: "\n")).contains { line in
            let line = line.drop { $0 == 0x20 || $0 == 0x09 }
            return line.starts(with: "[tool.freshpyc]".utf8) || line.starts(with: "[tool.freshpyc.".utf8)
        }
    }

    private static let remembered = BytePath(".freshpyc/pyproject.json")
    private static let program =
        "import sys,tomllib,json; print(json.dumps(tomllib.loads(sys.stdin.buffer.read().decode()).get('tool',{}).get('freshpyc',{})))"

    /// The table: remembered from an earlier run if the file has not changed, else from an interpreter.
    ///
    /// - Parameter mayRemember: whether `.freshpyc/` may be written.
    func table(mayRemember: Bool) throws(UsageError) -> [String: JSONValue] {
        let mark = Array("\(Fingerprint(of: contents))\n".utf8)
        if let earlier = Host.contents(root.appending(Self.remembered)), earlier.starts(with: mark),
            let table = Self.decode(earlier[mark.count...])
        {
            return table
        }
        let answer = try read()
        guard let table = Self.decode(answer[...]) else {
            throw UsageError(message: "pyproject.toml: [tool.freshpyc] is not a table")
        }
        if mayRemember { remember(mark + answer) }
        return table
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> [String: JSONValue]? {
        guard case .table(let table)? = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
        return table
    }

    /// tomllib is in the standard library since 3.11.
    private func read() throws(UsageError) -> [UInt8] {
        for candidate in InterpreterFinder(root: root).all() {
            guard let answer = try? Self.run(candidate.path, input: contents) else { continue }
            switch answer.ending {
            case .status(0): return answer.output
            case .status(3):
                throw UsageError(message: "pyproject.toml: invalid TOML; check it with `python3 -m tomllib`")
            default: continue
            }
        }
        throw UsageError(
            message:
                "reading pyproject.toml needs Python 3.11 or newer, and none was found; install one, or use freshpyc.json instead"
        )
    }

    /// Nanoseconds that an interpreter may take to read the file.
    private static let deadline: Int64 = 10_000_000_000

    private static func run(
        _ python: BytePath, input: [UInt8]
    ) throws(ProcessExchange.Failure) -> ProcessExchange.Answer {
        let guarded = "import tomllib,sys\ntry:\n exec(sys.argv[1])\nexcept tomllib.TOMLDecodeError: sys.exit(3)"
        return try ProcessExchange(
            python, arguments: ["-I", "-S", "-c", guarded, program].map { BytePath($0) },
            environment: [BytePath("LC_ALL=C.UTF-8")], input: input, deadline: deadline
        ).run()
    }

    private func remember(_ bytes: [UInt8]) {
        guard let directory = try? Directory(path: root).directory(BytePath(".freshpyc")) else { return }
        let name = BytePath.empty.appending(Self.remembered.lastComponent)
        _ = try? FileReplacement(name, in: directory).write(bytes)
    }
}
