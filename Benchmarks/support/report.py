"""The report: a table for each scenario, and the same as JSON."""

import json
import os
import platform
import time

from support.figures import number


def machine():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "kernel": platform.release(),
        "processor": model or platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def load():
    return round(os.getloadavg()[0], 2)


class ProcessorShare:
    """How much of the machine was busy meanwhile: by us, by others, taken by the host."""

    def __init__(self):
        self._began = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="utf-8") as file:
            return [int(word) for word in file.readline().split()[1:]]

    def busy_percent(self):
        delta = [now - then for now, then in zip(self._read(), self._began)]
        total = sum(delta[:8]) or 1
        return round(100 * (total - delta[3] - delta[4]) / total)


def table(figures, peers):
    head = ["", "median", "min", "max", "p95", "must", "aim", ""] + peers
    rows = [[""] * len(head)]
    for figure in figures:
        unit = figure.unit
        limit = f"<= {number(figure.must, unit)}" if figure.must is not None else ""
        if figure.exactly is not None:
            limit = f"= {number(figure.exactly, unit)}"
        if figure.at_least is not None:
            limit = f">= {number(figure.at_least, unit)}"
        row = [figure.name + (f" [{unit}]" if unit else "")]
        own = figure.own
        row += [number(value, unit) for value in (own.median, own.low, own.high, own.p95)] if own else ["-"] * 4
        row += [limit, f"<= {number(figure.aim, unit)}" if figure.aim is not None else "", figure.verdict]
        for peer in peers:
            samples = figure.samples.get(peer)
            ratio = figure.ratio(peer)
            cell = number(samples.median, unit) if samples else "-"
            row.append(cell + (f" ({ratio:.1f}x)" if ratio is not None else ""))
        rows.append(row)
    rows[0] = head
    used = [column for column in range(len(head)) if column < 4 or any(row[column] not in ("", "-") for row in rows[1:])]
    widths = {column: max(len(row[column]) for row in rows) for column in used}
    lines = []
    for index, row in enumerate(rows):
        cells = [row[c].ljust(widths[c]) if c in (0, 7) else row[c].rjust(widths[c]) for c in used]
        lines.append("  " + "  ".join(cells).rstrip())
        if index == 0:
            lines.append("  " + "-" * (sum(widths.values()) + 2 * len(used) - 2))
    notes = [f"  * {figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join(lines + notes)


def write_json(path, content):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
