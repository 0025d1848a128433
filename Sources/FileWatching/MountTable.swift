// Finds file systems that send no events, from /proc/self/mountinfo (proc(5)).

import BasicTypes

/// The mounts of this process.
package struct MountTable: Sendable {
    package struct Mount: Hashable, Sendable {
        package let path: BytePath
        package let type: String
    }

    package let mounts: [Mount]

    /// File systems where files can change without this kernel: network and shared directories. FUSE is handled
    /// separately: its server may change files at will.
    private static let silent: Set<String> = [
        "9p", "afs", "ceph", "cifs", "coda", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "smb3", "smbfs",
        "vboxsf", "virtiofs", "vmhgfs",
    ]

    package init(mountinfo: [UInt8]) {
        mounts = mountinfo.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            // `36 35 98:0 /root /mount options … - type source options`
            guard fields.count > 6, let dash = fields.firstIndex(where: { $0.elementsEqual([0x2D]) }),
                dash + 1 < fields.count,
                let path = BytePath(Self.unescaped(fields[4]))
            else { return nil }
            return Mount(path: path, type: String(decoding: fields[dash + 1], as: UTF8.self))
        }
    }

    /// Space, tab, newline and backslash are escaped as three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
                bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 - 0x30) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// The type of the file system that contains a directory, if it sends no events; otherwise `nil`. Of several mounts
    /// at one path, the last is on top.
    package func silentType(_ directory: BytePath) -> String? {
        var best: Mount?
        for mount in mounts where directory.isWithin(mount.path) {
            if best.map({ mount.path.count >= $0.path.count }) ?? true { best = mount }
        }
        guard let type = best?.type, Self.silent.contains(type) || type == "fuse" || type.hasPrefix("fuse.") else {
            return nil
        }
        return type
    }

    /// Mounts below a directory (not at it) that send no events.
    package func silentMounts(below directory: BytePath) -> [Mount] {
        mounts.filter { $0.path != directory && $0.path.isWithin(directory) && silentType($0.path) != nil }
    }
}
