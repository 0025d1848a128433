// An interpreter process that runs worker.py: starting it, and frames over its pipes.

import BasicTypes
import BuildModel
import LinuxSystem

/// A worker's process, with buffers for both of its pipes.
final class WorkerProcess {
    let child: ChildProcess
    /// Frames for the pipe. It has accepted the first `sent` bytes.
    private var frames: [UInt8]
    private var sent = 0
    private var isGreeted = false
    /// What has arrived since the last complete frame.
    private var received: [UInt8] = []
    private var block = [UInt8](repeating: 0, count: 128 << 10)

    /// Maximum frame length in bytes. Larger frames are not from worker.py: no code comes near this size.
    private static let largestFrame = 1 << 31
    /// The same for the hello, so that the output of another program is not collected.
    private static let largestHello = 1 << 20
    /// Pipe size in bytes; large enough for several sources to wait in a worker's pipe.
    static let largePipe: Int32 = 1 << 20

    private static let program = PackageResources.worker_py
    /// The loader, short enough to be readable in a process list. It reads worker.py from standard input, since an
    /// argument is limited to 128 KiB, and exits if the input ends early: then freshpyc is gone.
    static let bootstrap = BytePath(
        "import os\ns=b''\nwhile len(s)<\(program.count):\n c=os.read(0,\(program.count)-len(s))\n"
            + " if not c:os._exit(0)\n s+=c\nexec(compile(s,'freshpyc-worker','exec'))")

    /// The user's environment is dropped, except what the dynamic loader may need to find libpython. Together with `-S`
    /// and worker.py's first line, this isolates like `-I`; but `-I` itself would ignore PYTHONHASHSEED.
    static var environment: [BytePath] {
        var environment = [BytePath("PYTHONHASHSEED=0"), BytePath("LC_ALL=C.UTF-8")]
        if let libraries = Host.environment("LD_LIBRARY_PATH") {
            environment.append(BytePath(Array("LD_LIBRARY_PATH=".utf8) + libraries.bytes) ?? .empty)
        }
        return environment
    }

    /// Starts an interpreter and begins sending worker.py.
    ///
    /// - Parameters:
    ///   - level: set for the whole process, where it cannot be set for each file (Python 2).
    ///   - tells: whether the hello must contain everything that a probe needs.
    ///   - pipeSize: requested size of its pipes in bytes; the kernel may refuse (pipe(7)).
    init(
        _ executable: BytePath, level: OptimizationLevel?, tells: Bool = false,
        pipeSize: Int32 = WorkerProcess.largePipe
    ) throws(SystemError) {
        frames = Self.program
        var flags = ["-s", "-S", "-B"]
        switch level {
        case .asserts: flags.append("-O")
        case .docstrings: flags.append("-OO")
        case nil, .some(.none): break
        }
        child = try ChildProcess(
            executable,
            arguments: flags.map { BytePath($0) } + [BytePath("-c"), Self.bootstrap]
                + (tells ? [BytePath("tell")] : []),
            environment: Self.environment, sharesErrors: false)
        child.input.growPipe(to: pipeSize)
        child.output.growPipe(to: pipeSize)
        flush()
    }

    /// Whether bytes are waiting until the pipe is writable.
    var hasUnsent: Bool { !frames.isEmpty }

    /// Adds a request to those that `flush` sends.
    func add(_ request: CompileRequest, levelIsFixed: Bool) {
        request.write(to: &frames, levelIsFixed: levelIsFixed)
    }

    /// Writes as much as the pipe accepts.
    func flush() {
        var failure: SystemError?
        frames.withUnsafeBytes { bytes in
            do throws(SystemError) {
                while sent < bytes.count {
                    sent += try child.input.writeSome(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                }
            } catch {
                failure = error
            }
        }
        if failure?.wouldBlock == true {
            // Only when much of it is sent: moving the rest for each part would take quadratic time.
            guard sent > frames.count / 2 else { return }
            frames.removeFirst(sent)
        } else {
            // A worker that cannot be written to has exited, or would wait for the rest forever. This is handled when
            // its output ends.
            if failure != nil { child.kill() }
            // Release the memory that one large file needed.
            frames.removeAll(keepingCapacity: frames.capacity <= 1 << 20)
        }
        sent = 0
    }

    /// Whether an idle worker has exited. It writes nothing, so if its output is readable, that is the end.
    var hasEnded: Bool { (try? child.output.waitUntilReadable(nanoseconds: -1_000_000)) ?? true }

    /// How reading ended.
    enum Reading {
        /// Everything available was read.
        case more
        case ended
        /// The bytes are not from worker.py.
        case rubbish
    }

    /// Reads what is available and passes each complete frame to `body`. Frames that arrive together share their memory.
    func read(_ body: (WorkerFrame) -> Void) -> Reading {
        while true {
            let count: Int
            do throws(SystemError) {
                count = try receive()
            } catch {
                return error.wouldBlock ? .more : .ended
            }
            if count == 0 { return .ended }
            guard takeFrames(body) else { return .rubbish }
            if count < block.count { return .more }
        }
    }

    /// - Returns: the number of bytes that were read; 0 at the end.
    private func receive() throws(SystemError) -> Int {
        let count = try block.withMutableRawBytes { buffer throws(SystemError) in try child.output.read(into: buffer) }
        received += block[..<count]
        return count
    }

    private func takeFrames(_ body: (WorkerFrame) -> Void) -> Bool {
        var rest = received[...]
        while rest.count >= 4 {
            let length = rest.withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) }
            guard length < (isGreeted ? Self.largestFrame : Self.largestHello) else { return false }
            guard rest.count >= length + 4 else { break }
            guard let frame = WorkerFrame(payload: rest.dropFirst(4).prefix(length)) else { return false }
            rest = rest.dropFirst(4 + length)
            isGreeted = true
            body(frame)
        }
        // The frames keep the memory that they were read into, so the rest gets its own.
        if rest.startIndex > 0 { received = Array(rest) }
        return true
    }
}
