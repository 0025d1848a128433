import BasicTypes
import BuildModel
import Testing

@testable import Bundling

@Suite struct DistributionTests {
    private static let interpreter = Interpreter(
        path: BytePath("/usr/bin/python3"),
        executable: Stamp(
            device: 0, inode: 0, size: 0, modified: FileTime(nanoseconds: 0), changed: FileTime(nanoseconds: 0)),
        version: "3.10.4", implementation: "cpython", cacheTag: "cpython-310", magic: 0, layout: .flagged,
        sourceHash: nil)

    @Test(
        arguments: [
            ("python_version >= '3.8'", "", true), ("python_version < \"3.10\"", "", false),
            ("python_version>='3.7' and python_version<'3.11'", "", true), ("python_full_version < '3.10.5'", "", true),
            ("'3.9' <= python_version", "", true), ("'3.11' <= python_version", "", false),
            ("python_version == '3.10'", "", true), ("python_version ~= '3.9'", "", true),
            ("python_full_version < '3.11.0a6'", "", true), ("python_version in '3.9, 3.10'", "", true),
            ("python_version not in '2.7'", "", true), ("sys_platform == 'win32'", "", false),
            ("sys_platform == 'linux' or os_name == 'nt'", "", true), ("platform_system != 'Windows'", "", true),
            ("platform_python_implementation == 'CPython'", "", true), ("implementation_name == 'pypy'", "", false),
            ("extra == 'socks'", "", false), ("extra == 'socks'", "socks", true),
            ("extra == 'all_things'", "all-things", true),
            ("(python_version < '3.9' or extra == 'x') and sys_platform == 'linux'", "x", true),
            ("(python_version < '3.9' or extra == 'x') and sys_platform == 'linux'", "", false),
            // What is no marker holds.
            ("nonsense >", "", true), ("python_version >= '3.8", "", true), ("(", "", true),
        ] as [(String, String, Bool)])
    func markers(_ marker: String, _ extra: String, _ expected: Bool) {
        #expect(EnvironmentMarker.holds(marker, extra: extra, MarkerEnvironment(Self.interpreter)) == expected)
    }

    @Test(
        arguments: [
            ("requests", "requests", [], ""), ("Zope.Interface>=5", "zope-interface", [], ""),
            (
                "requests [socks, Use_Chardet] >=2 ; python_version < '3'", "requests", ["socks", "use-chardet"],
                " python_version < '3'"
            ),
            ("pip @ https://example.org/pip.zip", "pip", [], ""), ("a_b (>=1.0)", "a-b", [], ""),
        ] as [(String, String, [String], String)])
    func requirements(_ text: String, _ name: String, _ extras: [String], _ marker: String) {
        let requirement = Requirement(text)
        #expect(requirement?.name == name && requirement?.extras == extras && requirement?.marker == marker)
    }

    @Test func metadata() throws {
        let distribution = try #require(
            Distribution(
                folder: BytePath("/site"), metadataFolder: "x-1.dist-info",
                metadata: "Metadata-Version: 2.1\nName: My.Dist\nVersion: 1.2\nLicense: UNKNOWN\nRequires-Dist: six\n"
                    + "Requires-Dist: yaml ; extra == 'y'\n\nName: not a header\n",
                record: "x/__init__.py,sha256=abc,10\r\n\"odd,\"\"name.py\",,\nx-1.dist-info/RECORD,,\n",
                entryPoints: "[console_scripts]\nmine = x.cli:main [extra]\n# no\n[other]\na=b\n"))
        #expect(
            distribution.normalizedName == "my-dist" && distribution.version == "1.2" && distribution.license == nil)
        #expect(distribution.requirements.map(\.name) == ["six", "yaml"])
        #expect(distribution.files == ["x/__init__.py", "odd,\"name.py", "x-1.dist-info/RECORD"])
        #expect(distribution.entryPoints.map(\.target) == ["x.cli:main", "b"])
        #expect(
            Distribution(folder: .empty, metadataFolder: "x", metadata: "", record: nil, entryPoints: nil) == nil)
    }

    @Test func theFinderOfAnEditableInstallation() {
        let finder =
            "import x\nMAPPING: dict[str, str] = {'shop': '/home/ann/shop/src/shop', 'util': '/home/ann/util'}\n"
        #expect(
            InstalledDistributions.mappedFolders(inFinder: finder).map(\.description) == [
                "/home/ann/shop/src", "/home/ann",
            ])
    }

    @Test(arguments: [
        ("x.cpython-310-x86_64-linux-gnu.so", true), ("x.cpython-311-x86_64-linux-gnu.so", false), ("x.abi3.so", true),
        ("x.so", true), ("x.cpython-31-x86_64-linux-gnu.so", false), ("x.pypy310-pp73-x86_64-linux-gnu.so", false),
        ("libfoo.so.1", true), ("a/x.cpython-310d-x86_64-linux-gnu.so", true),
    ])
    func extensionModules(_ name: String, _ fits: Bool) { #expect(BundleFile.fits(name, Self.interpreter) == fits) }

    @Test(
        arguments: [
            ("a/b/c", "a.b.c", false), ("a/__init__", "a", true), ("__init__", "__init__", false),
            ("my-tool", "my-tool", false),
        ] as [(String, String, Bool)])
    func moduleNames(_ stem: String, _ name: String, _ isPackage: Bool) {
        let module = BundleFile.module(stem[...])
        #expect(module?.name == name && module?.isPackage == isPackage)
    }

    /// As `marshal.dumps` writes them, which CPython's own tests load.
    @Test func indexValues() {
        var writer = IndexWriter()
        writer.tuple(count: 3)
        writer.number(1)
        writer.number(1 << 31)
        writer.text("\u{E4}")
        #expect(
            writer.bytes == [
                0x28, 3, 0, 0, 0, 0x69, 1, 0, 0, 0, 0x6C, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0x75, 2, 0, 0, 0, 0xC3, 0xA4,
            ])
    }
}
