/// The page that shows a directory.
enum DirectoryListing {
    static func page(_ path: String, _ entries: [SiteFile.Entry]) -> String {
        let shown = path == "/" ? "/" : path + "/"
        var rows = path == "/" ? "" : "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n"
        for entry in entries {
            let name = entry.isDirectory ? entry.name + "/" : entry.name
            rows += """
                <tr><td><a href="\(RequestPath.encode(shown + name))">\(escape(name))</a></td>\
                <td>\(entry.isDirectory ? "-" : size(entry.size))</td><td>\(HTTPDate.short(entry.modified))</td></tr>

                """
        }
        let title = "Index of \(escape(shown))"
        return """
            <!DOCTYPE html>
            <html>
            <head><meta charset="utf-8"><title>\(title)</title>
            <style>body{font-family:sans-serif}td,th{padding:2px 16px 2px 0;text-align:left}</style></head>
            <body>
            <h1>\(title)</h1>
            <table>
            <tr><th>Name</th><th>Size</th><th>Last Modified</th></tr>
            \(rows)</table>
            </body>
            </html>

            """
    }

    static func size(_ bytes: Int64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = bytes
        var units = ["KB", "MB", "GB", "TB", "PB", "EB"][...]
        // Tenths, in whole numbers.
        var tenths = value * 10 / 1024
        value /= 1024
        while value >= 1024, units.count > 1 {
            tenths = value * 10 / 1024
            value /= 1024
            units = units.dropFirst()
        }
        return "\(tenths / 10).\(tenths % 10) \(units.first ?? "")"
    }

    static func escape(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
