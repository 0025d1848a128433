// The process and its machine: environment, clocks, files by path, standard descriptors.

import BasicTypes
import CLinuxShims
import Glibc

package enum Host {
    /// Nanoseconds since 1970, by the clock that can be set (CLOCK_REALTIME).
    package static var realtime: Int64 { clock(CLOCK_REALTIME) }

    /// Hours, minutes and seconds of the local clock: `15:16:22` (localtime_r(3)).
    package static var clockTime: String {
        var seconds = time_t(realtime / 1_000_000_000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "--:--:--" }
        return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }

    /// Nanoseconds of a clock that never goes backwards and stops while the machine sleeps (CLOCK_MONOTONIC).
    package static var monotonic: Int64 { clock(CLOCK_MONOTONIC) }

    private static func clock(_ id: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(id, &time)
        return FileTime(seconds: Int64(time.tv_sec), nanosecond: time.tv_nsec).clampedNanoseconds
    }

    /// The arguments after the program's name, as exact bytes from /proc/self/cmdline.
    package static var arguments: [BytePath] {
        guard let raw = contents(BytePath("/proc/self/cmdline"), limit: 1 << 22), raw.last == 0 else {
            return CommandLine.arguments.dropFirst().map { BytePath($0) }
        }
        return raw.dropLast().split(separator: 0, omittingEmptySubsequences: false).dropFirst().compactMap {
            BytePath($0)
        }
    }

    package static func sleep(nanoseconds: Int64) {
        usleep(UInt32(clamping: nanoseconds / 1000))
    }

    /// The value of an environment variable; `nil` if it is unset or empty.
    package static func environment(_ name: String) -> BytePath? {
        guard let value = getenv(name) else { return nil }
        let path = BytePath(cString: value)
        return path.isEmpty ? nil : path
    }

    package static func workingDirectory() throws(SystemError) -> BytePath {
        try allocated("getcwd") { getcwd(nil, 0) }
    }

    /// Whether there is a process with this ID, of any user (kill(2) with signal 0).
    package static func isRunning(_ process: Int32) -> Bool { kill(process, 0) == 0 || errno == EPERM }

    /// Changes the directory of the whole process (chdir(2)). Only before anything else runs.
    package static func changeWorkingDirectory(to path: BytePath) throws(SystemError) {
        _ = try retrying("chdir", path) { path.withCString { chdir($0) } }
    }

    /// The path without symbolic links, `.` and `..` (realpath(3)).
    package static func realPath(_ path: BytePath) throws(SystemError) -> BytePath {
        try allocated("realpath", path) { path.withCString { realpath($0, nil) } }
    }

    /// The path that a call allocates, which is freed.
    private static func allocated(
        _ operation: String, _ path: BytePath = .empty, _ call: () -> UnsafeMutablePointer<CChar>?
    ) throws(SystemError) -> BytePath {
        var found: UnsafeMutablePointer<CChar>?
        defer { free(found) }
        _ = try retrying(operation, path) {
            found = call()
            return found == nil ? -1 : 0
        }
        return found.map { BytePath(cString: $0) } ?? .empty
    }

    /// The status (stat(2)) of any path; `nil` if there is no such file.
    package static func status(_ path: BytePath, followsLinks: Bool = true) throws(SystemError) -> FileStatus? {
        var raw = Glibc.stat()
        do throws(SystemError) {
            _ = try retrying("stat", path) {
                path.withCString { fstatat(AT_FDCWD, $0, &raw, followsLinks ? 0 : AT_SYMLINK_NOFOLLOW) }
            }
            return FileStatus(raw)
        } catch  where error.isMissing {
            return nil
        }
    }

    /// The contents of a small file, at most `limit` bytes; `nil` if there is no such file.
    package static func readFile(_ path: BytePath, limit: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            let raw = try retrying("openat", path) {
                path.withCString { freshpyc_openat(AT_FDCWD, $0, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0) }
            }
            return try OwnedDescriptor(raw).readAll(expected: 4096, limit: limit, path: path)
        } catch  where error.isMissing {
            return nil
        }
    }

    /// Like `readFile`, but also `nil` if the file cannot be read: for optional information.
    package static func contents(_ path: BytePath, limit: Int = 1 << 20) -> [UInt8]? {
        (try? readFile(path, limit: limit)) ?? nil
    }

    /// Creates a directory; `false` if the name exists.
    package static func makeDirectory(_ path: BytePath, permissions: UInt32) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try retrying("mkdir", path) { path.withCString { mkdir($0, permissions) } }
            return true
        } catch  where error.alreadyExists {
            return false
        }
    }

    /// Creates a directory and its missing parents.
    package static func makeDirectories(_ path: BytePath) throws(SystemError) {
        guard try status(path) == nil else { return }
        if !path.parent.isEmpty { try makeDirectories(path.parent) }
        _ = try makeDirectory(path, permissions: 0o777)
    }

    /// Whether this process may execute the file.
    package static func isExecutable(_ path: BytePath) -> Bool {
        guard let status = try? status(path), status.kind == .regular else { return false }
        return (try? retrying("access", path) { path.withCString { access($0, X_OK) } }) != nil
    }

    package static var processIdentifier: Int32 { getpid() }

    /// Whether a process exists and has not exited (third field of /proc/PID/stat, proc(5)).
    package static func isAlive(_ process: Int32) -> Bool {
        guard let state = fieldsOfStat(process)?.first else { return false }
        return state != "Z" && state != "X"
    }

    /// Whether a process has exited, is exiting, or has been killed. Until it is gone, it holds its files and locks.
    package static func isEnding(_ process: Int32) -> Bool {
        guard isAlive(process), let fields = fieldsOfStat(process), fields.count > 6, let flags = UInt64(fields[6])
        else { return true }
        // PF_EXITING in the kernel's include/linux/sched.h.
        if flags & 0x4 != 0 { return true }
        guard let text = contents(BytePath("/proc/\(process)/status"), limit: 8192) else { return true }
        return text.split(separator: UInt8(ascii: "\n")).contains { line in
            // Signals that wait for the thread and for the process, in hexadecimal (proc(5)).
            guard line.starts(with: Array("SigPnd:".utf8)) || line.starts(with: Array("ShdPnd:".utf8)) else {
                return false
            }
            let mask = String(decoding: line.dropFirst(7), as: UTF8.self).filter { !$0.isWhitespace }
            return (UInt64(mask, radix: 16) ?? 0) & (1 << UInt64(SIGKILL - 1)) != 0
        }
    }

    /// Whether a process uses a processor. Takes a quarter of a second.
    package static func isComputing(_ process: Int32) -> Bool {
        func ticks() -> UInt64? {
            guard let fields = fieldsOfStat(process), fields.count > 12, let user = UInt64(fields[11]),
                let system = UInt64(fields[12])
            else { return nil }
            return user + system
        }
        guard let before = ticks() else { return false }
        sleep(nanoseconds: 250_000_000)
        // A tick is 10 ms. An idle process has none.
        return (ticks() ?? 0) > before + 1
    }

    /// The fields of /proc/PID/stat from the third on; the second, the name, can contain anything.
    private static func fieldsOfStat(_ process: Int32) -> [String]? {
        guard let text = contents(BytePath("/proc/\(process)/stat"), limit: 1024),
            let end = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        return text[(end + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Resident memory of this process in bytes.
    package static var residentMemory: Int { residentMemory(of: getpid()) }

    /// Resident memory of a process in bytes; 0 if it has exited.
    package static func residentMemory(of process: Int32) -> Int {
        guard let text = contents(BytePath("/proc/\(process)/statm"), limit: 256) else { return 0 }
        let pages = text.split(separator: UInt8(ascii: " ")).dropFirst().first
        return (pages.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    /// fs.inotify.max_user_watches, or 0 if it cannot be read.
    package static var watchLimit: Int {
        let text = contents(BytePath("/proc/sys/fs/inotify/max_user_watches"), limit: 64) ?? []
        return Int(String(decoding: text.prefix { $0 != 0x0A }, as: UTF8.self)) ?? 0
    }

    /// The path of the running executable.
    package static var executable: BytePath? { try? realPath(BytePath("/proc/self/exe")) }

    /// The environment at the start of this process, as `name=value`.
    package static var variables: [BytePath] {
        (contents(BytePath("/proc/self/environ"), limit: 1 << 22) ?? []).split(separator: 0).compactMap { BytePath($0) }
    }

    /// Returns freed memory to the kernel (malloc_trim(3)).
    package static func trimMemory() {
        freshpyc_trim_memory()
    }

    /// Reads all of standard input. Stops early if a read fails.
    package static func standardInput() -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try? retrying("read", BytePath("/dev/stdin")) { read(0, &buffer, buffer.count) }
            guard let count, count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Whether a descriptor is a terminal.
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Width of the terminal in columns; `nil` if the descriptor is not a terminal.
    package static func terminalColumns(_ descriptor: Int32) -> Int? {
        let columns = freshpyc_terminal_columns(descriptor)
        return columns > 0 ? Int(columns) : nil
    }

    /// Writes a whole text to standard output (1) or standard error (2). Waits if the reader is slow.
    ///
    /// - Throws: the error of the first `write` that failed; the rest was not written. EPIPE means that the reader
    ///   closed the pipe.
    package static func writeAll(_ text: String, to descriptor: Int32) throws(SystemError) {
        var text = text
        let failure = text.withUTF8 { utf8 -> SystemError? in
            var rest = UnsafeRawBufferPointer(utf8)
            while !rest.isEmpty {
                do throws(SystemError) {
                    let count = try retrying("write") { Glibc.write(descriptor, rest.baseAddress, rest.count) }
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } catch {
                    guard error.wouldBlock else { return error }
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = Glibc.poll(&poll, 1, -1)
                }
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Writes a message to standard error. Ignores failures, since there is nowhere to report them.
    package static func writeError(_ text: String) { try? writeAll(text, to: 2) }

    /// Exits without running destructors: everything that must be on disk is already there.
    package static func exit(_ status: Int32) -> Never { _exit(status) }

    /// Makes writes to a pipe without a reader fail with EPIPE, and writes beyond the file size limit with EFBIG,
    /// instead of killing the process with a signal (signal(7)).
    package static func ignoreWriteSignals() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }
}

extension Host {
    /// What uname(2) says of the machine.
    package struct Machine: Sendable {
        package let hardware: String
        package let release: String
        package let version: String
    }

    package static var machine: Machine {
        #if arch(x86_64)
            let hardware = "x86_64"
        #elseif arch(arm64)
            let hardware = "aarch64"
        #else
            let hardware = "unknown"
        #endif
        func value(_ name: String) -> String {
            let bytes = contents(BytePath("/proc/sys/kernel/\(name)"), limit: 1 << 12) ?? []
            return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        return Machine(hardware: hardware, release: value("osrelease"), version: value("version"))
    }
}
