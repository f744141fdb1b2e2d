"""What the daemon does while nothing happens: processor time and wake-ups with 100 sleeping apps."""

import contextlib
import time

from scenarios import living
from support.figures import Figure
from support.processes import CommandFailed, Usage

NAME = "idle"
TITLE = "100 idle apps: what the daemon does meanwhile"

APPS = 100


def run_scenario(context, managers):
    settle, window = context.pick((31, 60), (8, 15))
    # The daemon looks at a new process for the last time after 30 s: with less rest that look is in the window.
    judged = settle > 30
    percent = Figure("processor time", "%", must=0.1 if judged else None)
    ticks = Figure(f"processor ticks (10 ms) in {window} s", "ticks")
    switches = Figure("wake-ups (voluntary context switches)", "1/s", aim=0.5 if judged else None)
    keeper = Figure("wake-ups of the keeper", "1/s")
    percent.note = f"measured for {window} s after {settle} s of rest, all managers at the same time; Hearth: hearthd and keeper"
    switches.note = "hearthd alone"

    with contextlib.ExitStack() as stack:
        fleets = []
        for manager in managers:
            try:
                instance = stack.enter_context(living_together(context, manager))
                instance.start(APPS)
                fleets.append((instance, instance.daemons()))
            except (CommandFailed, OSError) as error:
                if manager.name == "hearth":
                    raise
                context.say(f"{manager.name} is left out: {error}")
        time.sleep(settle)
        before = {(fleet.name, role): Usage([pid]) for fleet, daemons in fleets for role, pid in daemons.items()}
        began = time.monotonic()
        time.sleep(window)
        took = time.monotonic() - began
        for fleet, daemons in fleets:
            used = {role: Usage([pid]).since(before[fleet.name, role]) for role, pid in daemons.items()}
            run_ns = sum(usage.run_ns for usage in used.values()) or sum(usage.ticks for usage in used.values()) * 10_000_000
            percent.add(fleet.name, run_ns / took / 1e7)
            ticks.add(fleet.name, sum(usage.ticks for usage in used.values()))
            own = [usage.voluntary for role, usage in used.items() if role != "keeper"]
            switches.add(fleet.name, sum(own) / took)
            if "keeper" in used:
                keeper.add(fleet.name, used["keeper"].voluntary / took)
    return [percent, ticks, switches, keeper]


@contextlib.contextmanager
def living_together(context, manager):
    """As `living`, but what is left of one manager is not looked for while the others run."""
    instance = manager(context)
    try:
        instance.up()
        yield instance
    finally:
        instance.close()
