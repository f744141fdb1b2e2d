"""Memory of the daemon with 0 and 100 apps: right after a burst, and when it has become quiet."""

import time

from scenarios import each
from support.figures import Figure
from support.processes import memory

NAME = "memory"
TITLE = "memory of what runs besides the apps"

APPS = 100
QUIET = 2.2


def run_scenario(context, managers):
    kinds = {"rss": "resident (RSS)", "pss": "proportional (PSS)", "anonymous": "anonymous", "private": "private, written"}
    limits = {
        ("rss", 0, "quiet"): (10, 6.5),
        ("rss", 100, "quiet"): (12, 8),
        ("private", 100, "quiet"): (4, 2),
    }
    figures = {}
    for apps in (0, APPS):
        for state, said in (("quiet", "quiet"), ("busy", "right after the burst")):
            for kind, name in kinds.items():
                must, aim = limits.get((kind, apps, state), (None, None))
                figures[kind, apps, state] = Figure(f"{apps} apps, {said}: {name}", "MB", must=must, aim=aim)
    keeper = Figure("keeper: resident (RSS), 100 apps", "MB", must=2.6, aim=1.3)
    keeper_private = Figure("keeper: private, written, 100 apps", "MB")
    figures["rss", APPS, "quiet"].note = (
        "peers: all their processes; Hearth's rows are hearthd alone, its keeper has rows of its own. "
        f"quiet: {QUIET} s after the last command"
    )

    def measure(manager):
        samples = {key: [] for key in figures}
        keepers = {"rss": [], "private": []}

        def look(apps, state):
            daemons = manager.daemons()
            main = [pid for role, pid in daemons.items() if role != "keeper"]
            found = memory(main)
            for kind in kinds:
                samples[kind, apps, state].append(found[kind] / 1024)
            if "keeper" in daemons and apps and state == "quiet":
                found = memory([daemons["keeper"]])
                keepers["rss"].append(found["rss"] / 1024)
                keepers["private"].append(found["private"] / 1024)

        look(0, "busy")
        time.sleep(QUIET)
        look(0, "quiet")
        manager.start(APPS)
        # What users do next: look at it.
        manager.run(next(iter(manager.list_commands().values())))
        look(APPS, "busy")
        # `look` is itself a call; the daemon counts its quiet time from the last one.
        time.sleep(QUIET)
        look(APPS, "quiet")
        for key, values in samples.items():
            figures[key].add(manager.name, values)
        keeper.add(manager.name, keepers["rss"])
        keeper_private.add(manager.name, keepers["private"])

    for _ in range(context.pick(3, 1)):
        collected = {key: dict(figure.samples) for key, figure in figures.items()}
        before = [dict(figure.samples) for figure in (keeper, keeper_private)]
        each(context, managers, measure)
        merge(figures.values(), collected.values())
        merge([keeper, keeper_private], before)
    return [*figures.values(), keeper, keeper_private]


def merge(figures, formers):
    """Adds the samples of the rounds before."""
    for figure, former in zip(figures, formers):
        for manager, samples in former.items():
            present = figure.samples.get(manager)
            if present is not samples:
                figure.add(manager, samples.values + (present.values if present else []))
