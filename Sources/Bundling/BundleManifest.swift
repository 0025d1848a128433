// What is in a bundle, for other programs: a manifest, and a bill of materials in the form of CycloneDX. Both depend on the
// bundle alone: no time, no machine.

import BasicTypes
import BuildModel

/// Written by `--manifest`; config/bundle-manifest.schema.json describes it.
package struct BundleManifest: Encodable, Sendable {
    struct File: Encodable, Sendable {
        let path: String
        let sha256: String
        let bytes: Int
        let reason: String
        let distribution: String?
    }

    struct Package: Encodable, Sendable {
        let name: String
        let version: String
        let license: String?
        let reason: String
        let requires: [String]
    }

    struct Python: Encodable, Sendable {
        let name: String
        let cacheTag: String
        let magic: UInt32
    }

    /// What the interpreter in the bundle consists of.
    struct Runtime: Encodable, Sendable {
        let program: String
        let sha256: String
        let files: Int
        let standardLibrary: [String]
        let sharedLibraries: [String]
    }

    let schema = 1
    let program: String?
    let runtime: Runtime?
    let interpreters: [Python]
    let distributions: [Package]
    let files: [File]

    /// - Parameter contents: of each file of the plan.
    init(_ plan: BundlePlan, contents: [[UInt8]], runtime: RuntimeContents?, interpreters: [Interpreter]) {
        self.runtime = plan.runtime.map {
            Runtime(
                program: $0.program, sha256: runtime?.programHash ?? "", files: $0.fileCount,
                standardLibrary: $0.modules, sharedLibraries: $0.libraries)
        }
        program =
            switch plan.program {
            case .script(let path): path
            case .module(let name): "-m \(name)"
            case .call(let module, let function): "\(module):\(function)"
            case .none: nil
            }
        self.interpreters = interpreters.map { Python(name: $0.name, cacheTag: $0.cacheTag, magic: $0.magic) }
        distributions = plan.distributions.map {
            Package(
                name: $0.name, version: $0.version, license: $0.license, reason: $0.reason,
                requires: $0.requirements.sorted())
        }
        files = zip(plan.files, contents).map { file, contents in
            File(
                path: file.path, sha256: contents.withUnsafeBytes { SHA256.hexadecimal($0) }, bytes: contents.count,
                reason: file.reason.text, distribution: file.distribution)
        }
    }
}

/// A bill of materials (CycloneDX 1.5, https://cyclonedx.org/docs/1.5/json/).
package struct BillOfMaterials: Encodable, Sendable {
    struct Component: Encodable, Sendable {
        var type = "library"
        let bomRef: String
        let name: String
        let version: String
        let purl: String
        let licenses: [LicenseChoice]?
        let hashes: [Hash]

        enum CodingKeys: String, CodingKey {
            case type, name, version, purl, licenses, hashes
            case bomRef = "bom-ref"
        }
    }

    struct LicenseChoice: Encodable, Sendable {
        struct License: Encodable, Sendable { let name: String }
        let license: License
    }

    struct Hash: Encodable, Sendable {
        let alg = "SHA-256"
        let content: String
    }

    struct Dependency: Encodable, Sendable {
        let ref: String
        let dependsOn: [String]
    }

    let bomFormat = "CycloneDX"
    let specVersion = "1.5"
    let version = 1
    let components: [Component]
    let dependencies: [Dependency]

    /// The hash of a component is that of the list of its files in the bundle: `sha256  path`, one a line, sorted by path.
    package init(_ manifest: BundleManifest) {
        let versions = Dictionary(
            manifest.distributions.map { (Distribution.normalized($0.name), $0.version) },
            uniquingKeysWith: { one, _ in one })
        func reference(_ name: String) -> String {
            let name = Distribution.normalized(name)
            return "pkg:pypi/\(name)@\(versions[name] ?? "")"
        }
        let platform = manifest.runtime.flatMap { runtime in
            manifest.interpreters.first.map { python in
                let version = String(python.name.split(separator: " ").last ?? "")
                return Component(
                    type: "platform", bomRef: "pkg:generic/cpython@\(version)", name: "cpython", version: version,
                    purl: "pkg:generic/cpython@\(version)", licenses: nil, hashes: [Hash(content: runtime.sha256)])
            }
        }
        components =
            [platform].compactMap { $0 }
            + manifest.distributions.map { package in
                let list = manifest.files.filter { $0.distribution == package.name }.map {
                    "\($0.sha256)  \($0.path)\n"
                }
                let hash = Array(list.joined().utf8).withUnsafeBytes { SHA256.hexadecimal($0) }
                return Component(
                    bomRef: reference(package.name), name: package.name, version: package.version,
                    purl: reference(package.name),
                    licenses: package.license.map { [LicenseChoice(license: .init(name: $0.shortened))] },
                    hashes: [Hash(content: hash)])
            }
        dependencies = manifest.distributions.map { package in
            Dependency(
                ref: reference(package.name),
                dependsOn: Set(package.requires.filter { versions[$0] != nil }.map(reference)).sorted())
        }
    }
}

extension String {
    /// Some distributions have the whole text of their license in this field.
    fileprivate var shortened: String {
        split(whereSeparator: \.isNewline).first.map { String($0.prefix(120)) } ?? self
    }
}
