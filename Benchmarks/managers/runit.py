"""runit: runsvdir with one runsv for each app. A log reader (svlogd) only where output is measured."""

import os
import shlex
import shutil
import signal
import subprocess

from managers import Manager
from support.processes import CommandFailed, Finished, boottime_ns, command_name, descendants, wait_until


class Runit(Manager):
    name = "runit"
    remarks = {
        "start": "there is no such command: from the start of runsvdir on a filled directory",
        "restart": "sv restart DIRECTORIES, which does them one after the other",
        "delete": "sv force-stop DIRECTORIES: the runsv processes stay",
    }

    @classmethod
    def missing(cls, context):
        absent = [program for program in ("runsvdir", "runsv", "sv", "svlogd") if not shutil.which(program)]
        return f"not installed: {', '.join(absent)} (apt-get install runit)" if absent else None

    def __init__(self, context):
        super().__init__(context)
        self._services = os.path.join(self.home, "service")
        self._names = []
        self._daemon = None
        os.mkdir(self._services)

    def up(self):
        self._daemon = subprocess.Popen(
            [shutil.which("runsvdir"), "-P", self._services],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _script(self, path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)

    def prepare(self, names):
        self.shut_down()
        shutil.rmtree(self._services)
        for name in names:
            directory = os.path.join(self._services, name)
            os.makedirs(directory)
            command = shlex.join(self.app_command(name))
            # The manual's form of a run script: a shell that becomes the program.
            target = "2>&1" if self.lines else ">>out.log 2>&1"
            self._script(os.path.join(directory, "run"), f"exec {command} {target}\n")
            if self.lines:
                os.makedirs(os.path.join(directory, "log", "main"))
                # No rotation that would drop lines which are counted later.
                with open(os.path.join(directory, "log", "main", "config"), "w", encoding="utf-8") as file:
                    file.write("s1000000000\n")
                self._script(os.path.join(directory, "log", "run"), "exec svlogd ./main\n")
        self._names = names

    def start_command(self, names):
        began = boottime_ns()
        self.up()
        return Finished(began, began, 0, "")

    def _sv(self, *arguments):
        directories = [os.path.join(self._services, name) for name in self._names]
        return self.run([shutil.which("sv"), *arguments, *directories])

    def restart_command(self):
        return self._sv("-w", "30", "restart")

    def delete_command(self):
        return self._sv("-w", "30", "force-stop")

    def list_commands(self):
        directories = [os.path.join(self._services, name) for name in self._names]
        return {"list": [shutil.which("sv"), "status", *directories]}

    def daemons(self):
        if self._daemon is None or self._daemon.poll() is not None:
            raise CommandFailed("runsvdir has ended")
        pids = {"runsvdir": self._daemon.pid}
        for pid, _ in descendants(self._daemon.pid):
            if command_name(pid) in ("runsv", "svlogd"):
                pids[f"of {pid}"] = pid
        return pids

    def output_files(self, name):
        return [os.path.join(self._services, name, "log", "main", "current")]

    def shut_down(self):
        if self._daemon is None or self._daemon.poll() is not None:
            return
        supervisors = [pid for pid, _ in descendants(self._daemon.pid)]
        # SIGHUP: runsvdir has every runsv end its service, and leaves.
        self._daemon.send_signal(signal.SIGHUP)
        try:
            self._daemon.wait(10)
            wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/exe") for pid in supervisors), 10, "runsv ends")
        except (subprocess.TimeoutExpired, CommandFailed):
            self._daemon.kill()
