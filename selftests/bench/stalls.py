# SPDX-License-Identifier: GPL-2.0
"""How long writers were held up beyond what the host held them for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A stretch of the guest's time, in nanoseconds."""
    start: int
    end: int

    def overlap(self, other):
        return max(0, min(self.end, other.end) - max(self.start, other.start))

    def touches(self, other):
        return self.start <= other.end and other.start <= self.end


def parse(text):
    """The log of one writer."""
    return [Span(*map(int, line.split())) for line in text.splitlines()]


def longest(writes, cycle, hold):
    """The longest of a writer's writes under way during the cycle, from the
    host's freeze command to the answer of its thaw, without the hold, which
    is from the answer of the freeze to the thaw command."""
    return max((write.end - write.start - write.overlap(hold)
                for write in writes if write.touches(cycle)), default=0)
