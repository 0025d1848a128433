// The daemon as other programs use it: requests, answers, badly behaved clients and limits of the system.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct DaemonTests {
    @Test func editsAreReflectedInEveryVerb() throws {
        let tree = try Tree(["a.py": "import b\n", "b.py": "x = 1\n"])
        let daemon = try Daemon(tree)
        #expect(try daemon.ask("wait").status == 0)
        try tree.write("b.py", "def (\n")
        let failing = try daemon.ask("wait")
        #expect(failing.status == 1 && failing.errors.contains("1 of 2 modules failed"), "\(failing)")
        let why = try daemon.ask("why", "b.py", usesPython: true)
        #expect(
            why.output.hasPrefix("b.py: does not compile\n") && why.output.contains("by a.py")
                && why.output.contains("[syntax-error]"),
            "\(why)")
        let status = try daemon.ask("status")
        #expect(status.output.contains("modules   2, 1 failed"), "\(status)")
        try tree.write("b.py", "y = 22\n")
        let built = try daemon.ask("build", usesPython: true)
        #expect(
            built.status == 0 && built.summary.hasPrefix("2 modules: ")
                && built.summary.contains(" up to date, 0 failed"), "\(built)")
        let forced = try daemon.ask("build", "--force", usesPython: true)
        #expect(forced.summary.hasPrefix("2 modules: 2 compiled, 0 up to date"), "\(forced)")
        let other = try daemon.ask("build", "-O", "2", usesPython: true)
        #expect(
            other.status == 0 && other.errors.contains("working without it") && tree.exists(tree.pyc("a.py", level: 2)),
            "\(other)")
        #expect(try daemon.ask("check", "--strict", usesPython: true).status == 0)
        #expect(try daemon.ask("stop").status == 0)
        #expect(try daemon.ask("wait").status == 2)
        #expect(try daemon.ask("stop").errors.contains("no daemon is running for"))
        let log = String(decoding: try tree.bytes(".freshpyc/log"), as: UTF8.self)
        #expect(log.contains("ready: 2 modules") && log.contains("[syntax-error]"))
    }

    @Test func scenario29NoAnswerIsOlderThanTheEdit() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree)
        let result = try daemon.python(
            """
            import importlib.util, marshal
            s = connect()
            cache = importlib.util.cache_from_source('m.py')
            for round in range(1500):
                if round % 3 == 0:
                    with open('m.py', 'w') as f: f.write('x = %d\\n' % round)
                elif round % 3 == 1:
                    with open('m.tmp', 'w') as f: f.write('x = %d\\n' % round)
                    os.rename('m.tmp', 'm.py')
                else:
                    f = open('m.py', 'w'); f.write('x = %d\\n' % round); f.flush()
                answer = ask(s, 'wait')
                data = open(cache, 'rb').read()
                names = {}
                exec(marshal.loads(data[16:]), names)
                if names['x'] != round or answer['result']['failed']:
                    print('stale', round, names['x'], answer); break
            else:
                print('never stale')
            """)
        #expect(result.output == "never stale\n", "\(result)")
        try daemon.tree.shell("rm -f m.tmp")
    }

    /// Also if the whole tree has to be scanned, because rules have changed.
    @Test func bytecodeOfASourceThatCameAndWentIsRemoved() throws {
        let tree = try Tree(["freshpyc.json": "{}", "p/a.py": "x = 1\n", "env/b.py": ""])
        let daemon = try Daemon(tree)
        let planted = tree.pyc("p/new.py")
        try tree.shell(
            "echo 'y = 1' > p/new.py; cp \(tree.pyc("p/a.py")) \(planted); rm p/new.py; touch env/pyvenv.cfg")
        #expect(try daemon.ask("wait").status == 0)
        #expect(!tree.exists(planted) && tree.exists(tree.pyc("p/a.py")))
    }

    @Test func scenario18BytecodeRemovedDuringAWaveIsBackAfterAWait() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let daemon = try Daemon(tree, environment: ["FRESHPYC_STORE": "none"])
        // This takes about a second to compile. Meanwhile, remove the bytecode of another source, and wait.
        try tree.write("slow.py", String(repeating: "x = [1, 2, (3, 4)]\n", count: 60_000))
        tree.eventually("a wave under way") {
            (try? daemon.ask("status", "--format", "json").output.contains("\"phase\":\"building\"")) == true
        }
        try tree.shell("rm \(tree.pyc("a.py"))")
        #expect(try daemon.ask("wait").status == 0)
        #expect(tree.exists(tree.pyc("a.py")))
    }

    @Test func scenario27ClientsHarmOnlyThemselves() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree)
        let result = try daemon.python(
            """
            import random
            random.seed(7)
            for line in [b'', b'\\n', b'{', b'[]', b'null', b'{"jsonrpc":"2.0"}', b'\\xff\\xfe', b'{"jsonrpc":"1.0","id":1,"method":"wait"}']:
                s = connect(); s.sendall(line + b'\\n'); s.close()
            s = connect()
            try:
                for _ in range(64): s.sendall(b'x' * 65536)
            except OSError: pass
            deaf = connect()
            deaf.setblocking(False)
            request = b'{"jsonrpc":"2.0","id":1,"method":"status"}\\n'
            try:
                for _ in range(200000): deaf.send(request * 50)
            except OSError: pass
            half = connect(); half.sendall(b'{"jsonrpc":"2.0","id":1,"meth')
            many = []
            for _ in range(1000):
                try: many.append(connect())
                except OSError: break
            for s in many: s.close()
            for _ in range(300):
                s = connect(); s.sendall(request[:random.randrange(len(request))]); s.close()
            print(ask(connect(), 'nope')['error']['code'], ask(connect(), 'why')['error']['code'])
            s = connect()
            print(ask(s, 'wait')['result']['modules'], ask(s, 'status', version='0.0.0')['error']['code'])
            """)
        #expect(result.output == "-32601 -32602\n1 -32001\n", "\(result)")
        #expect(try daemon.ask("wait").status == 0)
    }

    @Test func subscribersSeeWaves() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree)
        let result = try daemon.python(
            """
            s = connect()
            stream = s.makefile()
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe"}\\n'); stream.readline()
            open('m.py', 'w').write('def\\n')
            event = json.loads(stream.readline())
            print(event['method'], event['params']['modules']['failed'], event['params']['diagnostics'][0]['rule'])
            """)
        #expect(result.output == "wave 1 syntax-error\n", "\(result)")
    }

    @Test func scenario22TheSocketIsInTheRuntimeDirectory() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree, runtime: true)
        #expect(!tree.exists(".freshpyc/socket"))
        #expect(try Program.shell("stat -c %a run/freshpyc run/freshpyc/*.sock", in: tree.path).output == "700\n600\n")
        #expect(try daemon.ask("wait").status == 0)
        #expect(try daemon.ask("stop").status == 0)
        // A directory that others can write to is not used.
        try tree.shell("chmod 777 run/freshpyc")
        let other = try Tree(["n.py": ""])
        let wary = try other.run(
            ["watch", "--background"], environment: ["XDG_RUNTIME_DIR": tree.path.appending("run").description])
        #expect(wary.status == 0 && other.exists(".freshpyc/socket"), "\(wary)")
        #expect(try other.run(["stop"], usesPython: false).status == 0)
    }

    @Test func scenario22AStaleSocketDoesNotCountAsADaemon() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree)
        Signal.kill.send(to: try daemon.process)
        tree.eventually("it is gone") { (try? daemon.ask("status").status) == 2 }
        #expect(tree.exists(".freshpyc/socket"))
        try tree.write("m.py", "x = 11\n")
        let again = try daemon.ask("watch", "--background", usesPython: true)
        #expect(again.status == 0, "\(again)")
        #expect(try daemon.ask("wait").status == 0)
        #expect(try tree.differences(mode: "guarded") == "")
        let second = try daemon.ask("watch", "--background", usesPython: true)
        #expect(second.status == 0 && second.errors.hasPrefix("already running (process"), "\(second)")
    }

    @Test func scenario28AnotherUserIsRefused() throws {
        guard try Program.run("id", "-u").output == "0\n" else { try Test.cancel("needs root to act as another user") }
        let tree = try Tree(["m.py": "x = 0\n"])
        let daemon = try Daemon(tree)
        try tree.shell("chmod 755 . .freshpyc; chmod 777 .freshpyc/socket")
        let script =
            "import socket; s = socket.socket(socket.AF_UNIX); s.connect('.freshpyc/socket'); s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stop\"}\\n'); print(repr(s.recv(100)))"
        let result = try Program.run(
            "setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", script, in: tree.path)
        #expect(
            result.output == "b''\n" || result.errors.contains("ConnectionResetError")
                || result.errors.contains("BrokenPipeError"), "\(result)")
        #expect(try daemon.ask("wait").status == 0)
    }

    @Test func scenario10And4ASuspendedDaemonWithAFullQueue() throws {
        var files = ["m.py": "x = 0\n"]
        for index in 0..<300 { files["d/m\(index).py"] = "x = \(index)\n" }
        let tree = try Tree(files)
        let daemon = try Daemon(tree)
        let process = try daemon.process
        Signal.stop.send(to: process)
        // More events than the queue holds.
        try tree.shell(
            """
            python3 - <<'EOF'
            import os
            os.mkdir('n'); open('n/new.py', 'w').write('x = 1'); open('d/m3.py', 'w').write('x = 33')
            limit = int(open('/proc/sys/fs/inotify/max_queued_events').read())
            for round in range(limit // 300 + 2):
                for i in range(300):
                    os.utime('d/m%d.py' % i, (1000000, 1000000 + round)); 
            os.remove('d/m7.py'); os.rename('d', 'e')
            EOF
            """)
        Signal.resume.send(to: process)
        #expect(try daemon.ask("wait").status == 0)
        let differences = try tree.differences(mode: "guarded")
        #expect(differences == "")
        let status = try daemon.ask("status", "--format", "json").output
        #expect(!status.contains("\"overflows\":0,"), "\(status)")
        #expect(status.contains("\"modules\":301,"), "\(status)")
    }

    @Test func scenario5OutOfWatches() throws {
        let tree = try Tree(["a.py": "x = 1\n", "d1/b.py": "", "d2/c.py": "", "d3/s/d.py": "", "d4/e.py": ""])
        let probe = try Program.run("unshare", "-Ur", "sh", "-c", "echo 5 > /proc/sys/user/max_inotify_watches")
        guard probe.status == 0 else { try Test.cancel("no permission to create a user namespace") }
        let program = try RunningProgram(
            ["/usr/bin/unshare", "-Ur", "sh", "-c", "echo 5 > /proc/sys/user/max_inotify_watches; exec \"$@\"", "sh"]
                .map { BytePath($0) } + [Freshpyc.path]
                + ["watch", "--python", tree.python.path.description].map { BytePath($0) },
            in: tree.path)
        tree.eventually("ready\n\(program.errors)") { program.errors.contains("ready:") }
        #expect(
            program.errors.contains("cannot be watched and are polled: fs.inotify.max_user_watches is"),
            "\(program.errors)")
        try tree.shell("for d in d1 d2 d3/s d4; do echo 'y = 2' > $d/new.py; done")
        tree.eventually("polled\n\(program.errors)") {
            ["d1", "d2", "d3/s", "d4"].allSatisfy { tree.exists(tree.pyc("\($0)/new.py")) }
        }
        program.send(.terminate)
        #expect(program.finish(within: 10).status == 0)
    }

    @Test func scenario24AnInterpreterIsReplaced() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        try tree.shell("mkdir bin; cp \(tree.python.path) bin/python3")
        let link = tree.path.appending("bin/python3").description
        let works = try Program.run(link, "-s", "-S", "-c", "import marshal, os, struct, warnings")
        guard works.status == 0 else { try Test.cancel("this interpreter cannot be copied") }
        let result = try tree.run(["watch", "--background", "--python", link], usesPython: false)
        #expect(result.status == 0, "\(result)")
        try tree.shell("cp bin/python3 bin/new; mv bin/new bin/python3; echo 'y = 1' > m.py")
        #expect(try tree.run(["wait", "--timeout", "20"], usesPython: false).status == 0)
        let log = String(decoding: try tree.bytes(".freshpyc/log"), as: UTF8.self)
        #expect(log.contains("an interpreter has changed"), "\(log)")
        #expect(try tree.differences(mode: "guarded") == "")
        #expect(try tree.run(["stop"], usesPython: false).status == 0)
    }

    @Test func scenario23SignalsInTheMiddleOfAWave() throws {
        var files: [String: String] = [:]
        for index in 0..<300 { files["m\(index).py"] = String(repeating: "x = [1, 2, (3, 4)]\n", count: 800) }
        let tree = try Tree(files)
        let watch = try Freshpyc.start(["watch", "--python", tree.python.path.description], in: tree.path)
        tree.eventually("some bytecode") { tree.exists("__pycache__") }
        watch.send(.terminate)
        let result = watch.finish(within: 10)
        #expect(result.status == 0, "\(result)")
        #expect(try Program.shell("find . -name '.freshpyc-*'", in: tree.path).output == "")
        let again = try Watch(tree)
        again.program.send(.hangUp)
        tree.eventually("ready twice\n\(again.program.errors)") {
            again.program.errors.split(separator: "\n").count { $0.hasPrefix("ready:") } >= 2
        }
        try again.converges()
        #expect(again.stop().status == 0)
    }

    @Test func anIdleDaemonExits() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let watch = try Freshpyc.start(
            ["watch", "--idle-timeout", "1", "--python", tree.python.path.description], in: tree.path)
        #expect(watch.finish(within: 20).status == 0)
    }

    @Test func errorsOfABackgroundStartAreReported() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let result = try tree.run(["watch", "--background", "--python", "9.99"], usesPython: false)
        #expect(result.status == 2 && result.errors.hasPrefix("freshpyc: no Python '9.99' found"), "\(result)")
    }

    @Test func theServiceManagerIsNotified() throws {
        let tree = try Tree(["m.py": "x = 0\n"])
        let script = """
            import os, socket, subprocess, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('notify'); s.settimeout(20)
            p = subprocess.Popen(sys.argv[1:], env=dict(os.environ, NOTIFY_SOCKET=os.path.abspath('notify'), WATCHDOG_USEC='200000'), stderr=subprocess.DEVNULL)
            seen = []
            while not (any('WATCHDOG' in x for x in seen) and any('READY' in x for x in seen)): seen.append(s.recv(1000).decode())
            p.terminate()
            while not any('STOPPING' in x for x in seen): seen.append(s.recv(1000).decode())
            print(p.wait(), next(x for x in seen if 'READY' in x).splitlines())
            """
        let result = try Program.run(
            tree.python.path.description, "-c", script, Freshpyc.path.description, "watch", "--python",
            tree.python.path.description, in: tree.path)
        #expect(
            result.output == "0 ['READY=1', 'STATUS=1 modules, 0 failed, watching 1 directories']\n", "\(result)")
    }

    /// The cache of a directory becomes a link, and the link goes: `wait` brings the bytecode back.
    @Test func aCacheThatWasALinkIsMadeAgain() throws {
        let tree = try Tree(["d/m.py": "x = 1\n", "aside/keep.txt": ""])
        let daemon = try Daemon(tree)
        try tree.shell("mv d/__pycache__ aside/c; ln -s ../aside/c d/__pycache__")
        Pause.seconds(0.5)
        try tree.shell("rm d/__pycache__")
        let result = try daemon.ask("wait")
        #expect(result.status == 0, "\(result)")
        #expect(try Program.shell("ls d/__pycache__", in: tree.path).output.contains(".pyc"))
    }
}
