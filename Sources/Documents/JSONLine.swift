// Documents as text: one JSON object per line, or indented for people.

import FoundationEssentials

/// JSON, one object per line.
package enum JSONLine {
    package static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and whole numbers always encode, and no number here is infinite.
        guard let data = try? encoder.encode(value) else { return "{}\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// On several lines, for files that people read and compare.
    package static func encodeForPeople(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        guard let data = try? encoder.encode(value) else { return "{}\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    package static func decode<Value: Decodable>(_: Value.Type, _ bytes: some Sequence<UInt8>) -> Value? {
        try? JSONDecoder().decode(Value.self, from: Data(bytes))
    }
}
