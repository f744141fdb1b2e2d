struct PM2Settings {
    let face: PM2Session
    func variables(of name: String) throws -> [String: String] { [:] }
    func set(_ words: [String]) throws {}
    func setMany(_ text: String) throws {}
    func get(_ key: String?) throws {}
    func unset(_ key: String) throws {}
}
