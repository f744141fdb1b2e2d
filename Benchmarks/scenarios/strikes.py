"""Deaths of hearthd and its keeper, one after the other."""

import os
import signal
import subprocess
import time

from support.processes import CommandFailed, reap_children, wait_until

INTERVAL = 2
VICTIMS = (("hearthd",), ("keeper",), ("hearthd", "keeper"))
#: Every so many strikes one meets a reload; no multiple of the victims' number, so that each of them is met.
RELOAD_EVERY = 4
#: Within this time one generation of the app is there, at the wanted count.
RECOVERY = 15


def strike_daemons(manager, site, seconds):
    """Kills them by turns for so long; how often, and how many of those met a reload.

    Afterwards both run, and two processes of the site.
    """
    reloads, met = [], 0
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        began = time.monotonic()
        daemons = await_daemons(manager, {})
        if number % RELOAD_EVERY == RELOAD_EVERY - 1:
            command = manager.command("reload", site.name)
            reloads.append(subprocess.Popen(command, env=manager.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            # Another moment of the reload each time.
            time.sleep(0.02 + number * 0.19 % 0.35)
            met += reloads[-1].poll() is None
        victims = {role: daemons[role] for role in VICTIMS[number % len(VICTIMS)]}
        for pid in victims.values():
            os.kill(pid, signal.SIGKILL)
        reap_children()
        if len(victims) == 2:
            manager.run(manager.command("up"))
        await_daemons(manager, victims)
        number += 1
        time.sleep(max(0, began + INTERVAL - time.monotonic()))
    for reload in reloads:
        # Its result does not matter: the daemon that it asked is dead.
        try:
            reload.wait(timeout=60)
        except subprocess.TimeoutExpired as error:
            raise CommandFailed("a 'hearth reload' whose daemon was killed does not end") from error

    def is_whole():
        reap_children()
        try:
            return len(site.processes()) == 2 and site.pids() == set(site.processes())
        except (OSError, CommandFailed):
            return False

    wait_until(is_whole, RECOVERY, f"two processes of {site.name}, all of one generation", 0.1)
    return number, met


def await_daemons(manager, dead):
    """Pids by role, none of them among the dead."""

    def living():
        reap_children()
        try:
            daemons = manager.daemons()
        except (OSError, CommandFailed, KeyError):
            return None
        return daemons if all(daemons.values()) and not set(daemons.values()) & set(dead.values()) else None

    return wait_until(living, RECOVERY, "hearthd and keeper are back", 0.02)
