"""`list` with 100 apps, as a whole process."""

import time

from scenarios import each
from support.figures import Figure
from support.processes import run

NAME = "list"
TITLE = "hearth list with 100 apps, the whole process"

APPS = 100
QUIET = 2.2


def run_scenario(context, managers):
    figures = {
        "list": Figure("list", "ms", must=10, aim=5),
        "list --json": Figure("list --json", "ms", must=10, aim=5),
    }
    rested = Figure(f"list, the first after {QUIET} s without one", "ms", must=10, aim=5)
    rested.note = "what a person sees; in the rows above the daemon's last look at the processes is under a second old"
    processor = {
        "list": Figure("list: processor time of the command", "ms"),
        "list --json": Figure("list --json: processor time of the command", "ms"),
    }
    answer = Figure("of that: the daemon's answer to List", "ms")
    floor = Figure("for comparison: a program that does nothing", "ms", note="what starting and ending any process costs here")
    runs = context.pick(40, 20)

    def measure(manager):
        manager.start(APPS)
        time.sleep(1.5)
        samples = {label: [] for label in manager.list_commands()}
        used = {label: [] for label in manager.list_commands()}
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
                finished = manager.run(command)
                samples[label].append(finished.ms)
                used[label].append(finished.cpu_ms)
            floors.append(run([*context.app], manager.environment, context.output).ms)
            if time.monotonic() > deadline and len(floors) >= 20:
                break
        for label, values in samples.items():
            figures[label].add(manager.name, values)
            processor[label].add(manager.name, used[label])
        label, command = next(iter(manager.list_commands().items()))
        pauses = []
        for _ in range(context.pick(12, 5) if manager.name == "hearth" else context.pick(4, 2)):
            time.sleep(QUIET)
            pauses.append(manager.run(command).ms)
        rested.add(manager.name, pauses)
        if manager.name == "hearth":
            floor.add("hearth", floors)
            answer.add("hearth", answers(manager, runs))

    each(context, managers, measure)
    return [*figures.values(), rested, *processor.values(), answer, floor]


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
