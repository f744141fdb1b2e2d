import Configuration
import TOMLKit

/// TOML in both directions.
enum TOML {
    static func json(of text: String) throws -> String {
        do {
            return try TOMLTable(string: text).convert(to: .json)
        } catch let error as TOMLParseError {
            let place = error.source.begin
            throw Refusal("\(error.description) at line \(place.line), column \(place.column)")
        }
    }

    static func text(of value: JSONValue) throws -> String {
        guard case .object(let members) = value else {
            throw Refusal("TOML holds an object at the top, not \(value.kind); put it under 'apps'")
        }
        return table(members).convert(to: .toml) + "\n"
    }

    private static func table(_ members: [String: JSONValue]) -> TOMLTable {
        let table = TOMLTable()
        for (key, value) in members {
            // TOML has no null: what is not there is not set.
            if let value = convertible(value) { table[key] = value }
        }
        return table
    }

    private static func convertible(_ value: JSONValue) -> (any TOMLValueConvertible)? {
        switch value {
        case .null: nil
        case .bool(let flag): flag
        case .integer(let number): Int(number)
        case .number(let number): number
        case .string(let text): text
        case .array(let values): TOMLArray(values.compactMap(convertible))
        case .object(let members): table(members)
        }
    }
}
