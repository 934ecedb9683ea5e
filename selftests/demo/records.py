# SPDX-License-Identifier: GPL-2.0
"""What writer.c leaves behind: its files, its progress, its stalls."""

from dataclasses import dataclass

RECORD_SIZE = 32


@dataclass
class Stall:
    """One write that took long; seconds of the guest's /proc/uptime."""
    start: float
    end: float
    path: str

    @property
    def length(self):
        return self.end - self.start


def count_records(data):
    """How many; raises ValueError unless they are 1, 2, 3, ... and whole."""
    nr, rest = divmod(len(data), RECORD_SIZE)
    if rest:
        raise ValueError(f"a torn record after {nr}")
    for number in range(1, nr + 1):
        end = number * RECORD_SIZE
        if data[end - RECORD_SIZE:end] != b"%0*d\n" % (RECORD_SIZE - 1, number):
            raise ValueError(f"record {number} is not there")
    return nr


def acknowledged(progress, nr_files):
    """How many records of each file are known to be on stable storage."""
    number, last = (int(word) for word in progress.split())
    return [number if i <= last else number - 1 for i in range(nr_files)]


def order_problems(counts, acked):
    """counts: of the files, in the order in which they are written."""
    found = []
    for before, after in zip(counts, counts[1:]):
        if after > before:
            found.append(f"a later file has record {after}, an earlier one"
                         f" ends at {before}")
    if counts[-1] < counts[0] - 1:
        found.append(f"the last file ends at {counts[-1]}, the first at"
                     f" {counts[0]}")
    for count, promised in zip(counts, acked):
        if count < promised:
            found.append(f"record {promised} was synced, {count} are there")
    return found


def parse_stalls(text):
    stalls = []
    for line in text.splitlines():
        start, end, path = line.split(" ", 2)
        stalls.append(Stall(int(start) / 1e9, int(end) / 1e9, path))
    return stalls
