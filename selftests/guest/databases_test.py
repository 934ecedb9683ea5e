#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Database servers under load, frozen, copied, and started from the copy.

Prints KTAP. ROUNDS in the environment: how many freezes, 1 by default; with
more, the same is done with the stock agent and the hook that guides suggest, for
comparison.
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
from databases import DISKS, SERVERS
from guest import CommandError, Guest, build_product, default_kernel
from guest_dir import work_dir
from guest_host import Host
from qemu import Disk, VMError
from qga_client import AgentError, AgentTimeout

STOCK_ROUNDS = 3
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

    def round(self, name):
        """Freeze, copy, thaw. Returns the copy and a list of problems."""
        before = self.counts()
        count = self.host.freeze()
        frozen = time.monotonic()
        directory = self.copy(name)
        acked = self.acked()
        held = time.monotonic() - frozen
        thawed = self.host.thaw()
        self.wait_commits(20)
        beyond = ", ".join(f"{name} {gap - held:.2f}"
                           for name, gap in self.gaps(before).items())
        print(f"# {name}: held {held:.2f} s; without a commit beyond that,"
              f" seconds: {beyond}", flush=True)
        return Copy(name, directory, acked), self.problems(count, thawed)

    def problems(self, count, thawed):
        """What the report of the last cycle says."""
        cycle = self.host.last_cycle()
        found = []
        if not count == thawed == 1 + len(DISKS):
            found.append(f"froze {count}, thawed {thawed}")
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


class StockLoad(Load):
    """Frozen by qemu-ga, whose hook stops MariaDB and starts it again."""
    hook = """\
#!/bin/sh
[ "$1" = freeze ] && exec systemctl stop mariadb
exec systemctl start mariadb
"""
    unit = """\
[Service]
ExecStart=
ExecStart=/usr/sbin/qemu-ga -F/etc/qemu/fsfreeze-hook
"""

    def start(self):
        self.guest.push("/etc/qemu/fsfreeze-hook.d/mariadb", self.hook, 0o755)
        self.guest.push("/etc/systemd/system/qemu-guest-agent.service.d/"
                        "hook.conf", self.unit)
        # Without its log the script, run by dash, ends with an error.
        self.guest.run("touch /var/log/qga-fsfreeze-hook.log && systemctl"
                       " daemon-reload && systemctl restart qemu-guest-agent")
        self.host.agent.sync(60)
        super().start()

    def problems(self, count, thawed):
        return [] if count == thawed == 1 + len(DISKS) else [
            f"froze {count}, thawed {thawed}"]


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


def make_guest(options, work, **agent):
    return Guest("databases", kernel=options.kernel, image=options.image,
                 timeout=options.timeout, memory=1536,
                 programs=[Path(__file__).with_name("commits.c")],
                 disks=[make_disk(work / name, size)
                        for name, size in DISKS.items()], **agent)


def run_stock(results, options, work):
    work.mkdir()
    with make_guest(options, work, stock_agent=True) as guest:
        guest.wait_boot()
        load = StockLoad(guest, work, SERVERS[options.image])
        load.start()
        for number in range(1, STOCK_ROUNDS + 1):
            copy, problems = load.round(f"stock-{number}")
            results.add(f"{copy.name}: frozen and thawed", problems)


def run_load(results, options, work):
    """Returns the copies that were made."""
    module = build_product(work / "install", options.kernel)
    with make_guest(options, work, install=work / "install",
                    module=module) as guest:
        guest.wait_boot()
        load = Load(guest, work, SERVERS[options.image])
        load.host.agent.sync(60)
        load.start()
        copies = [load.control()]
        for number in range(1, options.rounds + 1):
            copy, problems = load.round(f"round-{number}")
            copies.append(copy)
            results.add(f"{copy.name}: frozen, thawed, all applications ok",
                        problems)
        if options.image == "databases":
            databases_faults.run_all(results, load)
    return copies


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
            if options.image == "databases" and options.rounds > 1:
                run_stock(results, options, work / "stock")
        except FAILURES as error:
            print(f"Bail out! {error}")
            return 1
    results.plan()
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
