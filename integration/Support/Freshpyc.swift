// Runs the built binary, and other programs, as a user does.

import BasicTypes
import LinuxSystem

/// The result of a finished run.
struct RunResult: CustomStringConvertible {
    let status: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    /// The last line on standard error.
    var summary: String { errors.split(separator: "\n").last.map(String.init) ?? "" }
    var description: String { "exit status \(status)\n--- output\n\(output)--- errors\n\(errors)" }
}

/// A program that is still running.
final class RunningProgram {
    private let child: ChildProcess
    private let errorFile: BytePath
    private var output: [UInt8] = []

    /// - Parameter directory: where the program starts.
    init(_ words: [BytePath], in directory: BytePath, environment: [String: String] = [:]) throws {
        let errorFile = Scratch.unique("stderr")
        // A test must not find code that another test compiled, unless that is what is tested.
        var variables = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": directory.description, "LC_ALL": "C.UTF-8",
            "FRESHPYC_STORE": Freshpyc.sharedStore ?? "none",
        ]
        variables.merge(environment) { $1 }
        let script = #"cd "$1" && exec 2>"$2" && shift 2 && exec "$@""#
        child = try ChildProcess(
            BytePath("/bin/sh"),
            arguments: [BytePath("-c"), BytePath(script), BytePath("sh"), directory, errorFile] + words,
            environment: variables.map { BytePath("\($0.key)=\($0.value)") }, sharesErrors: false)
        self.errorFile = errorFile
    }

    var identifier: Int32 { child.identifier }

    /// Standard error so far.
    var errors: String { String(decoding: Host.contents(errorFile, limit: 1 << 26) ?? [], as: UTF8.self) }

    /// Standard output so far.
    var outputSoFar: String {
        drain()
        return String(decoding: output, as: UTF8.self)
    }

    /// - Returns: whether the output has ended.
    @discardableResult
    private func drain() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            do throws(SystemError) {
                let count = try buffer.withMutableRawBytes { bytes throws(SystemError) in
                    try child.output.read(into: bytes)
                }
                if count == 0 { return true }
                output += buffer[..<count]
            } catch {
                return false
            }
        }
    }

    func send(_ signal: Signal) { signal.send(to: child.identifier) }

    /// Waits until it ends. Kills it after `seconds`; the status is then -9.
    func finish(within seconds: Int = 120) -> RunResult {
        let begun = Host.monotonic
        while !drain(), Host.monotonic - begun < Int64(seconds) * 1_000_000_000 {
            _ = try? child.output.waitUntilReadable(nanoseconds: 100_000_000)
        }
        let reason = drain() ? child.wait() : child.kill()
        let status: Int32 =
            switch reason {
            case .status(let status): status
            case .signal(let number): -number
            }
        let result = RunResult(status: status, output: String(decoding: output, as: UTF8.self), errors: errors)
        _ = try? Directory(path: errorFile.parent).removeFile(BytePath.empty.appending(errorFile.lastComponent))
        return result
    }
}

/// A signal that a test sends.
enum Signal: String {
    case interrupt = "INT"
    case terminate = "TERM"
    case kill = "KILL"
    case stop = "STOP"
    case resume = "CONT"
    case hangUp = "HUP"

    func send(to process: Int32) {
        _ = try? Program.run("kill", "-\(rawValue)", "\(process)")
    }
}

/// Other programs that tests need.
enum Program {
    @discardableResult
    static func run(_ words: String..., in directory: BytePath = BytePath("/")) throws -> RunResult {
        let path = Host.environment("PATH").map(\.description) ?? "/usr/bin:/bin"
        return try RunningProgram(
            [BytePath("/usr/bin/env")] + words.map { BytePath($0) }, in: directory, environment: ["PATH": path]
        ).finish()
    }

    /// Runs a shell script.
    @discardableResult
    static func shell(_ script: String, in directory: BytePath) throws -> RunResult {
        try run("sh", "-euc", script, in: directory)
    }
}

/// The binary under test.
enum Freshpyc {
    /// Set FRESHPYC_TEST_STORE to a directory to run tests of watches and daemons with a store: the first run fills it, and the
    /// second one finds all code there.
    static let sharedStore = Host.environment("FRESHPYC_TEST_STORE")?.description

    /// The binary next to the test bundle, which is in the build's product directory.
    ///
    /// Set FRESHPYC_BINARY to use another one, for example to see a test fail on an older version.
    static let path: BytePath = {
        if let named = Host.environment("FRESHPYC_BINARY") { return named }
        var places: [BytePath] = []
        if let own = try? Host.realPath(BytePath("/proc/self/exe")) { places.append(own.parent) }
        for argument in CommandLine.arguments where argument.contains("/") {
            places.append(BytePath(argument).parent)
            places.append(BytePath(argument).parent.parent.parent)
        }
        let source = BytePath(#filePath).parent.parent.parent
        places.append(source.appending(".build/debug"))
        let found = places.lazy.map { $0.appending("freshpyc") }.first { Host.isExecutable($0) }
        return (found.flatMap { try? Host.realPath($0) }) ?? BytePath("freshpyc-was-not-built")
    }()

    /// Runs it without the capabilities that override file permissions, so that permissions apply even to root.
    static func runWithoutPrivileges(_ words: [String], in directory: BytePath) throws -> RunResult {
        let rights = "-dac_override,-dac_read_search"
        let setpriv = ["/usr/bin/setpriv", "--bounding-set=\(rights)", "--inh-caps=\(rights)"]
        return try RunningProgram(
            setpriv.map { BytePath($0) } + [path] + words.map { BytePath($0) }, in: directory
        ).finish()
    }

    static func start(
        _ words: [String], in directory: BytePath, environment: [String: String] = [:]
    ) throws -> RunningProgram {
        try RunningProgram([path] + words.map { BytePath($0) }, in: directory, environment: environment)
    }
}
