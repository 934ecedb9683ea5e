# SPDX-License-Identifier: GPL-2.0
"""Progress lines while the demo runs, and the table at its end."""

import textwrap
import time

SEEN_WIDTH = 76     # in the table; the line before it says all

class Verdicts:
    def __init__(self):
        self._start = time.monotonic()
        self._rows = []

    def say(self, text):
        print(f"[{time.monotonic() - self._start:4.0f}s] {text}", flush=True)

    def check(self, claim, holds, seen):
        """One row of the table: a claim, and what was seen."""
        self._rows.append((bool(holds), claim, seen))
        self.say(f"  {self._word(holds)} {claim}: {seen}")

    def table(self):
        width = max(len(claim) for _, claim, _ in self._rows)
        lines = [f"{self._word(holds)}  {claim:{width}}  "
                 + textwrap.shorten(seen, SEEN_WIDTH, placeholder="...")
                 for holds, claim, seen in self._rows]
        failed = sum(not holds for holds, _, _ in self._rows)
        lines.append(f"{len(lines) - failed} passed, {failed} failed,"
                     f" {time.monotonic() - self._start:.0f} s")
        return "\n".join(lines)

    def all_hold(self):
        return bool(self._rows) and all(holds for holds, _, _ in self._rows)

    @staticmethod
    def _word(holds):
        return "PASS" if holds else "FAIL"
