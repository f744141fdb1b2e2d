import Glibc
import NIOHTTP1

/// The directory that is served: requests in, answers out. Looks at files, and knows nothing of connections.
struct Site: Sendable {
    let settings: SiteSettings
    /// Absolute.
    let root: String

    func answer(_ method: HTTPMethod, _ target: String, _ headers: HTTPHeaders) -> SiteResponse {
        if let credentials = settings.credentials,
            !BasicAuthentication.accepts(headers["authorization"].first, credentials)
        {
            var response = SiteResponse(.unauthorized, "401 Unauthorized")
            response.headers.add(name: "WWW-Authenticate", value: "Basic realm=\"Authentication service\"")
            return response
        }
        guard method == .GET || method == .HEAD else {
            var response = SiteResponse(.methodNotAllowed, "405 Method Not Allowed")
            response.headers.add(name: "Allow", value: "GET, HEAD")
            return response
        }
        let path: RequestPath
        do throws(RequestPath.Refusal) {
            path = try RequestPath(target)
        } catch {
            switch error {
            case .escapes: return SiteResponse(.forbidden, "403 Forbidden")
            case .malformed: return SiteResponse(.badRequest, "400 Bad Request")
            }
        }
        do throws(SiteFile.Failure) {
            return try found(path, headers)
        } catch {
            switch error {
            case .outside: return SiteResponse(.forbidden, "403 Forbidden")
            case .missing: return missing(headers)
            case .isDirectory: return broken("EISDIR")
            case .failed(let code): return broken(Self.name(of: code))
            }
        }
    }

    private func found(_ path: RequestPath, _ headers: HTTPHeaders) throws(SiteFile.Failure) -> SiteResponse {
        if path.components.isEmpty {
            do throws(SiteFile.Failure) {
                return SiteResponse(try file(settings.homepage), headers)
            } catch .missing where settings.listsDirectories {
                return try directory(try SiteFile(root: root, path: "/"), path, headers)
            }
        }
        do throws(SiteFile.Failure) {
            let found = try SiteFile(root: root, path: path.text)
            if found.isDirectory { return try directory(found, path, headers) }
            guard !path.endsWithSlash else { throw .missing }
            return SiteResponse(found, headers)
        } catch .missing where settings.isSinglePage {
            // `/deep/link/app.js` is asked for by a page that believes to be in /deep/link.
            if let name = path.components.last, let found = try? file("/" + name) {
                return SiteResponse(found, headers)
            }
            return SiteResponse(try file(settings.homepage), headers)
        }
    }

    private func file(_ path: String) throws(SiteFile.Failure) -> SiteFile {
        let file = try SiteFile(root: root, path: path)
        if file.isDirectory { throw .isDirectory }
        return file
    }

    private func directory(
        _ directory: SiteFile, _ path: RequestPath, _ headers: HTTPHeaders
    ) throws(SiteFile.Failure) -> SiteResponse {
        guard settings.listsDirectories else { throw .isDirectory }
        guard path.endsWithSlash else {
            // Links in its index.html start from the directory.
            var response = SiteResponse(.movedPermanently, "")
            response.headers.add(name: "Location", value: RequestPath.encode(path.text) + "/")
            return response
        }
        let prefix = path.components.isEmpty ? "" : path.text
        if let index = try? file(prefix + "/index.html") { return SiteResponse(index, headers) }
        return SiteResponse(.ok, DirectoryListing.page(path.text, directory.entries()), type: "text/html")
    }

    private func missing(_ headers: HTTPHeaders) -> SiteResponse {
        if let page = try? file("/404.html") { return SiteResponse(page, headers, status: .notFound) }
        return SiteResponse(.notFound, "404 Not Found")
    }

    private func broken(_ code: String) -> SiteResponse {
        SiteResponse(.internalServerError, "Sorry, check with the site admin for error: \(code) ..")
    }

    private static func name(of code: Int32) -> String {
        switch code {
        case EACCES: "EACCES"
        case EPERM: "EPERM"
        case EMFILE: "EMFILE"
        case ENFILE: "ENFILE"
        case EIO: "EIO"
        case ELOOP: "ELOOP"
        default: "errno \(code)"
        }
    }
}
