"""Under PM2's name, and with PM2's files."""

import json
import os
import shutil
import time

from scenarios import living
from support.figures import Figure
from support.processes import CommandFailed, run

NAME = "compat"
TITLE = "PM2's commands and files"

APPS = 100


def run_scenario(context, managers):
    jlist = Figure(f"pm2 jlist with {APPS} apps, the whole process", "ms", must=15)
    table = Figure(f"pm2 list with {APPS} apps, the whole process", "ms")
    added = Figure("start of an ecosystem.config.js, over what node itself takes", "ms", must=20)
    node = Figure("for comparison: node evaluates that file and prints it as JSON", "ms")
    applied = Figure("apply of a JSON file with 1,000 apps: command returned", "ms", must=3000)
    again = Figure("the same file applied again: nothing to do", "ms")
    works = Figure("apps that run after it", "", exactly=1000)
    jlist.note = "each app has the caller's environment twice in it, as PM2 shows it"

    hearth = managers[0]
    if hearth.name != "hearth":
        raise CommandFailed("this scenario is about Hearth alone")
    measure_lists(context, hearth, jlist, table)
    if shutil.which("node"):
        measure_ecosystem(context, hearth, added, node)
    else:
        context.say("there is no node in PATH: ecosystem.config.js is left out")
    measure_apply(context, hearth, applied, again, works)
    return [jlist, table, added, node, applied, again, works]


def measure_lists(context, hearth, jlist, table):
    with living(context, hearth) as manager:
        pm2 = os.path.join(manager.home, "pm2")
        os.symlink(os.path.join(context.binaries, "hearth"), pm2)
        environment = dict(manager.environment, PM2_HOME=os.path.join(manager.home, "p"))
        environment.pop("HEARTH_HOME", None)
        manager.prepare(manager.names(APPS))
        try:
            run([pm2, "start", os.path.join(manager.home, "apps.json")], environment, context.output)
            time.sleep(1.6)
            found = json.loads(run([pm2, "jlist"], environment, context.output).output)
            if sum(app["pm2_env"]["status"] == "online" for app in found) != APPS:
                raise CommandFailed(f"pm2 jlist shows {len(found)} apps, and not all of them online")
            for command, figure in (("jlist", jlist), ("list", table)):
                figure.add("hearth", [run([pm2, command], environment, context.output).ms for _ in range(context.pick(40, 20))])
        finally:
            run([pm2, "kill"], environment, context.output, check=False)


def measure_ecosystem(context, hearth, added, node):
    with living(context, hearth) as manager:
        path = os.path.join(manager.home, "ecosystem.config.js")
        program, *arguments = manager.app_command("one")
        app = {"name": "one", "script": program, "args": arguments, "interpreter": "none", "cwd": manager.home}
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"module.exports = {{ apps: [{json.dumps(app)}] }}\n")
        evaluate = [shutil.which("node"), "-e", "process.stdout.write(JSON.stringify(require(process.argv[1])))", path]
        # Hearth looks for node in PATH, too.
        environment = dict(manager.environment, PATH=os.environ.get("PATH", "/usr/bin:/bin"))
        alone, over = [], []
        for _ in range(context.pick(30, 10)):
            own = run(evaluate, environment, context.output).ms
            started = run(manager.command("start", path), environment, context.output).ms
            manager.run(manager.command("delete", "one"))
            alone.append(own)
            over.append(max(0.0, started - own))
        node.add("hearth", alone)
        added.add("hearth", over)


def measure_apply(context, hearth, applied, again, works):
    with living(context, hearth) as manager:
        manager.prepare(manager.names(1000))
        path = os.path.join(manager.home, "apps.json")
        applied.add("hearth", manager.run(manager.command("apply", path)).ms)
        again.add("hearth", manager.run(manager.command("apply", path)).ms)
        output = manager.run(manager.command("list", "--json")).output
        works.add("hearth", output.count('"status":"online"') or output.count('"status" : "online"'))
