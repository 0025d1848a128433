// A watch over days: switched branches, file systems without events, bad workers, many edits.

import BasicTypes
import LinuxSystem
import Testing

@Suite struct LongRunTests {
    @Test func scenario6AFileSystemThatSendsNoEvents() throws {
        let tree = try Tree()
        try tree.shell("mkdir behind front; echo 'x = 1' > behind/a.py")
        let front = tree.path.appending("front").description
        // Disable the kernel's attribute cache, which keeps stamps for a second and only slows this test down.
        let mounted = try Program.run(
            "bindfs", "-o", "attr_timeout=0,entry_timeout=0", tree.path.appending("behind").description, front)
        guard mounted.status == 0 else { try Test.cancel("needs bindfs and /dev/fuse") }
        defer { _ = try? Program.run("umount", "-l", front) }
        let watch = try Freshpyc.start(["watch", front, "--python", tree.python.path.description], in: tree.path)
        tree.eventually("ready") { watch.errors.contains("ready:") }
        #expect(watch.errors.contains("\(front) must be polled: fuse sends no events"), "\(watch.errors)")
        // Edit like another machine: the kernel below the watch does not see the changes.
        try tree.shell("echo 'y = 22' > behind/new.py; mkdir behind/p; echo 'z = 1' > behind/p/b.py")
        tree.eventually("polled\n\(watch.errors)") {
            tree.exists("behind/" + tree.pyc("new.py")) && tree.exists("behind/" + tree.pyc("p/b.py"))
        }
        let status = try Freshpyc.start(["status", front], in: tree.path).finish()
        #expect(status.output.contains("the root): fuse sends no events"), "\(status)")
        try tree.shell("echo 'y = 23' > behind/a.py")
        #expect(try Freshpyc.start(["wait", front], in: tree.path).finish().status == 0)
        let differences = try tree.differences(mode: "guarded", at: "front")
        #expect(differences == "")
        watch.send(.terminate)
        #expect(watch.finish(within: 10).status == 0)
    }

    @Test func scenario7BranchesAreSwitched() throws {
        let tree = try Tree()
        try tree.shell(
            """
            git init -q -b one .; git config user.email a@b.c; git config user.name a
            for p in $(seq 30); do mkdir p$p; for i in $(seq 30); do echo "x = $i" > p$p/m$i.py; done; done
            echo .freshpyc > .gitignore; echo __pycache__ >> .gitignore; git add -A; git commit -qm one
            git checkout -q -b two
            for p in $(seq 15); do git rm -rq p$p; mkdir -p q$p/s; for i in $(seq 30); do echo "y = {$i}" > q$p/s/m$i.py; done; done
            for i in $(seq 30); do echo "z = 'longer than before'" > p20/m$i.py; echo "x = 7" > p21/m$i.py; done
            git add -A; git commit -qm two; git checkout -q one
            """)
        let watch = try Watch(tree)
        for branch in ["two", "one", "two", "one"] {
            let before = watch.waves.count
            try tree.shell("git checkout -q \(branch)")
            #expect(try tree.run(["wait"], usesPython: false).status == 0)
            let differences = try tree.differences(mode: "guarded")
            #expect(differences == "", "after \(branch)")
            let waves = watch.waves.count - before
            #expect((1...12).contains(waves), "\(waves) waves for \(branch)")
        }
        #expect(watch.stop().status == 0)
    }

    @Test func scenario20WorkersThatMisbehave() throws {
        var files: [String: String] = [:]
        for index in 0..<30 { files["m\(index).py"] = "x = \(index)\n" }
        let tree = try Tree(files)
        // The first start is the probe. The next ones write garbage, hang, are killed, exit at once, and cannot be run.
        try tree.shell("mkdir bin; echo 0 > bin/count")
        try tree.write(
            "bin/python",
            """
            #!/bin/sh
            n=$(cat '\(tree.path)/bin/count'); echo $((n + 1)) > '\(tree.path)/bin/count'
            case $n in
                1) head -c 100000 /dev/zero; exec sleep 98.7;;
                2) echo 'Python 3 says hello'; exec sleep 98.7;;
                *) exec '\(tree.python.path)' "$@";;
            esac
            """)
        try tree.shell("chmod +x bin/python")
        let result = try tree.run(
            ["build", "--jobs", "2", "--timeout", "2", "--python", tree.path.appending("bin/python").description],
            usesPython: false)
        #expect(result.status == 0 && result.summary.hasPrefix("30 modules: 30 compiled"), "\(result)")
        #expect(try tree.differences() == "")
        #expect(try Program.shell("pgrep -fx 'sleep 98.7' || true", in: tree.path).output == "")
    }

    @Test func scenario20OutOfMemory() throws {
        let tree = try Tree(["a.py": "x = 1\n", "b.py": "y = 2\n"])
        try tree.write(
            "huge.py", "x = [\n" + String(repeating: "    [1, 2, 'text', (3, 4)],\n", count: 200_000) + "]\n")
        try tree.age()
        try tree.write(
            "limited", "#!/bin/sh\nexec prlimit --as=120000000 '\(tree.python.path)' \"$@\"\n")
        try tree.shell("chmod +x limited")
        let result = try tree.run(
            ["build", "--python", tree.path.appending("limited").description], usesPython: false)
        #expect(result.status == 1 && result.summary.contains("2 compiled, 0 up to date, 1 failed"), "\(result)")
        #expect(result.lines.count == 1 && result.output.hasPrefix("huge.py: error: "), "\(result)")
    }

    @Test func scenario30ADaysChurn() throws {
        let tree = try Tree(["a.py": "x = 1\n"])
        let watch = try Watch(tree)
        let script = BytePath(#filePath).parent.appending("bench/churn.py")
        let result = try Program.run(
            tree.python.path.description, script.description, "--root", tree.path.description, "--edits", "1500",
            "--process", "\(watch.program.identifier)")
        #expect(result.status == 0, "\(result)")
        #expect(try tree.differences(mode: "guarded") == "")
        #expect(watch.stop().status == 0)
    }
}
