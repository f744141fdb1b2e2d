"""SIGKILL of an app under the default policy: until the first statement of the new process, and until it is known."""

import os
import signal
import time

from scenarios import each
from support.figures import Figure
from support.processes import CommandFailed, boottime_ns

NAME = "crash"
TITLE = "crash to new pid running: SIGKILL, default policy, 100 apps"

APPS = 100


def run_scenario(context, managers):
    first = Figure(
        "SIGKILL to first statement of the new process",
        "ms",
        must=3 if context.compiler else None,
        aim=1 if context.compiler else None,
        note=None if context.compiler else "the app is a Python script, as there is no C compiler: not judged",
    )
    known = Figure("SIGKILL to 'online' in a client of the event stream", "ms")

    def measure(manager):
        manager.start(APPS)
        # A crash in the first second counts as an unstable start, for which every manager has other rules.
        time.sleep(1.6)
        names = list(manager.pids)
        kills = context.pick(60, 50)
        first.add(manager.name, [value for value in kill_each(manager, names[:kills])])
        if manager.name == "hearth":
            known.add("hearth", known_by_events(manager, names[kills:]))

    each(context, managers, measure)
    return [first, known]


def kill_each(manager, names, budget=40, pause=0.03):
    """Kills one app after the other; milliseconds to the first statement of each successor."""
    values = []
    end = time.monotonic() + budget
    for name in names:
        began = boottime_ns()
        os.kill(manager.pids[name], signal.SIGKILL)
        # The stamp has the exact time; how soon we look at it does not matter, so we leave the processors alone.
        time.sleep(0.004)
        stamp = manager.stamps.wait(1, 10, f"{manager.name} restarts {name}", 0.002, lambda stamp: stamp.name == name)[0]
        manager.pids[name] = stamp.pid
        values.append((stamp.ns - began) / 1e6)
        if time.monotonic() > end and len(values) >= 10:
            break
        time.sleep(pause)
    return values


def known_by_events(manager, names):
    connection = manager.connect()
    connection.send("Events", {"selectors": []}, more=True)
    time.sleep(0.1)
    values = []
    for name in names:
        began = boottime_ns()
        os.kill(manager.pids[name], signal.SIGKILL)
        while True:
            event = connection.receive()["event"]
            if event["kind"] == "online" and event.get("name") == name:
                break
        values.append((boottime_ns() - began) / 1e6)
        stamp = manager.stamps.wait(1, 10, f"restart of {name}")[0]
        if stamp.pid != event.get("pid"):
            raise CommandFailed(f"the event says that {name} has pid {event.get('pid')}, the app says {stamp.pid}")
        manager.pids[name] = stamp.pid
        time.sleep(0.03)
    connection.close()
    return values
