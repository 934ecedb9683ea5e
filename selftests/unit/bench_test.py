#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does the benchmark count right? Prints KTAP."""

import sys
from pathlib import Path

SELFTESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(SELFTESTS), str(SELFTESTS / "bench")]

import cpu_shares
import figures
import ktap_functions
import stalls
from figures import Row
from stalls import Span


def row(stock, module, target=0.5, **options):
    made = Row("freeze", "ms", {"module": target}, **options)
    made.samples["stock"] += stock
    made.samples["module"] += module
    return made


def equal(seen, wanted):
    assert seen == wanted, f"saw {seen!r}, wanted {wanted!r}"


def medians_are_compared():
    """One outlier on either side changes nothing."""
    made = row([100, 90, 5000], [49, 50, 900])
    equal(made.value("stock"), 100)
    equal(made.ratio(made.value("module")), 0.5)
    equal(made.met("module"), True)


def target_is_missed():
    equal(row([100], [51]).met("module"), False)
    equal(row([100], []).met("module"), False)
    equal(row([], [1]).met("module"), False)
    equal(row([0], [1], target=0, absolute=True).met("module"), False)
    equal(row([0], [0], target=0, absolute=True).met("module"), True)


def row_without_target_is_not_judged():
    equal(row([1], [1]).met("fallback"), None)
    equal(figures.verdict([Row("freeze", "ms")]),
          (False, "0 of 0 targets met"))


def verdict_names_what_is_missed():
    rows = [row([100], [10]), row([100], [90])]
    rows[1].name = "thaw"
    equal(figures.verdict(rows),
          (False, "1 of 2 targets met; missed: module: thaw"))
    equal(figures.verdict(rows[:1]), (True, "1 of 1 targets met"))


def table_shows_a_miss():
    lines = list(figures.table([row([100], [90], ideal=20)]))
    equal(lines[1].split(), ["freeze", "ms", "100", "0.20", "90", "0.90",
                             "<=", "0.5", "MISSED", "-", "-"])


def data_holds_every_sample():
    data = figures.as_data([row([100, 200], [90])])[0]["columns"]
    equal(data["stock"]["samples"], [100, 200])
    equal(data["module"], {"median": 90, "ratio": 0.6, "target": 0.5,
                           "met": False, "samples": [90]})


def stall_is_told_without_the_hold():
    cycle, hold = Span(1000, 4000), Span(2000, 3500)
    rows = [([], 0),
            ([Span(0, 999), Span(4001, 9000)], 0),     # before and after
            ([Span(1900, 3600)], 200),                  # frozen all the hold
            ([Span(1100, 1800)], 700),                  # in the flush
            ([Span(500, 1100), Span(1900, 3600)], 600),
            ([Span(1900, 2500), Span(2600, 3400)], 100),    # did not hold
            ([Span(3900, 4700)], 800)]                  # after the thaw
    for writes, wanted in rows:
        equal(stalls.longest(writes, cycle, hold), wanted)


def log_of_a_writer_is_read():
    equal(stalls.parse("1 5\n7 9\n"), [Span(1, 5), Span(7, 9)])


def cpus_are_shared_out():
    def switch(cpu, seconds, to):
        return (f"  <idle>-0  [{cpu:03}] d..2.  {seconds:.6f}: sched_switch:"
                f" prev_comm=x prev_pid=1 ==> next_comm={to} next_pid=2\n")
    text = "".join([
        "# tracer: nop\n",
        switch(0, 9.0, "guest_exec"), switch(1, 9.0, "swapper/1"),
        switch(0, 10.0, "kfreezed"), switch(0, 10.02, "kworker/u4:3"),
        switch(1, 10.03, "kworker/1:0H"),
        "  kworker/u4:3-77  [000] ...1.  10.060000: flush: dev=253:0 level=0"
        " error=0 ns=30000000\n",
        switch(0, 10.07, "swapper/0"), switch(1, 10.07, "swapper/1")])
    runs, steps = cpu_shares.parse(text)
    seen = [(name, round(start), round(end), [
        (who, round(ms)) for who, ms in cpu_shares.shares(runs, start, end)
        if round(ms)]) for name, start, end in cpu_shares.phases(runs, steps)]
    equal(seen, [("before", 10000, 10030, [
                      ("idle", 30), ("kfreezed", 20),
                      ("kworker, unbound", 10)]),
                 ("flush", 10030, 10060, [
                      ("kworker, unbound", 30), ("kworker, block I/O", 30)])])


TESTS = [medians_are_compared, target_is_missed,
         row_without_target_is_not_judged, verdict_names_what_is_missed,
         table_shows_a_miss, data_holds_every_sample,
         stall_is_told_without_the_hold, log_of_a_writer_is_read,
         cpus_are_shared_out]


if __name__ == "__main__":
    sys.exit(ktap_functions.main(TESTS))
