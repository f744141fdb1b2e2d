import CLinux
import Configuration
import Glibc
import Model
import Platform

/// Asks health URLs, all at once: the time of the slowest, and never more than the deadline.
///
/// Plain HTTP goes over a socket of ours, to a numeric address, `localhost` or a name in /etc/hosts. This program is linked
/// statically and has neither TLS nor a resolver: the rest is asked by `curl`, where there is one.
struct HealthProbe {
    /// Of one URL.
    struct Answer: Equatable {
        /// nil: none came.
        var status: Int?
        var failure: String?

        static func failed(_ why: String) -> Answer { Answer(status: nil, failure: why) }
    }

    /// Milliseconds for each.
    var patience = 5000

    func ask(_ checks: [HealthCheck]) -> [Answer] {
        var answers = [Answer?](repeating: nil, count: checks.count)
        var open: [Int: HTTPRequest] = [:]
        for (index, check) in checks.enumerated() {
            guard !check.isSecure, let address = Hosts.address(of: check.host) else {
                answers[index] = Self.askCurl(check, seconds: (patience + 999) / 1000)
                continue
            }
            switch HTTPRequest.begin(check, address) {
            case .success(let request): open[index] = request
            case .failure(let failure): answers[index] = .failed(failure.why)
            }
        }
        let deadline = clinux_boottime_ns() + Int64(patience) * 1_000_000
        while !open.isEmpty {
            let left = (deadline - clinux_boottime_ns()) / 1_000_000
            guard left > 0 else { break }
            let order = open.keys.sorted()
            var polled = order.map { open[$0]?.wanted ?? pollfd() }
            _ = poll(&polled, nfds_t(polled.count), Int32(clamping: left))
            for (index, entry) in zip(order, polled) where entry.revents != 0 {
                guard let answer = open[index]?.advance() else { continue }
                answers[index] = answer
                open.removeValue(forKey: index)?.end()
            }
        }
        for request in open.values { request.end() }
        return answers.map { $0 ?? .failed("no answer within \(patience) ms") }
    }

    private static func askCurl(_ check: HealthCheck, seconds: Int) -> Answer {
        let why = check.isSecure ? "https" : "the name '\(check.host)' (not in /etc/hosts)"
        guard let curl = ["/usr/bin/curl", "/bin/curl", "/usr/local/bin/curl"].first(where: FileSystem.isExecutable)
        else { return .failed("not checked: \(why) needs curl, which is not installed") }
        let arguments = [
            "-q", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", String(seconds), "--", check.url,
        ]
        guard let output = ProgramOutput.of(curl, arguments, seconds: Int64(seconds) + 2) else {
            return .failed("curl did not end")
        }
        guard output.code == 0, let status = Int(output.text) else {
            return .failed(output.complaint.isEmpty ? "curl failed" : output.complaint)
        }
        return Answer(status: status, failure: nil)
    }
}
