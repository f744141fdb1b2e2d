"""Processes: start and time them, read what the kernel knows of them, and leave none behind."""

import ctypes
import os
import select
import signal
import time

PR_SET_CHILD_SUBREAPER = 36


class CommandFailed(Exception):
    """A command that a scenario needs did not do its work."""


def boottime_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def become_subreaper():
    """Daemons that detach become our children, so that `kill_descendants` finds every one of them."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


# --- starting ------------------------------------------------------------------------------------------


class Finished:
    """A command that has ended: how long it took as a whole process, and what it printed."""

    def __init__(self, began, ended, code, output, cpu_ms=None):
        self.began, self.ended, self.code, self.output, self.cpu_ms = began, ended, code, output, cpu_ms

    @property
    def ms(self):
        return (self.ended - self.began) / 1e6


def run(arguments, environment, output, timeout=60, check=True):
    """Runs a command to its end; stdout and stderr go to the file `output`.

    posix_spawn and one waitpid: what is measured is the process, not the machinery around it.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    began = boottime_ns()
    pid = os.posix_spawn(arguments[0], arguments, environment, file_actions=actions)
    watched = os.pidfd_open(pid)
    try:
        ready, _, _ = select.select([watched], [], [], timeout)
        if not ready:
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
    finally:
        os.close(watched)
    ended = boottime_ns()
    with open(output, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if not ready:
        raise CommandFailed(f"'{' '.join(arguments[:6])}' did not end within {timeout} s")
    code = os.waitstatus_to_exitcode(status)
    if check and code != 0:
        raise CommandFailed(f"'{' '.join(arguments[:6])}' ended with {code}: {text.strip()[-500:]}")
    return Finished(began, ended, code, text, (usage.ru_utime + usage.ru_stime) * 1e3)


def wait_until(condition, timeout, what, pause=0.002):
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise CommandFailed(f"{what}: not within {timeout} s")
        time.sleep(pause)


# --- looking -------------------------------------------------------------------------------------------


def _text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def _stat(pid):
    """The fields of /proc/PID/stat after the command's name; the state is the first."""
    return _text(f"/proc/{pid}/stat").rpartition(")")[2].split()


def command_name(pid):
    return _text(f"/proc/{pid}/comm").strip()


def command_line(pid):
    return _text(f"/proc/{pid}/cmdline").replace("\0", " ").strip()


def is_alive(pid):
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def memory(pids):
    """Kilobytes, summed over the processes."""
    sums = {"rss": 0, "pss": 0, "anonymous": 0, "private": 0}
    names = {
        "Rss:": "rss",
        "Pss:": "pss",
        "Anonymous:": "anonymous",
        "Private_Dirty:": "private",
    }
    for pid in pids:
        for line in _text(f"/proc/{pid}/smaps_rollup").splitlines():
            words = line.split()
            if words and words[0] in names:
                sums[names[words[0]]] += int(words[1])
    return sums


class Usage:
    """Processor time and context switches of processes up to now."""

    def __init__(self, pids):
        self.ticks = self.run_ns = self.voluntary = self.involuntary = 0
        for pid in pids:
            fields = _stat(pid)
            if fields:
                self.ticks += int(fields[11]) + int(fields[12])
            for task in _names(f"/proc/{pid}/task"):
                # Nanoseconds on a processor: 0 where the kernel keeps no such books.
                self.run_ns += int((_text(f"/proc/{pid}/task/{task}/schedstat").split() or ["0"])[0])
                for line in _text(f"/proc/{pid}/task/{task}/status").splitlines():
                    if line.startswith("voluntary_ctxt_switches:"):
                        self.voluntary += int(line.split()[1])
                    elif line.startswith("nonvoluntary_ctxt_switches:"):
                        self.involuntary += int(line.split()[1])

    def since(self, former):
        difference = Usage([])
        for name in ("ticks", "run_ns", "voluntary", "involuntary"):
            setattr(difference, name, getattr(self, name) - getattr(former, name))
        return difference


def _names(directory):
    try:
        return os.listdir(directory)
    except (FileNotFoundError, ProcessLookupError):
        return []


# --- ending --------------------------------------------------------------------------------------------


def descendants(root=None):
    """Pids of all processes below `root` (us), parents before children."""
    children = {}
    for name in _names("/proc"):
        if name.isdigit():
            fields = _stat(name)
            if fields:
                children.setdefault(int(fields[1]), []).append((int(name), fields[0]))
    found, queue = [], [root or os.getpid()]
    while queue:
        for pid, state in children.get(queue.pop(0), []):
            found.append((pid, state))
            queue.append(pid)
    return found


def reap_children():
    """Collects those that have ended, as init does: who loses its parent becomes our child."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def kill_descendants(timeout=20):
    """Ends every process that came from us, supervisors first so that none of them starts another app."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        living = descendants()
        if not living:
            return True
        for pid, state in living:
            try:
                if state not in "ZX":
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap_children()
        time.sleep(0.01)
    return False
