#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Database servers under load, frozen, copied, and started from the copy.

Prints KTAP. ROUNDS in the environment: how many freezes, 1 by default; with
more, every server is compared with the stock agent and the hook that guides
suggest, else one is.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "vm"))

import databases
import databases_faults
import databases_outage
from databases import DISKS, SERVERS
from guest import CommandError, Guest, build_product, default_kernel
from guest_dir import work_dir
from guest_host import Host
from qemu import Disk, VMError
from qga_client import AgentError, AgentTimeout

LIMIT = 180                     # seconds, for a server to stop or to start
COPIES_PER_GUEST = 7            # of three disks each: a PCI bus has 32 slots
FAILURES = (VMError, CommandError, AgentError, AgentTimeout, OSError,
            subprocess.SubprocessError)


class Results:
    def __init__(self):
        self.number = self.failed = 0
        print("KTAP version 1", flush=True)

    def add(self, name, problems):
        self.number += 1
        self.failed += bool(problems)
        for problem in problems:
            print("# " + problem.replace("\n", "\n# "))
        print(f"{'not ok' if problems else 'ok'} {self.number} {name}",
              flush=True)

    def plan(self):
        """KTAP has it first or last."""
        print(f"1..{self.number}", flush=True)


@dataclass
class Copy:
    name: str
    directory: Path
    acked: dict         # by writer: the last number promised before the copy
    damaged: bool = False       # made without a freeze

    def disks(self):
        return [Disk(str(self.directory / name), snapshot=False,
                     serial=f"{name}-{self.name}") for name in DISKS]


@dataclass
class Cycle:
    copy: Copy
    beyond: dict        # by writer: seconds without a commit, less the hold
    problems: list


class Load:
    """A guest with servers, and a writer for each kind of table."""

    def __init__(self, guest, work, servers):
        self.servers = servers
        self.guest = guest
        self.work = work
        self.host = Host(guest)
        self.jobs = {}

    def start(self):
        databases.mount(self.guest, DISKS)
        for server in self.servers:
            self.guest.run(server.install, 120)
            server.configure(self.guest)
            self.guest.run(server.start, 120)
            server.populate(self.guest)
            for writer in server.writers():
                self.jobs[writer.name] = databases.start_writer(self.guest,
                                                                writer)
        self.wait_commits(20)

    def counts(self):
        return {name: job.nr_lines for name, job in self.jobs.items()}

    def commits(self):
        return {name: databases.parse(job.out)
                for name, job in self.jobs.items()}

    def wait_commits(self, more, timeout=60):
        """Until every writer has committed that many more."""
        self.guest.run("true")  # what was said before has arrived now
        before = self.counts()

        def waiting():
            return [name for name, count in self.counts().items()
                    if count < before[name] + more]

        if not self.guest.pump(lambda: not waiting(), timeout):
            raise self.guest.error("writers stand still: " + ", ".join(
                f"{name} at {before[name]}: {self.jobs[name].err[-200:]}"
                for name in waiting()))

    def acked(self):
        self.guest.run("true")  # what was said before it has arrived now
        return {name: done[-1][0] for name, done in self.commits().items()}

    def copy(self, name, between=lambda: None):
        directory = self.work / name
        directory.mkdir()
        for disk in DISKS:
            subprocess.run(["cp", "--reflink=auto", "--sparse=always",
                            self.work / disk, directory / disk], check=True)
            between()
        return directory

    def gaps(self, before):
        """The longest time without a commit, since there were as many."""
        return {name: databases.longest_gap(done[before[name] - 1:])
                for name, done in self.commits().items()}

    def cycle(self, name, writers=None):
        """Freeze, copy, thaw. @writers: those of interest, all by default."""
        before = self.counts()
        count = self.host.agent.call("guest-fsfreeze-freeze", timeout=LIMIT)
        frozen = time.monotonic()
        directory = self.copy(name)
        acked = self.acked()
        held = time.monotonic() - frozen
        thawed = self.host.agent.call("guest-fsfreeze-thaw", timeout=LIMIT)
        self.wait_commits(20, LIMIT)
        beyond = {name: gap - held for name, gap in self.gaps(before).items()
                  if not writers or name in writers}
        print(f"# {name}: held {held:.2f} s; without a commit beyond that,"
              " seconds: " + ", ".join(f"{name} {gap:.2f}"
                                       for name, gap in beyond.items()),
              flush=True)
        return Cycle(Copy(name, directory, acked), beyond,
                     [] if count == thawed == 1 + len(DISKS)
                     else [f"froze {count}, thawed {thawed}"])

    def problems(self):
        """What the report of the last cycle says."""
        cycle = self.host.last_cycle()
        found = []
        if (cycle["verdict"], cycle["application"]) != ("ok", "ok"):
            found.append(f"verdict {cycle['verdict']}, application"
                         f" {cycle['application']}: {cycle['hooks']}")
        ran = {Path(hook["path"]).name.partition("-")[2]
               for hook in cycle["hooks"]}
        missing = {server.name for server in self.servers} - ran
        if missing:
            found.append(f"no hook ran for {', '.join(missing)}")
        return found

    def control(self):
        """As a backup without an agent has it: one disk after the other."""
        acked = self.acked()
        directory = self.copy("control", between=lambda:
                              self.wait_commits(20))
        return Copy("control", directory, acked, damaged=True)


def examine(results, guest, servers, copy):
    databases.mount(guest, [f"{name}-{copy.name}" for name in DISKS])
    found = []
    for server in servers:
        server.configure(guest)
        problems = databases.examine_server(guest, server, copy.acked)
        found += problems
        if not copy.damaged:
            results.add(f"{copy.name}: {server.name}: all is there, nothing"
                        " is damaged", problems)
    databases.unmount(guest)
    if copy.damaged:
        for problem in found:
            print("# seen: " + problem.replace("\n", "\n# "))
        results.add("without a freeze the damage is seen",
                    [] if found else ["none was seen"])


def make_disk(path, megabytes):
    with open(path, "wb") as disk:
        disk.truncate(megabytes << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", path], check=True)
    return Disk(str(path), snapshot=False, serial=path.name)


def run_load(results, options, work):
    """Returns the copies that were made."""
    module = build_product(work / "install", options.kernel)
    with Guest("databases", kernel=options.kernel, image=options.image,
               timeout=options.timeout, memory=1536, install=work / "install",
               module=module, programs=[Path(__file__).with_name("commits.c")],
               disks=[make_disk(work / name, size)
                      for name, size in DISKS.items()]) as guest:
        guest.wait_boot()
        load = Load(guest, work, SERVERS[options.image])
        load.host.agent.sync(60)
        load.start()
        copies = [load.control()]
        gaps = {name: [] for name in load.jobs}
        for number in range(1, options.rounds + 1):
            cycle = load.cycle(f"round-{number}")
            copies.append(cycle.copy)
            for name, gap in cycle.beyond.items():
                gaps[name].append(gap)
            results.add(f"{cycle.copy.name}: frozen, thawed, all applications"
                        " ok", cycle.problems + load.problems())
        compare(results, options, load, gaps)
        databases_faults.run_all(results, load, options.image)
    return copies


def compare(results, options, load, gaps):
    """In a short run only what is quickest to stop and start."""
    if options.rounds > 1:
        databases_outage.compare(results, load, load.servers, gaps,
                                 databases_outage.ROUNDS)
    elif options.image == "databases":
        databases_outage.compare(results, load,
                                 [databases.PostgreSQL()], gaps, 1)


def run_examiner(results, options, copies):
    with Guest("examiner", kernel=options.kernel, image=options.image,
               timeout=options.timeout, memory=1536,
               disks=[disk for copy in copies
                      for disk in copy.disks()]) as guest:
        guest.wait_boot()
        for copy in copies:
            examine(results, guest, SERVERS[options.image], copy)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default=default_kernel())
    parser.add_argument("--image", choices=SERVERS, default="databases")
    parser.add_argument("--timeout", type=int, default=3600)
    parser.add_argument("--rounds", type=int,
                        default=int(os.environ.get("ROUNDS") or 1))
    return parser.parse_args()


def main():
    options = parse_options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    results = Results()
    with work_dir() as work:
        try:
            copies = run_load(results, options, work)
            while copies:
                run_examiner(results, options, copies[:COPIES_PER_GUEST])
                del copies[:COPIES_PER_GUEST]
        except FAILURES as error:
            print(f"Bail out! {error}")
            return 1
    results.plan()
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
