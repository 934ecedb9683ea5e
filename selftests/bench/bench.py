#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Stock qemu-ga, kfreezed with the module, and kfreezed without it, in turn.

All three freeze the same disks of one Debian guest in the same run. Prints
a table of medians and ratios to stock, and leaves it in build/bench.json.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "vm"))

import bench_disks
import figures
import stalls
from agents import PORTS, Agents
from bench_disks import BenchDisks, make_disks
from figures import COLUMNS, Row
from guest import (PROGRAMS, TOP, CommandError, Guest, build_product,
                   default_kernel)
from guest_clock import GuestClock
from guest_dir import work_dir
from guest_trace import GuestTrace
from qemu import Port, VMError
from qga_client import AgentError, AgentTimeout

HERE = Path(__file__).parent
RESULT = TOP / "build/bench.json"
CLOCK_PORT = "bench.clock"
LOGS = "/run/bench"
FAILURES = (VMError, CommandError, AgentError, AgentTimeout, OSError,
            RuntimeError)

PARTS = ["idle", "ping", "clean", "dirty"]
CLEAN = (1, 4, 16, 64, 256)
FREEZE_TARGETS = {1: (0.5, 1.0), 4: (0.5, 1.0), 64: (0.03, 0.1),
                  256: (0.02, 0.1)}
REPEATS = {1: 3, 4: 3, 16: 2}   # in each round; the others once
WRITERS = {"write": "write()", "fsync": "write+fsync"}
WORST_TARGETS = {"write": (0.03, 0.15), "fsync": (0.08, 0.15)}
DIRTY_TARGETS = (0.3, 0.2)
THAW_TARGETS = (1.0, 1.0)
HOLD_SECONDS = 1.0              # what a host's snapshot takes
IDLE_SECONDS = 15
PINGS = 100
# The kernel shall not write anything back by itself.
KEEP_DIRTY = ("sysctl -q vm.dirty_writeback_centisecs=0"
              f" vm.dirty_background_bytes={1 << 30} vm.dirty_bytes={1 << 31}")
SYSTEM_MIB = 3072


def targets(pair):
    return dict(zip(figures.SUBJECTS, pair)) if pair else {}


class Bench:
    def __init__(self, options):
        self.options = options
        self.rows = []
        self.guest = self.agents = self.disks = self.clock = self.trace = None
        self.started = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.started:4.0f} s] {text}", flush=True)

    def row(self, *args, **kwargs):
        self.rows.append(Row(*args, **kwargs))
        return self.rows[-1]

    def each(self):
        """(round, column), in another order each round."""
        for turn in range(self.options.rounds):
            shift = turn % len(COLUMNS)
            for column in COLUMNS[shift:] + COLUMNS[:shift]:
                yield column

    def run(self, work):
        self.say("building kfreeze, making the disks")
        module = build_product(work / "install", self.options.kernel)
        self.guest = Guest(
            "bench", kernel=self.options.kernel, timeout=self.options.timeout,
            install=work / "install", module=module, memory=SYSTEM_MIB,
            programs=[HERE / "writer.c", HERE / "clock.c"],
            ports=[*PORTS, Port(CLOCK_PORT)], disks=make_disks(work))
        with self.guest:
            self.boot()
            if "idle" in self.options.parts:
                self.measure_idle()
            self.agents.start_all()
            for part in self.options.parts:
                if part != "idle":
                    getattr(self, f"measure_{part}")()

    def boot(self):
        self.say("booting Debian 12")
        self.guest.wait_boot()
        self.guest.run(KEEP_DIRTY)
        self.guest.run("systemctl stop kfreezed kfreeze-monitor", 60)
        self.guest.spawn(f"exec {PROGRAMS}/clock"
                         f" /dev/virtio-ports/{CLOCK_PORT}")
        self.clock = GuestClock(self.guest.connect(CLOCK_PORT))
        self.agents = Agents(self.guest)
        self.disks = BenchDisks(self.guest)
        if self.options.trace:
            self.trace = GuestTrace(self.guest, self.options.trace)

    def measure_idle(self):
        """One agent at a time: what they share is private to none."""
        self.say("memory and wake-ups of each agent alone")
        private = self.row("private memory", "KiB", targets((1.0, 1.0)))
        shared = self.row("proportional memory (PSS)", "KiB")
        wakeups = self.row(f"wake-ups in {IDLE_SECONDS} s", "", targets((0, 0)),
                           absolute=True)
        for column in COLUMNS:
            self.agents.start(column)
            self.agents.ping_ms(column)
            own, pss = self.agents.private_kib(column)
            private.add(column, own)
            shared.add(column, pss)
            wakeups.add(column, self.agents.wakeups(column, IDLE_SECONDS))
            self.agents.stop(column)

    def measure_ping(self):
        self.say(f"{PINGS} pings of each")
        row = self.row("ping", "ms", targets((1.0, 1.0)))
        for _ in range(PINGS):
            for column in COLUMNS:
                row.add(column, self.agents.ping_ms(column))

    def measure_clean(self):
        self.disks.make_slices()
        thaws = []
        for count in CLEAN:
            self.disks.mount_clean(count)
            self.say(f"{count} clean filesystems")
            freeze = self.row(f"freeze, {count} clean", "ms",
                              targets(FREEZE_TARGETS.get(count)))
            thaw = Row(f"thaw, {count}", "ms", targets(THAW_TARGETS))
            thaws.append(thaw)
            for column in self.each():
                for _ in range(REPEATS.get(count, 1)):
                    self.cycle_clean(column, freeze, thaw)
        self.rows += thaws
        self.disks.unmount_clean()

    def cycle_clean(self, column, freeze, thaw):
        self.disks.settle()
        if self.trace:
            self.trace.start()
        start, end = self.agents.freeze(column, self.disks.clean)
        freeze.add(column, (end - start) / 1e6)
        start, end = self.agents.thaw(column)
        thaw.add(column, (end - start) / 1e6)
        if self.trace:
            self.trace.stop(f"{column}-{len(self.disks.clean)}")
        self.agents.check_backend(column)

    def measure_dirty(self):
        self.disks.mount_slow()
        ideal = bench_disks.DIRTY_MIB * bench_disks.MIB / bench_disks.SLOW_RATE
        for kind, name in WRITERS.items():
            self.say(f"{bench_disks.SLOW_DISKS} dirty disks, {name} writers")
            rows = {
                "latency": self.row(f"freeze, 8 dirty, {name}", "ms",
                                    targets(DIRTY_TARGETS),
                                    ideal=ideal * 1000),
                "thaw": self.row(f"thaw, 8, {name}", "ms",
                                 targets(THAW_TARGETS)),
                "worst": self.row(f"worst stall, {name}", "ms",
                                  targets(WORST_TARGETS[kind])),
                "median": self.row(f"median stall, {name}", "ms"),
            }
            jobs = self.start_writers(kind)
            for column in self.each():
                self.cycle_dirty(column, rows)
            for job in jobs:
                job.kill()
                job.wait(30)

    def start_writers(self, kind):
        self.guest.run(f"mkdir -p {LOGS}; rm -f {LOGS}/*")
        return [self.guest.spawn(f"exec {PROGRAMS}/writer {kind}"
                                 f" {directory}/own {LOGS}/{number}")
                for number, directory in enumerate(self.disks.slow)]

    def cycle_dirty(self, column, rows):
        self.disks.settle()
        self.disks.dirty()
        self.clock.align()
        freeze = self.agents.freeze(column, self.disks.slow)
        time.sleep(HOLD_SECONDS)
        thaw = self.agents.thaw(column)
        rows["latency"].add(column, (freeze[1] - freeze[0]) / 1e6)
        rows["thaw"].add(column, (thaw[1] - thaw[0]) / 1e6)
        excess = [nanoseconds / 1e6
                  for nanoseconds in self.stalls(freeze, thaw)]
        rows["worst"].add(column, max(excess))
        rows["median"].add(column, statistics.median(excess))
        self.agents.check_backend(column)

    def stalls(self, freeze, thaw):
        """The longest of each writer, in ns."""
        cycle = stalls.Span(self.clock.of(freeze[0]), self.clock.of(thaw[1]))
        hold = stalls.Span(self.clock.of(freeze[1]), self.clock.of(thaw[0]))
        texts = [self.guest.run(f"cat {LOGS}/{number} && : >{LOGS}/{number}")
                 for number in range(len(self.disks.slow))]
        return [stalls.longest(stalls.parse(job.out), cycle, hold)
                for job in texts]


def show(bench):
    met, line = figures.verdict(bench.rows)
    text = "\n".join(figures.table(bench.rows))
    print(f"\n{text}\n\nbench: {line}")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({
        "kernel": bench.guest.release, "rounds": bench.options.rounds,
        "verdict": line, "all_met": met, "rows": figures.as_data(bench.rows),
    }, indent=1) + "\n", encoding="utf-8")
    return met


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default=default_kernel())
    parser.add_argument("--rounds", type=int,
                        default=int(os.environ.get("BENCH_ROUNDS") or 3))
    parser.add_argument("--timeout", type=int)
    parser.add_argument("--trace", type=Path, metavar="DIR",
                        help="leave a trace of clean cycles, of each kind the"
                        " last, for cpu_shares.py")
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="part",
                        help=f"some of: {' '.join(PARTS)}")
    options = parser.parse_args()
    options.timeout = options.timeout or 400 + 200 * options.rounds
    return options


def main():
    bench = Bench(parse_options())
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        with work_dir() as work:
            bench.run(work)
    except FAILURES as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0 if show(bench) else 1


if __name__ == "__main__":
    sys.exit(main())
