internal import CommandLine
import Glibc

@main
enum Main {
    static func main() {
        exit(Entry.run())
    }
}
