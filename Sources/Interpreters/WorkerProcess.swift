// An interpreter process that runs worker.py: starting it, and frames over its pipes.

import BasicTypes
import BuildModel
import LinuxSystem

/// A worker's process, with buffers for both of its pipes.
final class WorkerProcess {
    let child: ChildProcess
    /// Bytes that the pipe has not accepted yet.
    private var unsent: [UInt8]
    private var isGreeted = false
    private var received: [UInt8] = []
    private var consumed = 0
    private var chunk = [UInt8](repeating: 0, count: 65_536)

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
        unsent = Self.program
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
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Sends a frame, or as much as the pipe accepts now.
    func send(_ frame: [UInt8]) {
        if unsent.isEmpty { unsent = frame } else { unsent += frame }
        flush()
    }

    /// Writes as much as the pipe accepts.
    func flush() {
        var sent = 0
        var failure: SystemError?
        unsent.withUnsafeBytes { bytes in
            do throws(SystemError) {
                while sent < bytes.count {
                    sent += try child.input.writeSome(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                }
            } catch {
                failure = error
            }
        }
        if failure?.wouldBlock == true {
            unsent.removeFirst(sent)
        } else {
            // A worker that cannot be written to has exited, or would wait for the rest forever. This is handled when
            // its output ends.
            if failure != nil { child.kill() }
            unsent = []
        }
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

    /// Reads what is available and passes each complete frame to `body`.
    func read(_ body: (WorkerFrame) -> Void) -> Reading {
        while true {
            var count = 0
            var failure: SystemError?
            chunk.withUnsafeMutableBytes { buffer in
                do throws(SystemError) {
                    count = try child.output.read(into: buffer)
                } catch {
                    failure = error
                }
            }
            if let failure { return failure.wouldBlock ? .more : .ended }
            if count == 0 { return .ended }
            received += chunk[..<count]
            guard takeFrames(body) else { return .rubbish }
            if count < chunk.count { return .more }
        }
    }

    private var frameLength: Int? {
        guard received.count - consumed >= 4 else { return nil }
        return received.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: consumed, as: UInt32.self)))
        }
    }

    private func takeFrames(_ body: (WorkerFrame) -> Void) -> Bool {
        while let length = frameLength {
            guard length < (isGreeted ? Self.largestFrame : Self.largestHello) else { return false }
            guard received.count - consumed >= length + 4 else { break }
            let frame = received.withUnsafeBytes {
                WorkerFrame(payload: UnsafeRawBufferPointer(rebasing: $0[(consumed + 4)..<(consumed + 4 + length)]))
            }
            guard let frame else { return false }
            consumed += length + 4
            isGreeted = true
            body(frame)
        }
        if consumed == received.count {
            // Release the memory that one large file needed.
            received.removeAll(keepingCapacity: received.capacity <= 1 << 20)
            consumed = 0
        } else if consumed > 1 << 20 {
            received.removeFirst(consumed)
            consumed = 0
        }
        return true
    }
}
