import BasicTypes
import Testing

@testable import FileWatching

@Suite struct MountTableTests {
    private let table = MountTable(
        mountinfo: Array(
            """
            22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
            23 22 0:40 / /srv/with\\040space rw - nfs4 server:/x rw
            24 22 0:41 / /home/me/share rw,nosuid shared:1 master:2 - fuse.sshfs me@host: rw
            25 24 0:42 / /home/me/share/local rw - tmpfs none rw
            26 22 0:43 / /mnt rw - 9p host rw
            broken line
            27 26 0:44 / /mnt rw - ext4 /dev/vdb rw
            """.utf8))

    @Test(arguments: [
        ("/", nil), ("/srv/with space/a", "nfs4"), ("/srv/with", nil), ("/home/me/share/x", "fuse.sshfs"),
        ("/home/me/share/local/x", nil), ("/mnt/x", nil), ("/home/me/shared", nil),
    ])
    func silentTypes(_ path: String, _ type: String?) { #expect(table.silentType(BytePath(path)) == type) }

    @Test func silentMountsBelow() {
        #expect(table.silentMounts(below: BytePath("/home/me")).map(\.path) == [BytePath("/home/me/share")])
    }
}
