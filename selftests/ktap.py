#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run programs that speak KTAP and count what they say.

    ktap.py [--timeout SECONDS] [--jobs N] COMMAND...

Each COMMAND is a shell command line, or "NAME: " and one, where NAME is to
stand in the summary. Its output is passed on: at once, or when it has ended
where several run side by side. A program that says less than it planned, ends
with an error although it reports none, or runs out of time counts as a failure.
The last line is the count; before it stands what failed, with what the program
said of it.
"""

import argparse
import concurrent.futures
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time

PLAN = re.compile(r"^( *)1\.\.(\d+)\s*$")
RESULT = re.compile(r"^( *)(not )?ok (\d+)\s*(?:- )?([^#]*?)\s*"
                    r"(?:#\s*(SKIP\b)?\s*(.*))?$", re.IGNORECASE)
REMARKS = 40            # on one failure, the last ones


class Group:
    """The tests of one level: what was announced and what came."""

    def __init__(self, indent):
        self.indent = indent
        self.planned = None
        self.seen = 0
        self.passed = 0
        self.failures = []
        self.skips = []

    def close(self):
        if self.planned is None:
            self.failures.append("no plan")
        elif self.planned != self.seen:
            self.failures.append(f"{self.planned} planned, {self.seen} seen")

    def add(self, name, group):
        """Count the subtests instead of the test they make up."""
        self.passed += group.passed
        self.failures += [f"{name}: {text}" for text in group.failures]
        self.skips += [f"{name}: {text}" for text in group.skips]


class Parser:
    """Turns lines into counts; a test with subtests is not counted itself."""

    def __init__(self, name):
        self.name = name
        self._groups = [Group(0)]
        self._subtests = None   # closed, and waiting for their test's result
        self._remarks = []      # since the last result

    def feed(self, line):
        plan, result = PLAN.match(line), RESULT.match(line)
        if plan:
            self._group(len(plan[1])).planned = int(plan[2])
        elif result:
            self._result(result)
            self._remarks = []
        elif line.lstrip().startswith("#"):
            self._remarks.append("#   " + line.lstrip(" #"))
        elif line.lstrip().startswith("Bail out!"):
            self._groups[-1].failures.append(line.strip())

    def is_complete(self):
        """Has the program said all that it planned?"""
        top = self._groups[0]
        return top.planned is not None and top.planned == top.seen

    def finish(self):
        """The program has ended; return its counts."""
        top = self._group(0)
        if self._subtests:
            top.add("no result", self._subtests)
        top.close()
        total = Group(0)
        total.planned, total.seen = top.planned, top.seen
        total.add(self.name, top)
        return total

    def _group(self, indent):
        """The group at this depth; deeper ones are over."""
        while self._groups[-1].indent > indent:
            inner = self._groups.pop()
            inner.close()
            if self._groups[-1].indent < indent:
                self._groups.append(Group(indent))
            self._subtests = inner
        if self._groups[-1].indent < indent:
            self._groups.append(Group(indent))
        return self._groups[-1]

    def _result(self, match):
        group = self._group(len(match[1]))
        subtests, self._subtests = self._subtests, None
        name = match[4] or match[3]
        group.seen += 1
        if subtests:
            group.add(name, subtests)
        if subtests and (subtests.failures or not match[2]):
            return
        if match[2]:
            group.failures.append("\n".join([name, *self._remarks[-REMARKS:]]))
        elif match[5]:
            group.skips.append(f"{name}: {match[6]}")
        else:
            group.passed += 1


def lines_until(process, deadline):
    """The lines of a program's output; raises TimeoutError."""
    fd, rest = process.stdout.fileno(), b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise TimeoutError
        data = os.read(fd, 65536)
        *lines, rest = (rest + data).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
        if not data:
            if rest:
                yield rest.decode(errors="replace")
            return


class Screen:
    """Where the programs' lines go: those of one program stay together."""

    def __init__(self, at_once):
        self._at_once = at_once
        self._lock = threading.Lock()

    def start(self, command):
        with self._lock:
            print(f"# {'' if self._at_once else 'started: '}{command}",
                  flush=True)

    def line(self, held, line):
        if self._at_once:
            print(line, flush=True)
        else:
            held.append(line)

    def end(self, command, held, seconds):
        with self._lock:
            if not self._at_once:
                print("\n".join([f"# {command}", *held,
                                 f"# took {seconds:.0f} s"]), flush=True)


class Runner:
    """Runs programs, and ends those under way when it is ended itself."""

    def __init__(self, timeout, jobs):
        self._timeout = timeout
        self._jobs = jobs
        self._screen = Screen(at_once=jobs == 1)
        self._lock = threading.Lock()   # protects the next two
        self._running = set()
        self._ended = False

    def run_all(self, commands):
        """The counts of all programs, in the order of @commands."""
        pool = concurrent.futures.ThreadPoolExecutor(self._jobs)
        try:
            futures = [pool.submit(self._run, command) for command in commands]
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            with self._lock:
                self._ended = True
            for process in list(self._running):
                stop(process)
            pool.shutdown()

    def _run(self, command):
        name, colon, rest = command.partition(": ")
        if colon and " " not in name:
            command = rest
        else:
            name = os.path.basename(command.split()[0])
        held, started = [], time.monotonic()
        self._screen.start(command)
        counts = self._count(Parser(name), command, held)
        self._screen.end(command, held, time.monotonic() - started)
        return counts

    def _count(self, parser, command, held):
        process = self._start(command)
        killed = None
        try:
            for line in lines_until(process, time.monotonic() + self._timeout):
                self._screen.line(held, line)
                parser.feed(line)
            process.wait(self._timeout)
        except (TimeoutError, subprocess.TimeoutExpired):
            killed = f"{parser.name}: killed after {self._timeout:g} s"
        finally:
            stop(process)
            with self._lock:
                self._running.discard(process)
        counts = parser.finish()
        if killed:
            counts.failures.append(killed)
        elif process.returncode and not counts.failures:
            counts.failures.append(
                f"{parser.name}: ended with status {process.returncode}")
        return counts

    def _start(self, command):
        with self._lock:
            if self._ended:
                raise InterruptedError
            process = subprocess.Popen(
                command, shell=True, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, start_new_session=True)
            self._running.add(process)
            return process


def stop(process):
    """TERM first: a program may have a VM or a loop device to give back."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sig)
            process.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def report(results):
    """Print what was skipped, what failed, and the count."""
    total = Group(0)
    for counts in results:
        total.passed += counts.passed
        total.failures += counts.failures
        total.skips += counts.skips
    for text in total.skips:
        print(f"# skipped: {text}")
    for text in total.failures:
        print(f"# failed: {text}")
    print(f"{total.passed} passed, {len(total.failures)} failed, "
          f"{len(total.skips)} skipped", flush=True)
    return not total.failures and total.passed > 0


def main():
    arguments = argparse.ArgumentParser(description="Run KTAP programs.")
    arguments.add_argument("--timeout", type=float, default=120,
                           help="seconds for each program")
    arguments.add_argument("--jobs", type=int, default=1,
                           help="programs that run side by side")
    arguments.add_argument("command", nargs="+")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    runner = Runner(options.timeout, options.jobs)
    return 0 if report(runner.run_all(options.command)) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
