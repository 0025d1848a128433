// `CACHEDIR.TAG`: tells backup programs to skip a directory (https://bford.info/cachedir/).

import BasicTypes
import LinuxSystem

enum CacheDirectoryTag {
    private static let name = BytePath("CACHEDIR.TAG")
    private static let contents = """
        Signature: 8a477f597d28d172789f06886806bc55
        # This directory is a cache made by freshpyc; see https://bford.info/cachedir/

        """

    /// Writes the tag if there is none.
    static func write(in directory: Directory, permissions: UInt32) throws(SystemError) {
        try directory.writeIfMissing(name, contents, permissions: permissions)
    }
}

extension Directory {
    /// Writes a small file if it does not exist. Several processes may do so at once.
    func writeIfMissing(_ name: BytePath, _ text: String, permissions: UInt32) throws(SystemError) {
        guard try status(name, followsLinks: false) == nil else { return }
        try FileReplacement(name, in: self, temporary: .fixed(BytePath("\(name).tmp"))).write(
            Array(text.utf8), FileReplacement.Options(permissions: permissions))
    }
}
