"""`list` with 100 apps, as a whole process."""

import time

from scenarios import each
from support.figures import Figure
from support.processes import run

NAME = "list"
TITLE = "hearth list with 100 apps, the whole process"

APPS = 100


def run_scenario(context, managers):
    figures = {
        "list": Figure("list", "ms", must=10, aim=5),
        "list --json": Figure("list --json", "ms", must=10, aim=5),
    }
    answer = Figure("of that: the daemon's answer to List", "ms")
    floor = Figure("for comparison: a program that does nothing", "ms", note="what starting and ending any process costs here")
    runs = context.pick(40, 20)

    def measure(manager):
        manager.start(APPS)
        time.sleep(1.5)
        samples = {label: [] for label in manager.list_commands()}
        floors = []
        for label, command in manager.list_commands().items():
            output = manager.run(command).output
            seen = sum(name in output for name in manager.names(APPS))
            if seen != APPS:
                context.say(f"{manager.name} {label} shows {seen} of {APPS} apps")
        deadline = time.monotonic() + 60
        # One after the other in each round: a busy moment of the machine meets all of them.
        for _ in range(runs):
            for label, command in manager.list_commands().items():
                samples[label].append(manager.run(command).ms)
            floors.append(run([*context.app], manager.environment, context.output).ms)
            if time.monotonic() > deadline and len(floors) >= 20:
                break
        for label, values in samples.items():
            figures[label].add(manager.name, values)
        if manager.name == "hearth":
            floor.add("hearth", floors)
            answer.add("hearth", answers(manager, runs))

    each(context, managers, measure)
    return [*figures.values(), answer, floor]


def answers(manager, count):
    connection = manager.connect()
    values = []
    for _ in range(count):
        began = time.perf_counter_ns()
        connection.send("List", {"selectors": []})
        connection.receive_bytes()
        values.append((time.perf_counter_ns() - began) / 1e6)
        # A person's pace: what the daemon keeps from one answer to the next has got old.
        time.sleep(0.03)
    connection.close()
    return values
