"""An app that writes 1,000,000 lines of 100 bytes, one write each: what that costs the daemon, and what arrives."""

import os
import signal
import time

from scenarios import each
from support.figures import Figure
from support.processes import Usage, boottime_ns

NAME = "lines"
TITLE = "an app writes 1,000,000 lines of 100 bytes"


def run_scenario(context, managers):
    count = context.pick(1_000_000, 200_000)
    ticks = Figure("processor ticks (10 ms) of the daemon", "ticks", exactly=0)
    milliseconds = Figure("processor time of the daemon", "ms")
    duration = Figure("time the app needs", "ms")
    arrived = Figure("lines in the log, in order and whole", "lines", exactly=count)
    milliseconds.note = "Hearth: hearthd and keeper; runit: with svlogd, its usual log reader"

    def measure(manager):
        manager.lines = count
        manager.start(1)
        (name, pid), daemons = next(iter(manager.pids.items())), list(manager.daemons().values())
        # The start itself is not what is measured here.
        time.sleep(1.5)
        before = Usage(daemons)
        began = boottime_ns()
        os.kill(pid, signal.SIGUSR1)
        done = manager.stamps.wait(1, 120, f"{manager.name}: the app writes", 0.05, lambda stamp: stamp.name.endswith(".done"))[0]
        # A reader may still be busy with what the app has long written.
        time.sleep(1)
        used = Usage(daemons).since(before)
        ticks.add(manager.name, used.ticks)
        milliseconds.add(manager.name, used.run_ns / 1e6)
        duration.add(manager.name, (done.ns - began) / 1e6)
        arrived.add(manager.name, contiguous(manager.output_files(name)))

    each(context, managers, measure)
    return [ticks, milliseconds, duration, arrived]


def contiguous(paths):
    """How many whole lines there are in order from the first on."""
    expected, rest = 1, b""
    for chunk in chunks(paths):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if len(line) != 99 or not line.startswith(b"%09d " % expected):
                return expected - 1
            expected += 1
    return expected - 1


def chunks(paths):
    for path in paths:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                yield chunk
