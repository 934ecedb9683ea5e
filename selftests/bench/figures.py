# SPDX-License-Identifier: GPL-2.0
"""Figures of a benchmark: medians, ratios to stock, targets, the table."""

import statistics
from dataclasses import dataclass, field

STOCK = "stock"
SUBJECTS = ("module", "fallback")
COLUMNS = (STOCK, *SUBJECTS)


@dataclass
class Row:
    """One thing that is measured, for all columns.

    A target is the most that a subject's ratio to stock may be, or, if it is
    absolute, its value.
    """
    name: str
    unit: str
    targets: dict = field(default_factory=dict)     # of subjects
    absolute: bool = False
    ideal: float = None                             # in the row's unit
    samples: dict = field(default_factory=lambda: {c: [] for c in COLUMNS})

    def add(self, column, value):
        self.samples[column].append(value)

    def value(self, column):
        """The median, or None without a sample."""
        samples = self.samples[column]
        return statistics.median(samples) if samples else None

    def ratio(self, value):
        """To stock; None if there is nothing to compare."""
        stock = self.value(STOCK)
        if value is None or not stock:
            return None
        return value / stock

    def judged(self, subject):
        """What is held against the target."""
        value = self.value(subject)
        return value if self.absolute else self.ratio(value)

    def met(self, subject):
        """None if the row has no target for the subject."""
        if subject not in self.targets:
            return None
        judged = self.judged(subject)
        return judged is not None and judged <= self.targets[subject]


def number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio_text(value):
    return "-" if value is None else f"{value:.2f}" if value >= 0.1 \
        else f"{value:.3f}"


def target_text(row, subject):
    if subject not in row.targets:
        return ""
    verdict = "met" if row.met(subject) else "MISSED"
    return f"<= {row.targets[subject]:g} {verdict}"


def table(rows):
    """Lines of text."""
    cells = [["", "", STOCK, "ideal"]]
    for subject in SUBJECTS:
        cells[0] += [subject, "ratio", "target"]
    for row in rows:
        ideal = row.ratio(row.ideal)
        line = [row.name, row.unit, number(row.value(STOCK)),
                "" if ideal is None else ratio_text(ideal)]
        for subject in SUBJECTS:
            value = row.value(subject)
            line += [number(value), ratio_text(row.ratio(value)),
                     target_text(row, subject)]
        cells.append(line)
    widths = [max(map(len, column)) for column in zip(*cells)]
    texts = {0, 1, 6, 9}            # columns that are no numbers
    for line in cells:
        yield "  ".join(
            cell.ljust(width) if index in texts else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths))).rstrip()


def verdict(rows):
    """(were all targets met, one line that says so)."""
    judged = [(row, subject) for row in rows for subject in SUBJECTS
              if row.met(subject) is not None]
    missed = [f"{subject}: {row.name}" for row, subject in judged
              if not row.met(subject)]
    line = f"{len(judged) - len(missed)} of {len(judged)} targets met"
    if missed:
        line += f"; missed: {'; '.join(missed)}"
    return not missed and bool(judged), line


def as_data(rows):
    """For json.dump()."""
    return [{"name": row.name, "unit": row.unit, "ideal": row.ideal,
             "absolute": row.absolute, "columns": {
                 column: {"median": row.value(column),
                          "ratio": row.ratio(row.value(column)),
                          "target": row.targets.get(column),
                          "met": row.met(column),
                          "samples": row.samples[column]}
                 for column in COLUMNS}}
            for row in rows]
