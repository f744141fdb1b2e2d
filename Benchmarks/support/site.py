"""A server with a port of its own: started by Hearth with two instances, looked at and replaced."""

import os
import urllib.error
import urllib.request

from support.load import free_port
from support.processes import CommandFailed, command_line, descendants, wait_until

PROGRAMS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "programs")


class Site:
    def __init__(self, manager, name, port, program=None):
        self.manager, self.name, self.port, self.program = manager, name, port, program

    @classmethod
    def node(cls, manager, name, *options, delay=False, variables=None):
        """An unmodified Node server in cluster mode."""
        script = os.path.join(PROGRAMS, "server.js")
        site = cls(manager, name, free_port(), script)
        variables = {"PORT": str(site.port)} | ({"DELAY": "1"} if delay else {}) | (variables or {})
        words = [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
        return site._start(script, "-i", "2", *words, *options)

    @classmethod
    def gunicorn(cls, manager):
        """With a held socket; one worker for each instance."""
        site = cls(manager, "gunicorn", free_port(), "wsgi:app")
        options = ("--interpreter", "none", "--listen", f"127.0.0.1:{site.port}", "--notify", "--listen-timeout", "30s", "--cwd", PROGRAMS, "--env", "PYTHONDONTWRITEBYTECODE=1")
        return site._start("gunicorn", "-i", "2", *options, "--", "--workers", "1", "wsgi:app")

    def _start(self, script, *words):
        self.manager.run(self.manager.command("start", script, "--name", self.name, *words))
        self.await_answer()
        wait_until(lambda: len(self.pids()) == 2, 15, f"two instances of {self.name}", 0.05)
        return self

    def await_answer(self):
        def answers():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as reply:
                    return reply.status == 200
            except (urllib.error.URLError, OSError):
                return False

        wait_until(answers, 30, f"{self.name} answers", 0.05)

    def pids(self):
        """Of the instances that are online, as Hearth has them."""
        connection = self.manager.connect()
        try:
            found = connection.call("List", {"selectors": [self.name]})["instances"]
        finally:
            connection.close()
        return {instance["pid"] for instance in found if instance["status"] == "online" and instance.get("pid")}

    def processes(self):
        """Pids of all that run the program, as the kernel has them: children of a worker included."""
        return [pid for pid, state in descendants() if state not in "ZX" and self.program in command_line(pid)]

    def await_processes(self, count):
        wait_until(lambda: len(self.processes()) == count, 30, f"{count} processes of {self.name}", 0.02)

    def reload(self):
        """Replaces both instances; CommandFailed when one is still there."""
        former = self.pids()
        self.manager.run(self.manager.command("reload", self.name))
        present = self.pids()
        if len(present) != 2 or former & present:
            raise CommandFailed(f"reload of {self.name}: pids {sorted(former)} became {sorted(present)}")
