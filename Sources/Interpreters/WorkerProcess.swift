// One interpreter process that runs worker.py: how it is started, and its pipes as frames.

import BasicTypes
import BuildModel
import LinuxSystem

/// A worker's process, the bytes on their way to it, and those that came from it.
final class WorkerProcess {
    let child: ChildProcess
    /// What the pipe has not taken yet.
    private var unsent: [UInt8]
    private var isGreeted = false
    private var received: [UInt8] = []
    private var consumed = 0
    private var chunk = [UInt8](repeating: 0, count: 65_536)

    /// Larger frames are not worker.py's: no code comes near this size (bytes).
    private static let largestFrame = 1 << 31
    /// The same for its hello, so that what another program prints is not collected.
    private static let largestHello = 1 << 20
    /// The size of pipes that lets several sources wait at a worker (bytes).
    static let largePipe: Int32 = 1 << 20

    private static let program = PackageResources.worker_py
    /// The loader is short enough for a list of processes. It reads worker.py from standard input, since an argument is
    /// limited to 128 KiB, and ends if its input ends early: freshpyc is gone then.
    static let bootstrap = BytePath(
        "import os\ns=b''\nwhile len(s)<\(program.count):\n c=os.read(0,\(program.count)-len(s))\n"
            + " if not c:os._exit(0)\n s+=c\nexec(compile(s,'freshpyc-worker','exec'))")

    /// The user's environment is left out, except what the dynamic loader may need to find libpython. This, `-S` and
    /// worker.py's first line isolate as `-I` does; `-I` itself would ignore PYTHONHASHSEED.
    static var environment: [BytePath] {
        var environment = [BytePath("PYTHONHASHSEED=0"), BytePath("LC_ALL=C.UTF-8")]
        if let libraries = Host.environment("LD_LIBRARY_PATH") {
            environment.append(BytePath(Array("LD_LIBRARY_PATH=".utf8) + libraries.bytes) ?? .empty)
        }
        return environment
    }

    /// Starts an interpreter and begins to send worker.py.
    ///
    /// - Parameters:
    ///   - level: given to the process where it cannot be given with each file (Python 2).
    ///   - tells: whether its hello contains everything that a probe needs.
    ///   - pipeSize: bytes that its pipes should hold; the kernel may refuse (pipe(7)).
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

    /// Whether something has to be written once the pipe takes it.
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Sends a frame, or as much as the pipe takes now.
    func send(_ frame: [UInt8]) {
        if unsent.isEmpty { unsent = frame } else { unsent += frame }
        flush()
    }

    /// Writes what the pipe takes.
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
            // A worker that cannot be written to has ended, or would wait for the rest forever. The end of its output is
            // where that is dealt with.
            if failure != nil { child.kill() }
            unsent = []
        }
    }

    /// Whether an idle worker, which writes nothing, can be read: that is the end of its output.
    var hasEnded: Bool { (try? child.output.waitUntilReadable(nanoseconds: -1_000_000)) ?? true }

    /// What reading ended with.
    enum Reading {
        /// Everything that is there now has been read.
        case more
        case ended
        /// The bytes are not worker.py's.
        case rubbish
    }

    /// Reads what is there and hands over each whole frame.
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
            // The memory for one large file is given back.
            received.removeAll(keepingCapacity: received.capacity <= 1 << 20)
            consumed = 0
        } else if consumed > 1 << 20 {
            received.removeFirst(consumed)
            consumed = 0
        }
        return true
    }
}
