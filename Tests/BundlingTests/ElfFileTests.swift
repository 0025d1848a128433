// ELF files: what they need, changed search paths, and bytes that are no ELF file.

import BasicTypes
import LinuxSystem
import Testing

@testable import Bundling

@Suite struct ElfFileTests {
    private func shell() throws -> [UInt8] {
        try #require(Host.contents(try Host.realPath(BytePath("/bin/sh")), limit: 1 << 24))
    }

    @Test func needsTheCLibrary() throws {
        let file = try #require(ElfFile(try shell()))
        #expect(file.needed.contains { $0.hasPrefix("libc.") })
    }

    /// The changed program still runs: the kernel and the dynamic linker are the oracle.
    @Test func searchPathIsChanged() throws {
        var file = try #require(ElfFile(try shell()))
        let needed = file.needed
        let isSet = file.setSearchPath("$ORIGIN/../lib/x")
        #expect(isSet)
        file.strip()
        let again = try #require(ElfFile(file.bytes))
        #expect(again.searchPaths == ["$ORIGIN/../lib/x"] && again.needed == needed)
        let place = BytePath("/tmp/freshpyc-elf-\(Host.processIdentifier)")
        defer { _ = try? Directory(path: BytePath("/tmp")).removeFile(BytePath.empty.appending(place.lastComponent)) }
        try FileReplacement(BytePath.empty.appending(place.lastComponent), in: Directory(path: BytePath("/tmp")))
            .write(file.bytes, .init(permissions: 0o755))
        let answer = try ProcessExchange(
            place, arguments: ["-c", "echo right"].map { BytePath($0) }, environment: [], input: [],
            deadline: 10_000_000_000
        ).run()
        #expect(answer.output == Array("right\n".utf8) && answer.ending == .status(0))
        var absolute = try #require(ElfFile(try shell()))
        let isAbsoluteSet = absolute.setSearchPath("/home/somebody/lib")
        #expect(isAbsoluteSet)
        absolute.removeAbsoluteSearchPaths()
        #expect(try #require(ElfFile(absolute.bytes)).searchPaths.isEmpty)
    }

    @Test func damagedFilesAreRefusedOrRead() throws {
        let bytes = try shell()
        for count in stride(from: 0, to: 1200, by: 7) { #expect(ElfFile(Array(bytes[..<count])) == nil || count > 64) }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var copy = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                copy[Int.random(in: 0..<1024, using: &random)] = .random(in: 0...255, using: &random)
            }
            guard var file = ElfFile(copy) else { continue }
            file.removeAbsoluteSearchPaths()
            _ = file.setSearchPath("$ORIGIN/lib")
            file.strip()
        }
        #expect(ElfFile(Array("#!/bin/sh\n".utf8)) == nil)
    }
}
