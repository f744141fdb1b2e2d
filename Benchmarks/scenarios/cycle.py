"""Start 100 apps from one file, restart all of them, delete all of them; several rounds."""

import time

from scenarios import each, remarks
from support.figures import Figure

NAME = "cycle"
TITLE = "100 apps that exit at once on the signal: start, restart all, delete all"

APPS = 100


def run_scenario(context, managers):
    start = Figure("start from one file: all run, command returned", "ms", must=400, aim=150)
    running = Figure("of that: until the last app runs", "ms")
    restart = Figure("restart all: all run anew, command returned", "ms", must=2000, aim=500)
    again = Figure("of that: until the last app runs anew", "ms")
    delete = Figure("delete all: none is left, command returned", "ms", must=1000, aim=300)
    start.note, restart.note, delete.note = (
        remarks(managers, "start"),
        remarks(managers, "restart"),
        remarks(managers, "delete"),
    )

    def measure(manager):
        rounds = context.pick(7, 3) if manager.name == "hearth" else context.pick(3, 1)
        samples = {figure: [] for figure in (start, running, restart, again, delete)}
        for _ in range(rounds):
            total, last = manager.start(APPS)
            samples[start].append(total)
            samples[running].append(last)
            # Apps that have run for less than a second are unstable in the eyes of every manager.
            time.sleep(1.6)
            total, last = manager.restart_all()
            samples[restart].append(total)
            samples[again].append(last)
            time.sleep(1.6)
            samples[delete].append(manager.delete_all())
            time.sleep(0.3)
        for figure, values in samples.items():
            figure.add(manager.name, values)

    each(context, managers, measure)
    return [start, running, restart, again, delete]
