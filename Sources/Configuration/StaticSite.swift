/// A directory that is served over HTTP: an element of `static` in a file, or an app whose script is `serve`.
package struct StaticSite: Hashable, Sendable {
    package struct Credentials: Hashable, Sendable {
        package var user: String
        package var password: String

        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    package static let defaultPort = 8080
    package static let defaultHost = "0.0.0.0"

    /// As given: relative to the caller's directory.
    package var path = "."
    package var port = Self.defaultPort
    package var host = Self.defaultHost
    /// What is not found is answered with the home page.
    package var spa = false
    /// Directories are listed (`ftp`).
    package var listsDirectories = false
    package var homepage: String?
    package var basicAuth: Credentials?

    package init() {}

    /// The name of the app when none is given.
    package var name: String { "static-page-server-\(port)" }

    /// The settings as PM2 hands them to the server.
    package func variables(path: String) -> [String: String] {
        // Every variable is set: the caller's own would count otherwise.
        return [
            "PM2_SERVE_PATH": path, "PM2_SERVE_PORT": String(port), "PM2_SERVE_HOST": host,
            "PM2_SERVE_SPA": String(spa), "PM2_SERVE_FTP": String(listsDirectories),
            "PM2_SERVE_HOMEPAGE": homepage ?? "", "PM2_SERVE_BASIC_AUTH": String(basicAuth != nil),
            "PM2_SERVE_BASIC_AUTH_USERNAME": basicAuth?.user ?? "",
            "PM2_SERVE_BASIC_AUTH_PASSWORD": basicAuth?.password ?? "",
        ]
    }

    /// The site that an app with the script `serve` describes by its variables.
    package init(variables: [String: String]) {
        if let path = variables["PM2_SERVE_PATH"] { self.path = path }
        if let port = variables["PM2_SERVE_PORT"].flatMap({ Int($0) }), (1...65_535).contains(port) { self.port = port }
        if let host = variables["PM2_SERVE_HOST"] { self.host = host }
        spa = variables["PM2_SERVE_SPA"] == "true"
        listsDirectories = variables["PM2_SERVE_FTP"] == "true"
        homepage = variables["PM2_SERVE_HOMEPAGE"]
        if variables["PM2_SERVE_BASIC_AUTH"] == "true", let user = variables["PM2_SERVE_BASIC_AUTH_USERNAME"],
            let password = variables["PM2_SERVE_BASIC_AUTH_PASSWORD"]
        {
            basicAuth = Credentials(user: user, password: password)
        }
    }
}
