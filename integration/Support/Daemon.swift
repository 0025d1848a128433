// Starts a daemon for a test and sends it commands.

import BasicTypes
import LinuxSystem
import Testing

/// A daemon in the background. It stops when the object is released.
final class Daemon {
    let tree: Tree
    let environment: [String: String]

    /// - Parameter environment: for the daemon and its clients.
    init(_ tree: Tree, _ words: String..., runtime: Bool = false, environment: [String: String] = [:]) throws {
        self.tree = tree
        self.environment = environment.merging(
            runtime ? ["XDG_RUNTIME_DIR": tree.path.appending("run").description] : [:]
        ) { $1 }
        if runtime { try tree.shell("mkdir -m 700 run") }
        let result = try tree.run(["watch", "--background"] + words, environment: self.environment)
        #expect(result.status == 0 && result.errors.hasPrefix("ready: "), "\(result)")
    }

    deinit {
        _ = try? tree.run(["stop"], environment: environment, usesPython: false)
    }

    func ask(_ words: String..., usesPython: Bool = false) throws -> RunResult {
        try tree.run(words, environment: environment, usesPython: usesPython)
    }

    var process: Int32 {
        get throws {
            let answer = try ask("status", "--format", "json").output
            let digits = answer.components(after: "\"process\":").prefix { $0.isNumber }
            return try #require(Int32(String(digits)))
        }
    }

    /// Runs a Python script that can talk to the daemon over its socket.
    func python(_ script: String) throws -> RunResult {
        let prelude = """
            import json, os, socket, sys, time
            def connect():
                for _ in range(500):
                    s = socket.socket(socket.AF_UNIX); s.settimeout(20)
                    try: s.connect('.freshpyc/socket'); return s
                    except BlockingIOError: time.sleep(0.01)
            def ask(s, method, **params):
                s.sendall(json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': method, 'params': params}).encode() + b'\\n')
                return json.loads(s.makefile().readline())

            """
        return try Program.run(tree.python.path.description, "-c", prelude + script, in: tree.path)
    }
}

extension String {
    func components(after mark: String) -> Substring {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(mark) { return self[index(start, offsetBy: mark.count)...] }
            start = index(after: start)
        }
        return ""
    }
}
