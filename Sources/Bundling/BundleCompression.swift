// Compresses the files of a bundle, with the zlib of an interpreter: what Python decompresses, its own zlib can have made.

import BuildModel
import Interpreters
import LinuxSystem

enum BundleCompression {
    /// How much one process compresses, in bytes: its time is limited.
    private static let portion = 8 << 20

    /// Compresses the files of a bundle that become smaller by it.
    static func apply(to files: inout [BundleContents], by interpreter: Interpreter) throws(BundleError) {
        var places: [(file: Int, interpreter: Int?)] = []
        for (index, file) in files.enumerated() {
            places.append((index, nil))
            for number in file.bytecode.indices where file.bytecode[number] != nil { places.append((index, number)) }
        }
        let contents = places.map { place in
            place.interpreter.flatMap { files[place.file].bytecode[$0]?.bytes } ?? files[place.file].bytes
        }
        for (place, bytes) in zip(places, try deflated(contents, by: interpreter)) {
            guard let bytes else { continue }
            if let number = place.interpreter {
                files[place.file].bytecode[number]?.deflated = bytes
            } else {
                files[place.file].deflated = bytes
            }
        }
    }

    /// - Returns: for each of the contents, those that become smaller.
    static func deflated(_ contents: [[UInt8]], by interpreter: Interpreter) throws(BundleError) -> [[UInt8]?] {
        var portions: [Range<Int>] = []
        var (start, size) = (0, 0)
        for (index, item) in contents.enumerated() {
            size += item.count
            guard size >= portion || index + 1 == contents.count else { continue }
            portions.append(start..<index + 1)
            (start, size) = (index + 1, 0)
        }
        let answers = ParallelSlices.map(portions, sliceSize: 1, scratch: {}) { range, _ in
            Result { () throws(InterpreterError) in
                try InterpreterQuestions.deflated(Array(contents[range]), by: interpreter)
            }
        }
        var found: [[UInt8]?] = []
        for (range, answer) in zip(portions, answers) {
            let deflated = try checked(answer, by: interpreter)
            found += zip(range, deflated).map { $1.count < contents[$0].count ? $1 : nil }
        }
        return found
    }

    /// One file, compressed whole.
    static func whole(_ bytes: [UInt8], by interpreter: Interpreter) throws(BundleError) -> [UInt8] {
        let answer = Result { () throws(InterpreterError) in
            try InterpreterQuestions.deflated([bytes], by: interpreter)
        }
        return try checked(answer, by: interpreter).first ?? []
    }

    private static func checked(
        _ answer: Result<[[UInt8]]?, InterpreterError>, by interpreter: Interpreter
    ) throws(BundleError) -> [[UInt8]] {
        do throws(InterpreterError) {
            if let deflated = try answer.get() { return deflated }
            throw .notPython(interpreter.path, reason: "it has no zlib")
        } catch {
            throw BundleError("cannot compress: \(error.message)")
        }
    }
}
