"""Figures: samples with a median, and what the project has promised of them."""

import statistics

FORMATS = {"ms": "{:.2f}", "MB": "{:.2f}", "%": "{:.3f}", "1/s": "{:.2f}", "": "{:g}", "lines": "{:.0f}", "ticks": "{:.0f}", "x": "{:.2f}", "req/s": "{:.0f}", "requests": "{:.0f}"}


def number(value, unit):
    if value is None:
        return "-"
    if unit in ("ms", "MB") and value >= 100:
        return f"{value:.0f}"
    return FORMATS[unit].format(value)


class Samples:
    def __init__(self, values):
        self.values = sorted(values)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def low(self):
        return self.values[0]

    @property
    def high(self):
        return self.values[-1]

    @property
    def p95(self):
        """Nearest rank; only where there are enough samples to speak of it."""
        if len(self.values) < 20:
            return None
        return self.values[-(-len(self.values) * 95 // 100) - 1]

    def as_json(self):
        return {
            "median": self.median,
            "min": self.low,
            "max": self.high,
            "p95": self.p95,
            "samples": self.values,
        }


class Figure:
    """One row: a quantity of Hearth, its limits, and the same quantity of the peers."""

    def __init__(self, name, unit, must=None, aim=None, exactly=None, note=None, at_least=None):
        self.name, self.unit, self.must, self.aim, self.exactly, self.note = name, unit, must, aim, exactly, note
        self.at_least = at_least
        self.samples = {}

    def add(self, manager, values):
        values = values if isinstance(values, list) else [values]
        if values:
            self.samples[manager] = Samples(values)
        return self

    @property
    def own(self):
        return self.samples.get("hearth")

    @property
    def verdict(self):
        if self.own is None or all(limit is None for limit in (self.must, self.aim, self.exactly, self.at_least)):
            return ""
        value = self.own.median
        if self.exactly is not None:
            return "ok" if value == self.exactly else "MISSED"
        if self.at_least is not None:
            return "ok" if value >= self.at_least else "MISSED"
        if self.must is not None and value > self.must:
            return "MISSED"
        if self.aim is not None and value <= self.aim:
            return "ok, aim"
        return "ok" if self.must is not None else "aim missed"

    def ratio(self, manager):
        """How many times the peer's value ours is contained in it."""
        peer = self.samples.get(manager)
        if peer is None or self.own is None or self.own.median <= 0 or self.unit in ("lines",):
            return None
        return peer.median / self.own.median

    def as_json(self):
        return {
            "name": self.name,
            "unit": self.unit,
            "must": self.must if self.exactly is None else self.exactly,
            "atLeast": self.at_least,
            "aim": self.aim,
            "verdict": self.verdict or None,
            "note": self.note,
            "managers": {name: samples.as_json() for name, samples in self.samples.items()},
            "ratios": {name: self.ratio(name) for name in self.samples if name != "hearth"},
        }
