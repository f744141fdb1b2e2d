import DisplayText

/// The content of `module_conf.json`: sections of apps and modules with settings that are strings.
package struct ModuleConfiguration: Hashable, Sendable {
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    package private(set) var root: OrderedObject

    package init(_ root: OrderedObject = OrderedObject()) { self.root = root }

    // MARK: - Values

    package func value(_ key: ConfigurationKey) -> OrderedJSON? {
        var value = OrderedJSON.object(root)
        for segment in key.segments {
            guard let next = value.object?[segment] else { return nil }
            value = next
        }
        return value
    }

    /// The section of an app: its members become variables when the app is started or restarted by name.
    package func section(_ name: String) -> OrderedObject? { root[name]?.object }

    /// Stores a string; sections on the way are made.
    package mutating func set(_ key: ConfigurationKey, to value: String) throws(Failure) {
        root = try Self.setting(.string(value), at: key.segments[...], in: root, key)
    }

    private static func setting(
        _ value: OrderedJSON, at path: ArraySlice<String>, in object: OrderedObject, _ key: ConfigurationKey
    ) throws(Failure) -> OrderedObject {
        guard let segment = path.first else { return object }
        var object = object
        if path.count == 1 {
            object[segment] = value
            return object
        }
        let inner: OrderedObject
        switch object[segment] {
        case nil, .null: inner = OrderedObject()
        case .object(let existing): inner = existing
        case .some(let existing):
            // PM2 says that it stored the value, and stores nothing.
            throw Failure("'\(segment)' has the value \(existing.quoted), so '\(key.rest)' can't be set below it")
        }
        object[segment] = .object(try setting(value, at: path.dropFirst(), in: inner, key))
        return object
    }

    /// `k1 v1 k2 v2`: words are separated by blanks, double quotes keep one together.
    package mutating func setMany(_ text: String) throws(Failure) {
        let words = try Self.words(text)
        guard !words.isEmpty, words.count.isMultiple(of: 2) else {
            throw Failure("a key and a value are expected, then the next; there are \(words.count) words")
        }
        var changed = self
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            try changed.set(try ConfigurationKey(words[index]), to: words[index + 1])
        }
        self = changed
    }

    private static func words(_ text: String) throws(Failure) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        var hasBegun = false
        for character in text {
            if character == "\"" {
                isQuoted.toggle()
                hasBegun = true
            } else if character.isWhitespace, !isQuoted {
                if hasBegun { words.append(word) }
                word = ""
                hasBegun = false
            } else {
                word.append(character)
                hasBegun = true
            }
        }
        guard !isQuoted else { throw Failure("quotes are never closed in '\(text)'") }
        if hasBegun { words.append(word) }
        return words
    }

    /// Removes a key; one that is not there is fine. `all` removes everything.
    package mutating func unset(_ text: String) throws(Failure) {
        if text == "all" {
            root = OrderedObject()
        } else {
            root = Self.removing(try ConfigurationKey(text).segments[...], from: root)
        }
    }

    private static func removing(_ path: ArraySlice<String>, from object: OrderedObject) -> OrderedObject {
        guard let segment = path.first else { return object }
        var object = object
        if path.count == 1 {
            object[segment] = nil
        } else if let inner = object[segment]?.object {
            object[segment] = .object(removing(path.dropFirst(), from: inner))
        }
        return object
    }

    // MARK: - Texts

    /// Lines to copy and paste, for one section or all of them. Values outside sections are not shown.
    package func lines(section: String? = nil, _ screen: Screen) -> [String] {
        var lines: [String] = []
        for member in root.members where section == nil || member.key == section {
            guard let object = member.value.object else { continue }
            lines.append(
                screen.paint("Module: ", .bold)
                    + screen.paint(DisplayText.escape(member.key, unicode: true), .bold, .blue))
            for setting in object.members {
                let value = setting.value.scalarText ?? setting.value.compactText
                lines.append(DisplayText.escape("$ pm2 set \(member.key):\(setting.key) \(value)", unicode: true))
            }
        }
        return lines
    }

    /// What `get` prints; nil for a key that is not there (PM2 prints nothing then, and exits with 1).
    package func answer(to key: ConfigurationKey, _ screen: Screen) -> [String]? {
        guard let value = value(key) else { return nil }
        guard key.segments.count > 1 else {
            return lines(section: key.section, screen) + ["Modules configuration. Copy/Paste line to edit values."]
        }
        let text = DisplayText.escape(value.scalarText ?? value.compactText, unicode: true)
        return [
            "Value for module \(screen.paint(key.section, .blue)) key \(screen.paint(key.rest, .blue)): "
                + screen.paint(text, .green, .bold)
        ]
    }
}
