import Glibc
import StaticSite

/// `hearth-serve`: serves a directory over HTTP. Settings come from the environment (docs/serve.md).
@main
struct Main {
    static func main() {
        do {
            exit(try StaticSite.run(try SiteSettings(environment: environment())))
        } catch {
            let bytes = Array("hearth-serve: \(error)\n".utf8)
            _ = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            exit(1)
        }
    }

    private static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var pointer = environ
        while let entry = pointer.pointee {
            pointer += 1
            guard let text = String(validatingCString: entry), let separator = text.firstIndex(of: "=") else {
                continue
            }
            variables[String(text[..<separator])] = String(text[text.index(after: separator)...])
        }
        return variables
    }
}
