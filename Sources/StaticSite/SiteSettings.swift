/// What is served, where, and how: from the environment, as PM2 hands it over.
package struct SiteSettings: Sendable, Equatable {
    package struct Credentials: Sendable, Equatable {
        package var user: String
        package var password: String

        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package var root = "."
    package var host = "0.0.0.0"
    /// 0: any that is free.
    package var port = 8080
    /// A single-page application: what is missing is answered with the homepage.
    package var isSinglePage = false
    /// Directories without an index.html are listed (PM2's `--ftp`).
    package var listsDirectories = false
    package var homepage = "/index.html"
    package var credentials: Credentials?

    package init() {}

    package init(environment: [String: String]) throws(Invalid) {
        func text(_ name: String) -> String? {
            environment["PM2_SERVE_\(name)"].flatMap { $0.isEmpty ? nil : $0 }
        }
        func isSet(_ name: String) -> Bool { ["true", "1"].contains(text(name)?.lowercased() ?? "") }
        if let path = text("PATH") { root = path }
        if let host = text("HOST") { self.host = host }
        if let port = text("PORT") {
            guard let number = UInt16(port) else {
                throw Invalid(description: "PM2_SERVE_PORT: expected a port from 0 to 65535, found '\(port)'")
            }
            self.port = Int(number)
        }
        isSinglePage = isSet("SPA")
        listsDirectories = isSet("FTP")
        if let page = text("HOMEPAGE") { homepage = page.hasPrefix("/") ? page : "/" + page }
        if isSet("BASIC_AUTH") {
            // Half of it would be a door that looks closed.
            guard let user = text("BASIC_AUTH_USERNAME"), let password = text("BASIC_AUTH_PASSWORD") else {
                throw Invalid(
                    description: "PM2_SERVE_BASIC_AUTH needs PM2_SERVE_BASIC_AUTH_USERNAME and "
                        + "PM2_SERVE_BASIC_AUTH_PASSWORD")
            }
            credentials = Credentials(user: user, password: password)
        }
    }
}
