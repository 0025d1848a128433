import BasicTypes
import LinuxSystem
import Testing

@testable import CommandLineInterface

@Suite struct PythonTextTests {
    @Test(arguments: [
        ("1", 1), (" -1\n", -1), ("+1_0", 10), ("99999999999999999999", Int.max), ("-99999999999999999999", -Int.max),
        ("", nil), ("-", nil), ("_1", nil), ("1__0", nil), ("1.0", nil), ("0x1", nil),
    ])
    func integers(_ text: String, _ number: Int?) {
        #expect(PythonText.integer(text) == number)
    }

    @Test(arguments: [
        ("a", "'a'"), ("it's", "\"it's\""), ("'\"", "'\\'\"'"), ("a\nb\\", "'a\\nb\\\\'"),
        ("é\u{7F}\u{200B}", "'é\\x7f\\u200b'"),
    ])
    func representations(_ text: String, _ shown: String) {
        #expect(PythonText.repr(BytePath(text)) == shown)
    }

    @Test func bytesThatAreNoText() throws {
        let path = try #require(BytePath([0x61, 0xFF, 0xC3, 0xA9]))
        #expect(PythonText.repr(path) == "'a\\udcffé'")
        #expect(PythonText.shown(path) == "a\\udcffé")
    }

    @Test(arguments: [
        (2, "FileNotFoundError: [Errno 2] No such file or directory: 'x'"),
        (13, "PermissionError: [Errno 13] Permission denied: 'x'"),
        (17, "FileExistsError: [Errno 17] File exists: 'x'"),
        (20, "NotADirectoryError: [Errno 20] Not a directory: 'x'"),
        (21, "IsADirectoryError: [Errno 21] Is a directory: 'x'"),
        (28, "OSError: [Errno 28] No space left on device: 'x'"),
    ])
    func exceptions(_ code: Int32, _ text: String) {
        #expect(PythonException(SystemError("open", code: code), BytePath("x")).description == text)
    }
}
