// An installed distribution: what its `.dist-info` directory says (Recording installed projects; Core metadata specifications).
// Reads text. Knows no file system.

import BasicTypes

/// A requirement of a distribution: `requests[socks] >= 2; python_version < "3.9"`.
struct Requirement: Hashable, Sendable {
    /// Normalized.
    let name: String
    let extras: [String]
    /// Empty if there is none.
    let marker: String

    init?(_ text: some StringProtocol) {
        let (requirement, marker) = text.splitOnce(at: ";")
        let body = requirement.drop { $0.isWhitespace }
        let name = body.prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) }
        guard !name.isEmpty else { return nil }
        let rest = body.dropFirst(name.count).drop { $0.isWhitespace }
        var extras: [String] = []
        if rest.first == "[", let end = rest.firstIndex(of: "]") {
            extras = rest[rest.index(after: rest.startIndex)..<end].split(separator: ",").map {
                Distribution.normalized(String($0.filter { !$0.isWhitespace }))
            }
        }
        self.name = Distribution.normalized(String(name))
        self.extras = extras
        self.marker = marker.map { String($0) } ?? ""
    }
}

/// What `entry_points.txt` defines.
struct EntryPoint: Hashable, Sendable {
    let group: String
    let name: String
    /// `module` or `module:object`.
    let target: String

    /// Entry points in the order of the file, which has the form of an INI file.
    static func parse(_ text: String) -> [EntryPoint] {
        var group = ""
        var found: [EntryPoint] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmed
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("[") {
                group = String(line.dropFirst().prefix { $0 != "]" })
                continue
            }
            let (name, target) = line.splitOnce(at: "=")
            // Extras after the object have no meaning any more: `console = mypackage:main [all]`.
            guard let target = target?.prefix(while: { $0 != "[" }) else { continue }
            found.append(EntryPoint(group: group, name: String(name.trimmed), target: String(target.trimmed)))
        }
        return found
    }
}

/// One installed distribution.
struct Distribution: Hashable, Sendable {
    /// As it calls itself.
    let name: String
    let version: String
    /// The directory that its files are relative to.
    let folder: BytePath
    /// `django-5.1.dist-info`
    let metadataFolder: String
    /// Relative paths, as RECORD lists them.
    let files: [String]
    let requirements: [Requirement]
    let entryPoints: [EntryPoint]
    let license: String?
    /// Where an editable installation has its sources: directories for `sys.path`.
    var editableFolders: [BytePath] = []

    /// The name by which distributions refer to each other (PEP 503).
    static func normalized(_ name: String) -> String {
        var result = ""
        var isSeparator = false
        for character in name.lowercased() {
            if "-_.".contains(character) {
                isSeparator = !result.isEmpty
            } else {
                if isSeparator { result.append("-") }
                isSeparator = false
                result.append(character)
            }
        }
        return result
    }

    var normalizedName: String { Self.normalized(name) }

    /// - Parameters:
    ///   - metadata: the text of `METADATA`.
    ///   - record: the text of `RECORD`; `nil` if the installer wrote none.
    /// - Returns: `nil` if the metadata has no name.
    init?(
        folder: BytePath, metadataFolder: String, metadata: String, record: String?, entryPoints: String?
    ) {
        var name: Substring?
        var version: Substring = ""
        var license: String?
        var requirements: [Requirement] = []
        // Headers end at the first empty line; the description follows.
        for line in metadata.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.isEmpty { break }
            guard line.first?.isWhitespace == false else { continue }
            let (key, value) = line.splitOnce(at: ":")
            guard let value = value?.trimmed else { continue }
            switch key.lowercased() {
            case "name": name = name ?? value
            case "version": version = value
            case "license-expression": license = String(value)
            case "license": license = license ?? String(value)
            case "requires-dist": if let requirement = Requirement(value) { requirements.append(requirement) }
            default: break
            }
        }
        guard let name else { return nil }
        self.name = String(name)
        self.version = String(version)
        self.folder = folder
        self.metadataFolder = metadataFolder
        self.license = license.flatMap { $0.isEmpty || $0 == "UNKNOWN" ? nil : $0 }
        self.requirements = requirements
        self.entryPoints = entryPoints.map { EntryPoint.parse($0) } ?? []
        files = record.map { Self.paths(ofRecord: $0) } ?? []
    }

    /// The first field of each line. It is quoted if it contains a comma or a quote.
    private static func paths(ofRecord text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
            if line.first == UInt8(ascii: "\"") {
                var field: [UInt8] = []
                var rest = line.dropFirst()
                while let byte = rest.popFirst() {
                    if byte == UInt8(ascii: "\"") {
                        guard rest.first == byte else { break }
                        rest.removeFirst()
                    }
                    field.append(byte)
                }
                return String(validating: field, as: UTF8.self)
            }
            let field = line.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\r") }
            return field.isEmpty ? nil : String(Substring(field))
        }
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: SubSequence {
        let start = drop { $0.isWhitespace }
        var end = start.endIndex
        while end > start.startIndex, self[index(before: end)].isWhitespace { end = index(before: end) }
        return start[..<end]
    }

    /// What is before the first separator, and after it; all and `nil` if there is none.
    func splitOnce(at separator: Character) -> (SubSequence, SubSequence?) {
        guard let place = firstIndex(of: separator) else { return (self[...], nil) }
        return (self[..<place], self[index(after: place)...])
    }
}
