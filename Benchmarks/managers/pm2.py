"""PM2, when there is one in PATH."""

import json
import os
import shutil

from managers import Manager


class PM2(Manager):
    name = "pm2"

    @classmethod
    def missing(cls, context):
        return None if shutil.which("pm2") else "not in PATH"

    def own_environment(self):
        return {"PM2_HOME": os.path.join(self.home, "pm2"), "PM2_DISCRETE_MODE": "true"}

    def command(self, *arguments):
        return [shutil.which("pm2"), *arguments]

    def up(self):
        self.run(self.command("ping"))

    def prepare(self, names):
        apps = []
        for name in names:
            program, *arguments = self.app_command(name)
            apps.append(
                {
                    "name": name,
                    "script": program,
                    "args": arguments,
                    "interpreter": "none",
                    "exec_mode": "fork",
                    "cwd": self.home,
                }
            )
        with open(os.path.join(self.home, "apps.json"), "w", encoding="utf-8") as file:
            json.dump({"apps": apps}, file)

    def start_command(self, names):
        return self.run(self.command("start", os.path.join(self.home, "apps.json")))

    def restart_command(self):
        return self.run(self.command("restart", "all"))

    def delete_command(self):
        return self.run(self.command("delete", "all"))

    def list_commands(self):
        return {"list": self.command("ls"), "list --json": self.command("jlist")}

    def daemons(self):
        with open(os.path.join(self.home, "pm2", "pm2.pid"), encoding="utf-8") as file:
            return {"pm2": int(file.read())}

    def output_files(self, name):
        return [os.path.join(self.home, "pm2", "logs", f"{name}-out.log")]

    def shut_down(self):
        self.run(self.command("kill"), timeout=30, check=False)
