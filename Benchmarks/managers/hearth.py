"""Hearth itself: its commands, and its socket where a figure needs one."""

import json
import os
import socket

from managers import Manager
from support.processes import CommandFailed, run

INTERFACE = "dev.hearth.Manager."


class Connection:
    """A Varlink connection to hearthd, without any of Hearth's own code."""

    def __init__(self, path, timeout=20):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(path)
        self._buffer = b""

    def close(self):
        self._socket.close()

    def send(self, method, parameters=None, more=False):
        message = {"method": INTERFACE + method, "parameters": parameters or {}}
        if more:
            message["more"] = True
        self._socket.sendall(json.dumps(message).encode() + b"\0")

    def receive_bytes(self):
        while b"\0" not in self._buffer:
            data = self._socket.recv(1 << 17)
            if not data:
                raise CommandFailed("hearthd closed the connection")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return message

    def receive(self):
        reply = json.loads(self.receive_bytes())
        if "error" in reply:
            raise CommandFailed(f"hearthd: {reply}")
        return reply["parameters"]

    def call(self, method, parameters=None):
        self.send(method, parameters)
        return self.receive()


class Hearth(Manager):
    name = "hearth"

    @classmethod
    def missing(cls, context):
        for program in ("hearth", "hearthd", "hearth-keeper"):
            path = os.path.join(context.binaries, program)
            if not os.access(path, os.X_OK):
                return f"there is no {path}: run 'make release', or give --bin"
        return None

    @classmethod
    def version(cls, context):
        """Of the command line; "?" when it does not even say that."""
        command = [os.path.join(context.binaries, "hearth"), "--version"]
        return run(command, dict(os.environ), context.output, check=False).output.strip() or "?"

    def own_environment(self):
        return {"HEARTH_HOME": os.path.join(self.home, "h"), "HEARTH_LIBEXEC": self.context.binaries}

    def command(self, *arguments):
        return [os.path.join(self.context.binaries, "hearth"), *arguments]

    def connect(self):
        return Connection(os.path.join(self.home, "h", "hearth.sock"))

    def up(self):
        self.run(self.command("up"))

    def prepare(self, names):
        apps = []
        for name in names:
            program, *arguments = self.app_command(name)
            apps.append({"name": name, "script": program, "args": arguments, "interpreter": "none", "cwd": self.home})
        with open(os.path.join(self.home, "apps.json"), "w", encoding="utf-8") as file:
            json.dump({"apps": apps}, file)

    def start_command(self, names):
        return self.run(self.command("start", os.path.join(self.home, "apps.json")))

    def restart_command(self):
        return self.run(self.command("restart", "all"))

    def delete_command(self):
        return self.run(self.command("delete", "all"))

    def list_commands(self):
        return {"list": self.command("list"), "list --json": self.command("list", "--json")}

    def daemons(self):
        connection = self.connect()
        try:
            hello = connection.call("Hello")
        finally:
            connection.close()
        return {"hearthd": hello["pid"], "keeper": hello["keeperPid"]}

    def output_files(self, name):
        return [os.path.join(self.home, "h", "logs", f"{name}-out.log")]

    def shut_down(self):
        self.run(self.command("kill"), timeout=30, check=False)
