// The program at the beginning of an executable bundle (Sources/freshpyc-launcher), and what it is told about Pythons.

import Archive
import BasicTypes
import BuildModel
import LinuxSystem

struct BundleLauncher: Sendable {
    private static let mark = Array("@freshpyc-launcher-configuration@\n".utf8)
    /// As in main.c.
    private static let configurationSize = 4096
    private static let largest = 1 << 20

    private let program: [UInt8]

    /// The launcher that is installed beside freshpyc.
    static func installed() throws(BundleError) -> BundleLauncher {
        let folder = Host.executable?.parent ?? .empty
        let place = folder.appending("freshpyc-launcher")
        let program: [UInt8]?
        do throws(SystemError) {
            program = try Host.readFile(place, limit: largest)
        } catch {
            throw BundleError("cannot read \(place): \(error.reason); install freshpyc-launcher beside freshpyc")
        }
        guard let program, program.firstRange(of: mark) != nil else {
            throw BundleError("there is no launcher at \(place); install freshpyc-launcher beside freshpyc")
        }
        return BundleLauncher(program: program)
    }

    /// Whether a file begins with a launcher.
    static func begins(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) && bytes.prefix(1 << 17).firstRange(of: mark) != nil
    }

    /// The program, told which Pythons to start.
    ///
    /// - Parameters:
    ///   - command: what the user gave for `#!`: an absolute path, or `/usr/bin/env` and a command.
    ///   - runsOnOthers: whether any other Python 3 can run the bundle.
    func configured(_ command: String, for interpreters: [Interpreter], runsOnOthers: Bool) throws(BundleError)
        -> [UInt8]
    {
        let words = command.split(separator: " ")
        var lines: [String] = []
        if words.first?.hasSuffix("/env") == true, let name = words.dropFirst().first {
            if name != "python3" { lines.append("name \(name)") }
        } else {
            lines.append("path \(command)")
        }
        let names = interpreters.map { interpreter in
            let series = interpreter.version.split(separator: ".").prefix(2).joined(separator: ".")
            return (interpreter.implementation == "pypy" ? "pypy" : "python") + series
        }
        lines += names.map { "name \($0)" }
        if runsOnOthers { lines.append("name python3") }
        let needs = names.map { $0.replacing("python", with: "Python ").replacing("pypy", with: "PyPy ") }
        lines.append("need " + needs.joined(separator: " or "))
        guard let copy = configured(lines) else {
            throw BundleError("the interpreters do not fit into the launcher; name fewer with --python")
        }
        return copy
    }

    /// The program, told where the interpreter is in its own file.
    ///
    /// - Parameter runtime: the place and size of the table of files, the directory's name, the interpreter in it.
    func configured(_ runtime: String) -> [UInt8]? { configured(["runtime \(runtime)"]) }

    private func configured(_ lines: [String]) -> [UInt8]? {
        guard let place = program.firstRange(of: Self.mark)?.lowerBound,
            place + Self.configurationSize <= program.count
        else { return nil }
        let told = lines.map { $0 + "\n" }.joined()
        let crc = Self.checksum(of: program, place, told: told)
        let text = Self.mark + Array("\(told)check \(program.count) \(Hexadecimal.text(crc, digits: 8))\n".utf8)
        guard text.count < Self.configurationSize else { return nil }
        let rest = [UInt8](repeating: 0, count: Self.configurationSize - text.count)
        var copy = program
        copy.replaceSubrange(place..<place + Self.configurationSize, with: text + rest)
        return copy
    }

    /// That of the program without its configuration, and of the lines of that.
    private static func checksum(of program: [UInt8], _ place: Int, told: String) -> UInt32 {
        CRC32.of(Array(program[..<place]) + Array(told.utf8) + Array(program[(place + configurationSize)...]))
    }

    /// What the launcher at the beginning of a file was told, if it is undamaged.
    ///
    /// - Returns: the lines; `nil` if it is damaged.
    static func lines(in bytes: [UInt8]) -> [String]? {
        guard let place = bytes.prefix(1 << 17).firstRange(of: mark)?.lowerBound,
            place + configurationSize <= bytes.count
        else { return nil }
        let text = bytes[(place + mark.count)..<place + configurationSize].prefix { $0 != 0 }
        var lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        guard let words = lines.popLast()?.split(separator: " "), words.count == 3, words[0] == "check",
            let size = Int(words[1]), let crc = UInt32(words[2], radix: 16), place + configurationSize <= size,
            size <= bytes.count,
            checksum(of: Array(bytes[..<size]), place, told: lines.map { $0 + "\n" }.joined()) == crc
        else { return nil }
        return lines
    }
}
