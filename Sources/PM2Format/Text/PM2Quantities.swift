/// Numbers as PM2 shows them.
package enum PM2Quantities {
    /// The largest unit of which there is more than one: `119s`, `100m`, `2h`.
    package static func duration(milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds / 1000)
        let units: [(name: String, seconds: Int64)] = [
            ("Y", 31_536_000), ("M", 2_592_000), ("D", 86_400), ("h", 3600), ("m", 60),
        ]
        for unit in units where seconds / unit.seconds > 1 { return "\(seconds / unit.seconds)\(unit.name)" }
        return "\(seconds)s"
    }

    /// `500b `, `2.9mb `: the blank belongs to it.
    package static func bytes(_ count: Int64) -> String {
        if count < 1024 { return "\(max(0, count))b " }
        var value = Double(count)
        for unit in ["kb", "mb", "gb", "tb"] {
            value /= 1024
            if value < 1024 || unit == "tb" {
                let tenths = Int64((value * 10).rounded())
                return "\(tenths / 10).\(tenths % 10)\(unit) "
            }
        }
        return "\(count)b "
    }

    /// `0%`, `12.3%`.
    package static func percent(_ value: Double?) -> String { ScriptNumber.text(PM2Record.tenths(value)) + "%" }
}
