"""HTTP load by wrk: how much was answered, and what was not."""

import os
import signal
import socket
import subprocess

from support.processes import CommandFailed, wait_until

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "programs", "wrk.lua")
KINDS = ("connect", "read", "write", "status", "timeout")
#: wrk's own end when nobody stops it; the harness's --limit is shorter.
LONGEST = 3600


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Tally:
    """What came of a load. `errors` counts failed requests by kind: wrk's own, and `stuck`."""

    def __init__(self, seconds, requests, errors):
        self.seconds, self.requests, self.errors = seconds, requests, errors

    @property
    def failed(self):
        return sum(self.errors.values())

    @property
    def per_second(self):
        return self.requests / self.seconds

    @property
    def text(self):
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.errors.items() if count)
        return f"of {self.requests:,} requests" + (f": {kinds}" if kinds else "")


class Load:
    """wrk against 127.0.0.1:`port`, from the first answered request until `stop`."""

    def __init__(self, port, keep_alive, connections=32, threads=1):
        header = [] if keep_alive else ["-H", "Connection: close"]
        command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{LONGEST}s", "-s", SCRIPT, *header, f"http://127.0.0.1:{port}/"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._marked = set()
        wait_until(lambda: self._sockets() or self._process.poll() is not None, 10, "wrk connects")
        began = self.read_bytes
        wait_until(lambda: self.read_bytes > began or self._process.poll() is not None, 10, "a first answer to wrk")

    @property
    def pid(self):
        return self._process.pid

    @property
    def read_bytes(self):
        """Grows with each answer."""
        try:
            with open(f"/proc/{self.pid}/io", encoding="ascii") as file:
                return int(file.readline().split()[1])
        except (OSError, IndexError) as error:
            raise CommandFailed(f"wrk has ended: {error}") from error

    def mark(self):
        """Connections of this moment that `stop` still finds are stuck. Call it before all servers are replaced.

        wrk does not count a request that is never answered.
        """
        self._marked = self._sockets()

    def stop(self):
        stuck = len(self._marked & self._sockets())
        self._process.send_signal(signal.SIGINT)
        try:
            output, _ = self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired as error:
            raise CommandFailed("wrk does not end") from error
        found = [line.split()[1:] for line in output.splitlines() if line.startswith("tally ")]
        if not found:
            raise CommandFailed(f"wrk: {output.strip()[-300:]}")
        microseconds, requests, *errors = map(int, found[0])
        return Tally(microseconds / 1e6, requests, dict(zip(KINDS, errors)) | {"stuck": stuck})

    def _sockets(self):
        directory = f"/proc/{self.pid}/fd"
        found = set()
        try:
            for name in os.listdir(directory):
                try:
                    found.add(os.readlink(os.path.join(directory, name)))
                except FileNotFoundError:
                    pass
        except OSError:
            pass
        return {target for target in found if target.startswith("socket:")}
