import Control
import Foundation
import Model
import TestSupport

extension Home {
    /// Python that can speak with its manager: `say(text, descriptors)`; `note(word)` appends to the file `notes`;
    /// `wait(file)` until it is there.
    func speaker(_ name: String, _ body: String, restart: RestartPolicy = RestartPolicy(mode: .never)) throws -> AppSpec
    {
        let prelude = """
            import array, os, signal, socket, subprocess, sys, time

            manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

            def say(text, descriptors=[]):
                data = text if isinstance(text, bytes) else text.encode()
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
                manager.sendmsg([data], rights, 0, os.environ["NOTIFY_SOCKET"].replace("@", "\\0", 1))

            def note(word):
                with open("notes", "a") as file: file.write(str(word) + "\\n")

            def wait(file):
                while not os.path.exists(file): time.sleep(0.01)


            """
        return app(
            name, try script("\(name).py", prelude + body + "\nwhile True: time.sleep(1)\n"), interpreter: "python3",
            restart: restart)
    }
}

extension AppSpec {
    func notifying(_ milliseconds: Int64 = 600_000) -> AppSpec {
        var spec = self
        spec.readiness = ReadinessPolicy(timeout: Milliseconds(milliseconds), notify: true)
        return spec
    }

    func watched(_ milliseconds: Int64) -> AppSpec {
        var spec = self
        spec.watchdog = Milliseconds(milliseconds)
        return spec
    }
}
