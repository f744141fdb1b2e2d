"""Process managers, all driven through the same few verbs."""

import os

from support.processes import boottime_ns, is_alive, run, wait_until
from support.stamps import Stamps


class Manager:
    """A manager with a home of its own and a fleet of apps that are all alike.

    `self.pids` holds the present pid of each app by name, as the apps themselves reported them.
    """

    name = ""
    #: Said in the report when what is compared is not quite the same.
    remarks = {}

    @classmethod
    def missing(cls, context):
        """Why this manager can't be measured here; None when it can."""
        raise NotImplementedError

    def __init__(self, context):
        self.context = context
        self.home = context.directory(self.name)
        self.stamps = Stamps(os.path.join(self.home, "stamps"))
        self.pids = {}
        self.lines = None

    # What each manager does in its own way.

    def up(self):
        """Starts the daemon, without apps."""
        raise NotImplementedError

    def prepare(self, names):
        """Whatever has to be on disk before `start_command`; not measured."""

    def start_command(self, names):
        """Starts all prepared apps; returns the finished command."""
        raise NotImplementedError

    def restart_command(self):
        raise NotImplementedError

    def delete_command(self):
        raise NotImplementedError

    def list_commands(self):
        """Arguments by label: what a user types to see the apps."""
        raise NotImplementedError

    def daemons(self):
        """Pids by role of what runs besides the apps."""
        raise NotImplementedError

    def output_files(self, name):
        """The files that hold an app's standard output, oldest first."""
        raise NotImplementedError

    def shut_down(self):
        """Ends apps and daemon; what is left is killed by the harness."""

    # What is the same for all.

    @property
    def environment(self):
        keep = ("PATH", "LANG", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH")
        variables = {name: os.environ[name] for name in keep if name in os.environ}
        return variables | {"HOME": self.home} | self.own_environment()

    def own_environment(self):
        return {}

    def run(self, arguments, timeout=120, check=True):
        return run(arguments, self.environment, self.context.output, timeout, check)

    def app_command(self, name):
        command = [*self.context.app, self.stamps.path, name]
        return command + ([str(self.lines)] if self.lines else [])

    @staticmethod
    def names(count):
        return [f"app-{number:04d}" for number in range(count)]

    def start(self, count):
        """Starts `count` apps. Milliseconds until all run and the command has returned, and until all run."""
        names = self.names(count)
        self.prepare(names)
        command = self.start_command(names)
        return self._until_all_run(command, names, "start")

    def restart_all(self):
        old = set(self.pids.values())
        command = self.restart_command()
        return self._until_all_run(command, list(self.pids), "restart", lambda stamp: stamp.pid not in old)

    def _until_all_run(self, command, names, what, wanted=None):
        stamps = self.stamps.wait(len(names), 60, f"{self.name} {what}", wanted=wanted)
        self.pids |= {stamp.name: stamp.pid for stamp in stamps}
        last = max(stamp.ns for stamp in stamps)
        return (max(last, command.ended) - command.began) / 1e6, (last - command.began) / 1e6

    def delete_all(self):
        """Milliseconds until the command has returned and no app is left."""
        command = self.delete_command()
        pids = list(self.pids.values())
        if not any(map(is_alive, pids)):
            ended = command.ended
        else:
            wait_until(lambda: not any(map(is_alive, pids)), 60, f"{self.name} delete all")
            ended = boottime_ns()
        self.pids = {}
        return (ended - command.began) / 1e6

    def close(self):
        try:
            self.shut_down()
        finally:
            self.stamps.close()
