// Starting, reloading and stopping a daemon during a wave, while clients wait.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct DaemonLifeTests {
    /// Suspends the workers, so that the next save's wave runs until something else ends it.
    private static let holdAWave = """
        import signal
        status = ask(connect(), 'status')['result']
        daemon, workers = status['process'], status['workers']['processes']
        assert workers, 'no warm worker'
        def suspend():
            for worker in workers: os.kill(worker, signal.SIGSTOP)
        def resume():
            for worker in workers: os.kill(worker, signal.SIGCONT)
        class Waiter:
            def __init__(self):
                self.socket = connect(); self.lines = self.socket.makefile()
                self.send(7, 'wait')
                # Its answer shows that the other request was read.
                self.send(8, 'status')
                first = json.loads(self.lines.readline())
                # The wait may be over already.
                self.early = first if first['id'] == 7 else None
                self.phase = (json.loads(self.lines.readline()) if self.early else first)['result']['phase']
            def send(self, number, method):
                self.socket.sendall(json.dumps({'jsonrpc': '2.0', 'id': number, 'method': method}).encode() + b'\\n')
            def answer(self):
                line = json.dumps(self.early) if self.early else self.lines.readline()
                if not line: return 'closed'
                reply = json.loads(line)
                return reply['result']['failed'] if 'result' in reply else reply['error']['message']
        def save(name, text):
            with open(name, 'w') as file: file.write(text)

        """

    private func readyLines(_ program: RunningProgram) -> [String] {
        program.errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("ready:") }
    }

    private func expectNothingLeft(
        _ tree: Tree, process: Int32, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        tree.eventually("the end of the daemon", { !Host.isAlive(process) }, sourceLocation: sourceLocation)
        let files = try Program.shell("find . -name '.freshpyc-*' -o -name socket -o -name daemon.json", in: tree.path)
        #expect(files.output == "", sourceLocation: sourceLocation)
        #expect(try tree.bytes(".freshpyc/lock").isEmpty, sourceLocation: sourceLocation)
    }

    // MARK: Waiting clients

    @Test func aWaitDuringAReloadIsAnsweredByTheNewSession() throws {
        let tree = try Tree(["m.py": "x = 0\n", "n.py": "y = 0\n"])
        let daemon = try Daemon(tree)
        let result = try daemon.python(
            Self.holdAWave + """
                suspend()
                save('m.py', 'def (\\n')
                waiter = Waiter()
                print(waiter.phase)
                os.kill(daemon, signal.SIGHUP)
                print(waiter.answer())
                # Asked as soon as the reload has begun.
                save('n.py', 'def (\\n')
                os.kill(daemon, signal.SIGHUP)
                print(Waiter().answer())
                """)
        #expect(result.output == "building\n1\n2\n", "\(result)")
    }

    @Test func aReloadWithNewOptionsRefusesWaitsForTheOldOnes() throws {
        let tree = try Tree(["m.py": "x = 0\n", "freshpyc.json": "{\"exclude\": [\"tests/\"]}\n"])
        let daemon = try Daemon(tree)
        let script = """
            suspend()
            save('m.py', 'x = 11\\n')
            waiter = Waiter()
            strict = connect(); lines = strict.makefile()
            strict.sendall(json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'wait',
                'params': {'options': {'exclude': ['tests/']}}}).encode() + b'\\n')
            strict.sendall(b'{"jsonrpc":"2.0","id":2,"method":"status"}\\n'); lines.readline()
            save('freshpyc.json', '{"exclude": ["docs/"]}')
            os.kill(daemon, signal.SIGHUP)
            print(waiter.answer(), json.loads(lines.readline())['error']['code'])
            """
        let result = try daemon.python(Self.holdAWave + script)
        #expect(result.output == "0 -32002\n", "\(result)")
    }

    @Test(arguments: ["os.kill(daemon, signal.SIGTERM)", "print(ask(connect(), 'stop')['result']['ok'])"])
    func aWaitDoesNotSucceedWhenTheDaemonStops(end: String) throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree)
        let process = try daemon.process
        let result = try daemon.python(
            Self.holdAWave + """
                suspend()
                save('m.py', 'x = 11\\n')
                waiter = Waiter()
                \(end)
                print(waiter.answer())
                """)
        #expect(result.output.hasSuffix("closed\n"), "\(result)")
        tree.eventually("the end") { !Host.isAlive(process) }
        try expectNothingLeft(tree, process: process)
    }

    @Test func manyWaitersOfWhichSomeDisconnect() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree, "--idle-timeout", "1")
        let result = try daemon.python(
            Self.holdAWave + """
                suspend()
                save('m.py', 'def (\\n')
                waiters = [Waiter() for _ in range(64)]
                for _ in range(20):
                    leaver = connect(); leaver.sendall(b'{"jsonrpc":"2.0","id":1,"method":"wait"}\\n'); leaver.close()
                # Longer than the idle time-out, which does not count while somebody waits.
                time.sleep(2.5)
                resume()
                print(sorted(set(waiter.answer() for waiter in waiters)), len(waiters))
                flood = connect(); lines = flood.makefile()
                suspend()
                save('m.py', 'x = 1\\n')
                Waiter()
                flood.sendall(b'{"jsonrpc":"2.0","id":1,"method":"wait"}\\n' * 1100)
                print(json.loads(lines.readline())['error']['code'])
                resume()
                """)
        #expect(result.output == "[1] 64\n-32004\n", "\(result)")
    }

    // MARK: Signals

    @Test func rapidReloadsNeverReportReadyWithWrongCounts() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree)
        // Slow to compile, and broken at its end.
        try tree.write("slow.py", String(repeating: "x = [1, 2, (3, 4)]\n", count: 60_000) + "def (\n")
        for _ in 0..<10 {
            watch.program.send(.hangUp)
            Pause.seconds(0.05)
        }
        tree.eventually("ready again\n\(watch.program.errors)") { readyLines(watch.program).count > 1 }
        let answer = try tree.run(["wait"], usesPython: false)
        #expect(answer.status == 1, "\(answer)")
        let ready = readyLines(watch.program).dropFirst()
        #expect(ready.allSatisfy { $0 == "ready: 2 modules, 1 failed, watching 1 directory" }, "\(ready)")
        #expect(watch.stop().status == 0)
        try expectNothingLeft(tree, process: watch.program.identifier)
    }

    /// A question about imports that is asked while the session is being replaced is answered from a complete analysis.
    @Test func aReloadedDaemonAnswersForAllImports() throws {
        let tree = try Tree(["a.py": "import b\n", "b.py": "x = 1\n"])
        let watch = try Watch(tree)
        for round in 0..<12 {
            watch.program.send(.hangUp)
            let graph = try tree.run(["graph"], usesPython: false)
            #expect(graph.output == "a.py\n  b.py (line 1)\nb.py\n", "round \(round): \(graph)")
        }
        #expect(watch.stop().status == 0)
    }

    @Test(arguments: [Signal.terminate, .interrupt]) func stoppingDuringAReload(signal: Signal) throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree)
        try tree.write("slow.py", String(repeating: "x = [1, 2, (3, 4)]\n", count: 60_000))
        watch.program.send(.hangUp)
        Pause.seconds(0.2)
        let result = watch.stop(signal)
        #expect(result.status == 0, "\(result)")
        #expect(readyLines(watch.program).allSatisfy { $0.contains("0 failed") })
        try expectNothingLeft(tree, process: watch.program.identifier)
        #expect(try tree.run("build").status == 0)
    }

    @Test func aReloadDuringTheFirstWave() throws {
        let slow = String(repeating: "x = [1, 2, (3, 4)]\n", count: 60_000) + "def (\n"
        let tree = try Tree(["a.py": "x = 1\n", "slow.py": slow, "freshpyc.json": "{}\n"])
        let watch = try Freshpyc.start(["watch", "--python", tree.python.path.description], in: tree.path)
        tree.eventually("the first wave") { tree.exists(".freshpyc/socket") }
        try tree.write("freshpyc.json", "{\"exclude\": [\"slow.py\"]}\n")
        watch.send(.hangUp)
        tree.eventually("ready\n\(watch.errors)") { !readyLines(watch).isEmpty }
        #expect(readyLines(watch).first == "ready: 1 module, 0 failed, watching 1 directory", "\(watch.errors)")
        watch.send(.terminate)
        #expect(watch.finish(within: 20).status == 0)
    }

    @Test func anInvalidConfigurationIsNotLoaded() throws {
        let tree = try Tree(["a.py": "x = 1\n", "freshpyc.json": "{}\n"])
        let watch = try Freshpyc.start(["watch"], in: tree.path)
        tree.eventually("ready") { !readyLines(watch).isEmpty }
        for (round, configuration) in ["{\"python\": \"9.99\"}", "{", "{\"nonsense\": 1}"].enumerated() {
            let before = readyLines(watch).count
            try tree.write("freshpyc.json", configuration)
            watch.send(.hangUp)
            tree.eventually("the old configuration\n\(watch.errors)") {
                readyLines(watch).count > before && watch.errors.contains("the configuration stays as it was")
            }
            // A client cannot read the last two either.
            #expect(try tree.run(["wait"], usesPython: false).status == (round == 0 ? 0 : 2))
        }
        try tree.write("freshpyc.json", "{}")
        try tree.write("a.py", "x = 23\n")
        #expect(try tree.run(["wait"], usesPython: false).status == 0)
        watch.send(.terminate)
        #expect(watch.finish(within: 20).status == 0)
    }

    /// Two daemons with other options for the same tree: both slow down instead of rewriting the bytecode forever.
    @Test func twoDaemonsDoNotFightForever() throws {
        let tree = try Tree(["freshpyc.json": "{}", "a.py": "x = 1\n"])
        let first = try Watch(tree)
        let second = try Watch(tree, "--invalidation", "checked-hash", "--state-dir", "other")
        tree.eventually("a notice") {
            (first.program.errors + second.program.errors).contains(
                "another program keeps changing the bytecode of a.py, ")
        }
        Pause.seconds(2)
        let rounds = first.waves.count + second.waves.count
        #expect(rounds < 20, "\(first.program.errors)\n\(second.program.errors)")
        // A save is still compiled at once, and a request is answered.
        try tree.write("a.py", "def (\n")
        #expect(try tree.run(["wait"], usesPython: false).status == 1)
        #expect(first.stop().status == 0)
        #expect(second.stop().status == 0)
    }

    @Test func aDaemonOutlivesItsInterpreter() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let environment = tree.path.appending("venv").description
        let make = "\(tree.python.path) -m venv --without-pip \(environment)"
        try tree.shell(make)
        let started = try tree.run(["watch", "-b", "--python", environment], usesPython: false)
        #expect(started.status == 0, "\(started)")
        try tree.shell("rm -rf venv")
        try tree.write("a.py", "x = 22\n")
        for _ in 0..<3 {
            let failed = try tree.run(["wait"], usesPython: false)
            #expect(failed.status == 2 && failed.errors.contains("the daemon cannot build"), "\(failed)")
        }
        let status = try tree.run(["status"], usesPython: false)
        #expect(status.status == 0 && status.output.contains("blocked: no Python '\(environment)"), "\(status)")
        try tree.shell(make)
        // A request starts the next try immediately.
        let answer = try tree.run(["wait"], usesPython: false)
        #expect(answer.status == 0, "\(answer)")
        #expect(try tree.differences(mode: "guarded") == "")
        #expect(try tree.run(["stop"], usesPython: false).status == 0)
    }

    @Test func aStoppedDaemonIsNamedAndDoesNotHangItsClients() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let daemon = try Daemon(tree)
        let process = try daemon.process
        try tree.shell("kill -STOP \(process)")
        defer { _ = try? tree.shell("kill -CONT \(process)") }
        let graph = try tree.run("graph")
        #expect(graph.status == 0 && graph.output == "a.py\n", "\(graph)")
        #expect(
            graph.errors
                == "freshpyc: the daemon of this tree (process \(process)) does not answer; end it with `kill -9 \(process)`\n"
        )
        let status = try daemon.ask("status")
        #expect(status.status == 2 && status.errors.contains("end it with `kill -9 \(process)`"), "\(status)")
    }

    // MARK: The command

    @Test func aCancelledWaveRunsNoCommand() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree, "-j", "2", "--exec", "echo begin >> runs.txt; sleep 1; echo end >> runs.txt")
        tree.eventually("the first run") { tree.exists("runs.txt") }
        let process = try daemon.process
        // Stop the daemon when part of the wave is done.
        let result = try daemon.python(
            Self.holdAWave + """
                from importlib.util import cache_from_source
                os.kill(daemon, signal.SIGSTOP)
                for number in range(20): save('a%d.py' % number, 'x = 1\\n')
                save('slow.py', 'x = [1, 2, (3, 4)]\\n' * 200000)
                os.kill(daemon, signal.SIGCONT)
                while sum(os.path.exists(cache_from_source('a%d.py' % number)) for number in range(20)) < 4: time.sleep(0.01)
                os.kill(daemon, signal.SIGTERM)
                print(os.path.exists(cache_from_source('slow.py')))
                """)
        #expect(result.output == "False\n", "\(result)")
        tree.eventually("the end") { !Host.isAlive(process) }
        // If the wave had started a command, it would outlive the daemon.
        let runs = try tree.bytes("runs.txt")
        Pause.seconds(1.5)
        #expect(try tree.bytes("runs.txt") == runs)
    }

    @Test func stoppingDuringAWaveStopsTheCommand() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree, "--exec", "echo $$ > running; exec sleep 1000")
        tree.eventually("the command") { Host.contents(tree.path.appending("running"))?.last == UInt8(ascii: "\n") }
        let command = try #require(
            Int32(String(decoding: try tree.bytes("running"), as: UTF8.self).prefix { $0.isNumber }))
        let process = try daemon.process
        #expect(Host.isAlive(command))
        let result = try daemon.python(Self.holdAWave + "suspend()\nsave('m.py', 'x = 11\\n')\nprint(Waiter().phase)")
        #expect(result.output == "building\n", "\(result)")
        #expect(try daemon.ask("stop").status == 0)
        tree.eventually("the end") { !Host.isAlive(process) }
        #expect(!Host.isAlive(command))
        try expectNothingLeft(tree, process: process)
    }

    @Test func pathsInTheCommandAreRelativeToItsDirectory() throws {
        let tree = try Tree(["a.py": "x = 1\n", "pkg/b.py": "y = 1\n"])
        let check = "cd pkg && \(Freshpyc.path) check --python \(tree.python.path) . 2> ../new; mv ../new ../summary"
        let daemon = try Daemon(tree, "--exec", check)
        tree.eventually("the command") { tree.exists("summary") }
        let summary = String(decoding: try tree.bytes("summary"), as: UTF8.self)
        #expect(summary.hasPrefix("1 module checked in"), "\(summary)")
        #expect(try daemon.ask("wait").status == 0)
    }

    // MARK: Finding the daemon

    @Test func simultaneousStartsLeaveOneDaemon() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let words = ["watch", "--background", "--python", tree.python.path.description]
        let starts = try (0..<4).map { _ in try Freshpyc.start(words, in: tree.path) }
        let results = starts.map { $0.finish() }
        #expect(results.map(\.status).sorted() == [0, 2, 2, 2], "\(results)")
        for result in results where result.status == 2 {
            #expect(result.errors.contains("is already running on this tree"), "\(result)")
        }
        #expect(try tree.run(["wait"], usesPython: false).status == 0)
        #expect(try tree.run(["stop"], usesPython: false).status == 0)
    }

    @Test func aDaemonIsFoundWithoutItsRuntimeDirectory() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let daemon = try Daemon(tree, runtime: true)
        let process = try daemon.process
        // As from cron.
        #expect(try tree.run(["wait"], usesPython: false).status == 0)
        let build = try tree.run("build")
        #expect(build.status == 0 && build.summary.hasPrefix("1 module: 0 compiled"), "\(build)")
        // With another runtime directory, as in a container.
        try tree.shell("mkdir -m 700 other")
        let other = ["XDG_RUNTIME_DIR": tree.path.appending("other").description]
        #expect(try tree.run(["wait"], environment: other, usesPython: false).status == 0)
        #expect(try tree.run(["stop"], usesPython: false).status == 0)
        try expectNothingLeft(tree, process: process)
        #expect(try Program.shell("ls run/freshpyc", in: tree.path).output == "")
    }

    @Test func eachStateDirectoryHasItsOwnDaemon() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let daemon = try Daemon(tree, runtime: true)
        let state = tree.path.appending("run/state").description
        let second = try daemon.ask("watch", "-b", "--state-dir", state, usesPython: true)
        #expect(second.status == 0, "\(second)")
        let one = try daemon.ask("status", "--format", "json").output
        let two = try daemon.ask("status", "--format", "json", "--state-dir", state).output
        #expect(!one.isEmpty && one.components(after: "\"socket\":") != two.components(after: "\"socket\":"))
        #expect(try daemon.ask("stop", "--state-dir", state).status == 0)
        #expect(try daemon.ask("wait").status == 0)
    }

    @Test func aTreeCannotRedirectClientsToAnotherSocket() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        try tree.run("build")
        let script = """
            import json, socket, subprocess, sys
            s = socket.socket(socket.AF_UNIX); s.bind('trap'); s.listen(5); s.setblocking(False)
            json.dump({'schema': 1, 'process': 1, 'socket': sys.argv[2] + '/trap'}, open('.freshpyc/daemon.json', 'w'))
            print(subprocess.run([sys.argv[1], 'wait'], stderr=subprocess.DEVNULL).returncode)
            try: s.accept(); print('connected')
            except BlockingIOError: print('left alone')
            """
        let result = try Program.run(
            tree.python.path.description, "-c", script, Freshpyc.path.description, tree.path.description, in: tree.path)
        #expect(result.output == "2\nleft alone\n", "\(result)")
    }
}
