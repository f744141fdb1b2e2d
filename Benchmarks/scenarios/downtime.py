"""Requests while apps are replaced and daemons die: none may fail. And what a cluster without a primary gains."""

import os
import shutil
import subprocess
import time

from scenarios import living
from scenarios.crash import kill_each, known_by_events
from scenarios.strikes import strike_daemons
from support.figures import Figure
from support.load import Load, free_port
from support.processes import CommandFailed
from support.site import PROGRAMS, Site

NAME = "downtime"
TITLE = "replacing apps that serve: throughput, failed requests, a neighbour's crash"

NEIGHBOURS = 20
MODES = {"Connection: close": False, "keep-alive": True}


def run_scenario(context, managers):
    hearth = managers[0]
    if hearth.name != "hearth":
        raise CommandFailed("this scenario is about Hearth alone")
    absent = [program for program in ("node", "wrk") if not shutil.which(program)]
    if absent:
        context.say(f"left out: there is no {' and no '.join(absent)} in PATH")
        return []
    figures = measure_throughput(context, hearth)
    figures += measure_reloads(context, hearth)
    figures += measure_strikes(context, hearth)
    figures += measure_neighbour(context, hearth)
    return figures


# --- throughput ----------------------------------------------------------------------------------------


def measure_throughput(context, hearth):
    seconds = context.pick(5, 2)
    figures = []
    with living(context, hearth) as manager:
        own = Site.node(manager, "server")
        port = free_port()
        environment = dict(manager.environment, PORT=str(port))
        with open(context.output, "w", encoding="utf-8") as output:
            script = os.path.join(PROGRAMS, "primary.js")
            subprocess.Popen([shutil.which("node"), script], env=environment, stdout=output, stderr=output)
        genuine = Site(manager, "primary", port)
        genuine.await_answer()
        for mode, keep_alive in MODES.items():
            for site in (own, genuine):
                throughput(site, keep_alive, 1)  # compiles
            rates = {own: [], genuine: []}
            for number in range(3):
                # Whoever is first has the colder or the warmer machine: by turns.
                for site in (own, genuine) if number % 2 == 0 else (genuine, own):
                    rates[site].append(throughput(site, keep_alive, seconds))
            ratio = Figure(f"cluster of 2, {mode}: Hearth's throughput by that of Node's own cluster", "x", at_least=1.0 if keep_alive else 1.2)
            of_hearth = Figure(f"cluster of 2, {mode}: under Hearth", "req/s").add("hearth", rates[own])
            of_node = Figure(f"for comparison: under Node's own cluster, {mode}", "req/s").add("hearth", rates[genuine])
            ratio.add("hearth", of_hearth.own.median / of_node.own.median)
            figures += [ratio, of_hearth, of_node]
    return figures


def throughput(site, keep_alive, seconds):
    load = Load(site.port, keep_alive, connections=64, threads=2)
    time.sleep(seconds)
    tally = load.stop()
    if tally.failed:
        raise CommandFailed(f"{site.name}, without any reload: requests failed, {tally.text}")
    return tally.per_second


# --- reloads -------------------------------------------------------------------------------------------


def measure_reloads(context, hearth):
    reloads = context.pick(10, 3)
    figures, requests = [], 0
    makers = []
    for mode, keep_alive in MODES.items():
        for handler, delay in (("sync", False), ("async, 5 to 25 ms", True)):
            makers.append((f"cluster, {mode}, {handler}", keep_alive, lambda manager, delay=delay: Site.node(manager, "server", delay=delay)))
    if shutil.which("gunicorn"):
        makers.append(("gunicorn on a held socket, Connection: close", False, Site.gunicorn))
    else:
        context.say("there is no gunicorn in PATH: its reloads are left out")
    for what, keep_alive, make in makers:
        with living(context, hearth) as manager:
            tally = reload_under_load(make(manager), keep_alive, reloads)
        figures.append(Figure(f"failed requests, {reloads} reloads of 2 instances: {what}", "", exactly=0, note=tally.text).add("hearth", tally.failed))
        requests += tally.requests
    # So many that a rare failure would show.
    total = Figure("requests meanwhile, all of them", "requests", at_least=None if context.quick else 50_000)
    return figures + [total.add("hearth", requests)]


def reload_under_load(site, keep_alive, reloads):
    load = Load(site.port, keep_alive)
    for number in range(reloads):
        time.sleep(0.3)
        if number == reloads - 1:
            load.mark()
        before = load.read_bytes
        site.reload()
        if load.read_bytes == before:
            raise CommandFailed(f"{site.name}: nobody was answered during a reload")
    time.sleep(1)
    return load.stop()


# --- deaths --------------------------------------------------------------------------------------------


def measure_strikes(context, hearth):
    seconds = context.pick(60, 12)
    with living(context, hearth) as manager:
        site = Site.node(manager, "server")
        loads = [Load(site.port, keep_alive, connections=16) for keep_alive in MODES.values()]
        count, met = strike_daemons(manager, site, seconds)
        for load in loads:
            load.mark()
        site.reload()
        time.sleep(1)
        tallies = [load.stop() for load in loads]
    figure = Figure(f"failed requests, SIGKILL of hearthd, keeper, both by turns every 2 s for {seconds} s", "", exactly=0)
    texts = [f"{mode} {tally.text}" for mode, tally in zip(MODES, tallies)]
    figure.note = f"{count} strikes; {'; '.join(texts)}"
    # Else nothing is shown of reloads that are cut off.
    during = Figure("strikes that met a reload", "", at_least=None if context.quick else 4)
    return [figure.add("hearth", sum(tally.failed for tally in tallies)), during.add("hearth", met)]


# --- a neighbour ---------------------------------------------------------------------------------------


def measure_neighbour(context, hearth):
    first = Figure("hanging reload: SIGKILL of another app to first statement of its next process", "ms", must=5 if context.compiler else None)
    known = Figure("hanging reload: the same to 'online' in a client of the event stream", "ms")
    with living(context, hearth) as manager:
        manager.start(2 * NEIGHBOURS)
        ready = os.path.join(manager.home, "ready")
        with open(ready, "w", encoding="utf-8"):
            pass
        site = Site.node(manager, "hanging", "--wait-ready", "--listen-timeout", "120s", variables={"READY": ready})
        pids = site.pids()
        os.unlink(ready)
        reload = subprocess.Popen(
            manager.command("reload", site.name), env=manager.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        site.await_processes(3)
        # A crash in the first second counts as an unstable start.
        time.sleep(1.6)
        names = list(manager.pids)
        first.add("hearth", kill_each(manager, names[:NEIGHBOURS]))
        known.add("hearth", known_by_events(manager, names[NEIGHBOURS:]))
        if reload.poll() is not None or not pids <= set(site.processes()):
            raise CommandFailed("the reload that should hang has ended meanwhile")
    return [first, known]
