"""1,000 apps under one daemon."""

import time

from scenarios import living
from scenarios.crash import kill_each
from scenarios.listing import answers
from support.figures import Figure
from support.processes import CommandFailed, memory

NAME = "thousand"
TITLE = "1,000 apps"


def run_scenario(context, managers):
    count = 1000
    works = Figure("apps that run after the start", "", exactly=count)
    start = Figure("start from one file: all run, command returned", "ms")
    listing = Figure("list", "ms", must=50)
    json_listing = Figure("list --json", "ms", must=50)
    answer = Figure("of that: the daemon's answer to List", "ms")
    resident = Figure("hearthd, quiet: resident (RSS)", "MB", must=25)
    private = Figure("hearthd, quiet: private, written", "MB")
    busy = Figure("hearthd, right after a list: resident (RSS)", "MB")
    crash = Figure("SIGKILL to first statement of the new process", "ms")
    restart = Figure("restart all: all run anew, command returned", "ms")
    delete = Figure("delete all: none is left, command returned", "ms")
    start.note = "Hearth alone: supervisord needs 5 descriptors for each app and stops below 250 with the usual limits"

    hearth = managers[0]
    if hearth.name != "hearth":
        raise CommandFailed("this scenario is about Hearth alone")
    with living(context, hearth) as manager:
        total, _ = manager.start(count)
        start.add("hearth", total)
        time.sleep(1.6)
        commands = manager.list_commands()
        output = manager.run(commands["list --json"]).output
        works.add("hearth", output.count('"status":"online"') or output.count('"status" : "online"'))
        runs = context.pick(20, 10)
        samples = {label: [] for label in commands}
        for _ in range(runs):
            for label, command in commands.items():
                samples[label].append(manager.run(command).ms)
        listing.add("hearth", samples["list"])
        json_listing.add("hearth", samples["list --json"])
        answer.add("hearth", answers(manager, runs))
        pid = manager.daemons()["hearthd"]
        busy.add("hearth", memory([pid])["rss"] / 1024)
        time.sleep(2.5)
        found = memory([pid])
        resident.add("hearth", found["rss"] / 1024)
        private.add("hearth", found["private"] / 1024)
        crash.add("hearth", kill_each(manager, list(manager.pids)[: context.pick(40, 20)]))
        time.sleep(1.6)
        restart.add("hearth", manager.restart_all()[0])
        time.sleep(1.6)
        delete.add("hearth", manager.delete_all())
    return [works, start, listing, json_listing, answer, resident, private, busy, crash, restart, delete]
