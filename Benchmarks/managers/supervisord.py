"""supervisord, from PyPI, with the defaults of its manual."""

import os
import subprocess
import sys

from managers import Manager
from support.processes import wait_until

PACKAGE = "supervisor==4.3.0"


class Supervisord(Manager):
    name = "supervisord"
    remarks = {
        "start": "supervisorctl update, after a file with all programs was put into its directory",
        "restart": "supervisorctl restart all; it waits startsecs (1 s by default) for each to stay up",
        "delete": "supervisorctl stop all (taking 100 running programs out of the configuration takes it 100 s)",
    }

    @classmethod
    def missing(cls, context):
        target = os.path.join(context.cache, "supervisor")
        if os.path.isdir(os.path.join(target, "supervisor")):
            return None
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        try:
            done = subprocess.run(
                [*command, "--target", target, PACKAGE], capture_output=True, text=True, timeout=180, check=False
            )
        except subprocess.TimeoutExpired:
            return f"pip could not install {PACKAGE} within 180 s"
        if done.returncode == 0:
            return None
        return f"pip could not install {PACKAGE}: {(done.stderr.strip().splitlines() or ['?'])[-1]}"

    def own_environment(self):
        return {"PYTHONPATH": os.path.join(self.context.cache, "supervisor")}

    @property
    def _programs(self):
        return os.path.join(self.home, "conf.d", "apps.conf")

    def _control(self, *arguments):
        configuration = os.path.join(self.home, "supervisord.conf")
        # -s: without the user's own packages; the start of Python is part of what a user waits for.
        return [sys.executable, "-s", "-m", "supervisor.supervisorctl", "-c", configuration, *arguments]

    def up(self):
        os.mkdir(os.path.join(self.home, "conf.d"))
        os.mkdir(os.path.join(self.home, "logs"))
        configuration = os.path.join(self.home, "supervisord.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(
                f"""[unix_http_server]
file={self.home}/s.sock
[supervisord]
logfile={self.home}/supervisord.log
pidfile={self.home}/supervisord.pid
childlogdir={self.home}/logs
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{self.home}/s.sock
[include]
files = {self.home}/conf.d/*.conf
"""
            )
        self._daemon = subprocess.Popen(
            [sys.executable, "-s", "-m", "supervisor.supervisord", "-c", configuration],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: os.path.exists(f"{self.home}/s.sock"), 20, "supervisord listens")
        wait_until(lambda: self.run(self._control("pid"), check=False).code == 0, 20, "supervisord answers")

    def prepare(self, names):
        if os.path.exists(self._programs):
            # What an earlier round stopped: out of the configuration, so that all is started anew.
            os.unlink(self._programs)
            self.run(self._control("update"))
        with open(self._programs, "w", encoding="utf-8") as file:
            for name in names:
                output = f"stdout_logfile={self.home}/logs/{name}-out.log\nstderr_logfile={self.home}/logs/{name}-err.log"
                file.write(f"[program:{name}]\ncommand={' '.join(self.app_command(name))}\n{output}\n")

    def start_command(self, names):
        return self.run(self._control("update"))

    def restart_command(self):
        return self.run(self._control("restart", "all"))

    def delete_command(self):
        return self.run(self._control("stop", "all"))

    def list_commands(self):
        return {"list": self._control("status")}

    def daemons(self):
        return {"supervisord": self._daemon.pid}

    def output_files(self, name):
        path = os.path.join(self.home, "logs", f"{name}-out.log")
        return [file for file in (*(f"{path}.{n}" for n in range(10, 0, -1)), path) if os.path.exists(file)]

    def shut_down(self):
        self._daemon.terminate()
        try:
            self._daemon.wait(20)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
