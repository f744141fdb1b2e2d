"""One module for each scenario: NAME, TITLE, and run(context, managers) which returns figures."""

import contextlib

from support.processes import CommandFailed, kill_descendants


def each(context, managers, body):
    """Runs `body` with every manager, one after the other, each alone on the machine as far as we know.

    A peer that fails is left out and that is said; when Hearth fails, the scenario does.
    """
    for manager in managers:
        try:
            with living(context, manager) as instance:
                body(instance)
        except (CommandFailed, OSError) as error:
            if manager.name == "hearth":
                raise
            context.say(f"{manager.name} is left out: {error}")


@contextlib.contextmanager
def living(context, manager):
    instance = manager(context)
    try:
        instance.up()
        yield instance
    finally:
        try:
            instance.close()
        finally:
            kill_descendants()


def remarks(managers, *verbs):
    """What is not quite the same in a peer."""
    texts = [f"{manager.name}: {manager.remarks[verb]}" for manager in managers for verb in verbs if verb in manager.remarks]
    return "; ".join(texts) or None
