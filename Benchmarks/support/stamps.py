"""What the supervised apps say of themselves: the time of their first statement, their pid, their name."""

import os
import time

from support.processes import CommandFailed


class Stamp:
    def __init__(self, line):
        when, pid, self.name = line.split()
        self.ns, self.pid = int(when), int(pid)


class Stamps:
    """The file that the apps of one fleet append to."""

    def __init__(self, path):
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CREAT, 0o666)
        self._rest = b""

    def close(self):
        os.close(self._fd)

    def fresh(self):
        """The stamps that were added since the last call."""
        data = self._rest + os.read(self._fd, 1 << 20)
        whole, _, self._rest = data.rpartition(b"\n")
        return [Stamp(line) for line in whole.decode().splitlines() if line]

    def wait(self, count, timeout, what, pause=0.001, wanted=None):
        """The next `count` stamps; those that `wanted` turns down are not counted."""
        deadline = time.monotonic() + timeout
        found = []
        while len(found) < count:
            found += [stamp for stamp in self.fresh() if wanted is None or wanted(stamp)]
            if len(found) >= count:
                break
            if time.monotonic() > deadline:
                raise CommandFailed(f"{what}: {len(found)} of {count} apps within {timeout} s")
            time.sleep(pause)
        return found
