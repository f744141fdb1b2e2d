/// Numbers as JavaScript writes them.
enum ScriptNumber {
    /// In JSON there is neither -0 nor infinity.
    static func json(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        return value == 0 ? "0" : text(value)
    }

    /// `String(value)`.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        if value == 0 { return "0" }
        let sign = value < 0 ? "-" : ""
        let (digits, point) = decimal(value.magnitude)
        let count = digits.utf8.count
        // The shortest digits are the same as Swift's; where the exponent begins is not.
        if point > 21 || point < -5 {
            let exponent = point - 1
            let fraction = count > 1 ? "." + digits.dropFirst() : ""
            return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(abs(exponent))"
        }
        if point >= count { return sign + digits + String(repeating: "0", count: point - count) }
        if point > 0 { return "\(sign)\(digits.prefix(point)).\(digits.dropFirst(point))" }
        return sign + "0." + String(repeating: "0", count: -point) + digits
    }

    /// The digits without zeros around them, and how many of them stand before the point.
    private static func decimal(_ value: Double) -> (digits: String, point: Int) {
        let parts = value.description.split(separator: "e")
        let mantissa = parts.first ?? "0"
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let whole = halves.first ?? ""
        let fraction = halves.count > 1 ? halves[1] : ""
        let all = whole + fraction
        let leading = all.prefix { $0 == "0" }.count
        var digits = String(all.dropFirst(leading))
        while digits.hasSuffix("0") { digits.removeLast() }
        return (digits, whole.count - leading + exponent)
    }
}
