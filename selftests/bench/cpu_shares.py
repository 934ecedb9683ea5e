#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Who had the CPUs in each phase of a cycle? Reads what bench.py --trace left.

The phases are from kfreeze's own tracepoints: from kfreezed's first move to the
first flush, flush, freeze, thaw. In milliseconds of all CPUs.
"""

import re
import sys
from collections import Counter
from pathlib import Path

EVENT = re.compile(r"^ *(.+)-\d+ +\[(\d+)\] .{5} +([0-9.]+): (\w+): (.*)$")
SWITCH = re.compile(r"next_comm=(.*) next_pid=")
DURATION = re.compile(r" ns=(\d+)$")
STEPS = ("flush", "freeze", "thaw")
SHOWN = 6
# kworker/0:1H-kblockd, kworker/u4:3: what differs between them is the pool.
GROUPS = ((re.compile(r"^swapper/.*"), "idle"),
          (re.compile(r"^kworker/u.*"), "kworker, unbound"),
          (re.compile(r"^kworker/\d+:\d+H.*"), "kworker, block I/O"),
          (re.compile(r"^kworker/.*"), "kworker, RCU and others"))


def group(name):
    for pattern, text in GROUPS:
        if pattern.match(name):
            return text
    return name


def parse(text):
    """([(name, from, to)] of what ran, {step: (from, to)}), in ms."""
    running, runs, steps = {}, [], {}
    for line in text.splitlines():
        match = EVENT.match(line)
        if not match:
            continue
        cpu, now, event, rest = (match[2], float(match[3]) * 1000, match[4],
                                 match[5])
        if event == "sched_switch":
            if cpu in running:
                runs.append((*running[cpu], now))
            running[cpu] = (group(SWITCH.search(rest)[1]), now)
        elif event in STEPS:
            start = now - int(DURATION.search(rest)[1]) / 1e6
            first, last = steps.get(event, (start, now))
            steps[event] = (min(first, start), max(last, now))
    return runs, steps


def phases(runs, steps):
    """(name, from, to) of each."""
    woken = [start for name, start, _ in runs if name == "kfreezed"]
    if woken and "flush" in steps:
        yield "before", woken[0], steps["flush"][0]
    for step in STEPS:
        if step in steps:
            yield step, *steps[step]


def shares(runs, start, end):
    counter = Counter()
    for name, first, last in runs:
        counter[name] += max(0, min(last, end) - max(first, start))
    return counter.most_common(SHOWN)


def main():
    for path in map(Path, sys.argv[1:]):
        runs, steps = parse(path.read_text(encoding="utf-8"))
        print(path.name)
        for name, start, end in phases(runs, steps):
            print(f"  {name}: {end - start:.1f} ms: " + ", ".join(
                f"{who} {ms:.1f}" for who, ms in shares(runs, start, end)))


if __name__ == "__main__":
    main()
