#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The main job, end to end: a host takes a consistent copy of a running guest.

A Debian guest writes to five filesystems in a fixed order. The host freezes it
over virtio-serial, copies its disks, thaws it, and proves the copy. Then come
the three failures that hurt people.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "vm"))

import disk_image
import failures
import records
from copies import DISKS, FILESYSTEMS, INNER_IMAGE, Copy
from guest import (PROGRAMS, CommandError, Guest, build_product,
                   default_kernel)
from guest_dir import work_dir
from qemu import Disk, VMError
from qga_client import AgentError, AgentTimeout
from verdicts import Verdicts

DISK_SIZE = 512 << 20           # mkfs.xfs wants 300 MB
STATE = "/run/kfreeze-demo"
WRITER = f"{PROGRAMS}/writer"
FAILURES = (VMError, CommandError, AgentError, AgentTimeout, OSError,
            disk_image.ImageError, subprocess.SubprocessError)


class Demo:
    filesystems = FILESYSTEMS

    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.verdicts = Verdicts()
        self.guest = None
        self.agent = None

    def image(self, fs):
        return self.work / f"{fs.name}.img"

    def make_guest(self):
        say = self.verdicts.say
        install = module = None
        if self.options.agent == "kfreezed":
            say("building kfreeze")
            install = self.work / "install"
            module = build_product(install, self.options.kernel)
            if self.options.backend == "ioctl":
                module = None
        say("making the disks")
        for fs in DISKS:
            with open(self.image(fs), "wb") as disk:
                disk.truncate(DISK_SIZE)
            disk_image.output_of(*fs.mkfs, self.image(fs))
        self.guest = Guest(
            "demo", kernel=self.options.kernel, timeout=self.options.timeout,
            install=install, module=module,
            programs=[Path(__file__).with_name("writer.c")],
            stock_agent=self.options.agent == "stock",
            root=self.image(FILESYSTEMS[0]),
            disks=[Disk(str(self.image(fs)), snapshot=False, serial=fs.name)
                   for fs in DISKS])

    def boot(self):
        self.verdicts.say("booting Debian 12")
        self.guest.wait_boot()
        for fs in DISKS:
            self.guest.run(f"mkdir {fs.directory} && mount"
                           f" /dev/disk/by-id/virtio-{fs.name} {fs.directory}")
        self.guest.run(
            f"truncate -s 64M /srv/xfs{INNER_IMAGE}"
            f" && mke2fs -q -t ext4 /srv/xfs{INNER_IMAGE}"
            " && mkdir /srv/loop"
            f" && mount -o loop /srv/xfs{INNER_IMAGE} /srv/loop")
        self.agent = self.guest.agent()
        self.agent.sync(60)
        info = self.agent.call("guest-info")
        self.verdicts.say(f"the agent answers, version {info['version']}")

    def start_writers(self):
        """One writes to all filesystems in turn, one more to each alone."""
        self.guest.run(f"mkdir {STATE}")
        paths = " ".join(f"{fs.directory}/order" for fs in FILESYSTEMS)
        self.guest.spawn(f"exec {WRITER} {STATE}/order {paths}")
        for fs in FILESYSTEMS:
            self.guest.spawn(f"exec {WRITER} {STATE}/{fs.name}"
                             f" {fs.directory}/alone")
        self.wait_writers({})
        self.verdicts.say(f"{len(FILESYSTEMS) + 1} writers at work on "
                          + ", ".join(fs.directory for fs in FILESYSTEMS))

    def progress(self):
        """What each writer has on stable storage, by its name."""
        output = self.guest.run(f"cd {STATE}; grep -H . *.progress",
                                check=False).out
        return dict(line.split(".progress:") for line in output.splitlines())

    def wait_writers(self, before, timeout=20):
        """Wait until every writer is further than before; False: never."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            now = self.progress()
            if (len(now) == len(FILESYSTEMS) + 1
                    and all(now[name] != before.get(name) for name in now)):
                return True
        return False

    def acknowledged(self):
        return records.acknowledged(self.progress()["order"],
                                    len(FILESYSTEMS))

    def stall(self, moment):
        """The write of the ordered writer that was under way at moment."""
        output = self.guest.run(f"cat {STATE}/order.stalls").out
        for stall in records.parse_stalls(output):
            if stall.start <= moment <= stall.end:
                return stall
        return records.Stall(moment, moment, "none")

    def uptime(self):
        return float(self.guest.run("cat /proc/uptime").out.split()[0])

    def control(self):
        """The proof is worth something only if it can fail."""
        self.verdicts.say("control: copying the disks without a freeze")
        self.guest.run("sync")
        acked = self.acknowledged()
        copy = Copy(self.work, self.work / "control", between=lambda:
                    self.wait_writers(self.progress()))
        found, _ = copy.examine(acked)
        bad = [name for name, problems in found.items() if problems]
        self.verdicts.check("control: an unfrozen copy is caught",
                            len(bad) == len(found), f"bad: {', '.join(bad)}")
        problems = self.replayed_problems(copy)
        self.verdicts.check("control: a journal replay does not help",
                            problems, "; ".join(problems))

    @staticmethod
    def replayed_problems(copy):
        """What remains wrong with the first two after their first mount."""
        counts = []
        try:
            for fs in FILESYSTEMS[:2]:
                copy.replay(fs)
                counts.append(copy.count_records(fs))
        except (disk_image.ImageError, ValueError) as error:
            return [f"{fs.name}: {error}"]
        return records.order_problems(counts, [0, 0])

    def freeze(self):
        """Freeze as a backup service does; how many and how long it took."""
        before = time.monotonic()
        count = self.agent.call("guest-fsfreeze-freeze", timeout=60)
        return count, time.monotonic() - before

    def frozen_copy(self):
        """Copy under a freeze; return the copy and what must be in it."""
        self.verdicts.say("freezing over virtio-serial")
        count, took = self.freeze()
        self.verdicts.check("the host freezes all filesystems",
                            count == len(FILESYSTEMS),
                            f"{count} filesystems in {took:.2f} s")
        moment = self.uptime()
        touch = [self.guest.spawn(f"touch {fs.directory}/late")
                 for fs in FILESYSTEMS]
        reads = self.guest.run("cat /srv/order /srv/*/order | wc -l").out
        before, acked = self.progress(), self.acknowledged()
        self.verdicts.say("copying the disks while they are frozen")
        copy = Copy(self.work, self.work / "copy")
        after = self.progress()
        still = [name for name in before if before[name] == after[name]]
        waiting = [job for job in touch if job.code is None]
        self.verdicts.check(
            "frozen: writers stand still", len(still) == len(before)
            and len(waiting) == len(touch),
            f"{len(still)} of {len(before)} writers and {len(waiting)} of"
            f" {len(touch)} new ones wait")
        self.verdicts.check("frozen: commands and reads work", int(reads) > 0,
                            f"{int(reads)} records read")
        self.thaw(after, touch, moment)
        return copy, acked

    def thaw(self, before, waiting, moment):
        count = self.agent.call("guest-fsfreeze-thaw", timeout=60)
        self.verdicts.check("the host thaws all filesystems",
                            count == len(FILESYSTEMS), f"{count} filesystems")
        went_on = self.wait_writers(before)
        ended = all(job.wait(20) and job.code == 0 for job in waiting)
        self.verdicts.check(
            "thawed: every writer goes on", went_on and ended,
            f"the longest wait was {self.stall(moment).length:.2f} s")

    def check_backend(self):
        cycle = self.agent.call("__org.kfreeze_report")["cycles"][-1]
        self.verdicts.check("the report agrees", cycle["verdict"] == "ok"
                            and cycle["backend"] == self.options.backend,
                            f"{cycle['verdict']}, by {cycle['backend']}")

    def prove(self, copy, acked):
        self.verdicts.say("proving the copy, without mounting it")
        found, counts = copy.examine(acked)
        for fs in FILESYSTEMS:
            problems = found[fs.name]
            self.verdicts.check(f"copy: {fs.name} ({fs.kind}) is clean",
                                not problems,
                                "; ".join(problems) or "no replay needed")
        self.verdicts.check("copy: the order of all writes holds",
                            not found["order"], "; ".join(found["order"])
                            or f"records {' >= '.join(map(str, counts))}")

    def run(self):
        try:
            self.make_guest()
            with self.guest:
                self.tell()
        except FAILURES as error:
            self.verdicts.check("the demo comes to its end", False, str(error))
        print(f"\n{self.verdicts.table()}")
        return 0 if self.verdicts.all_hold() else 1

    def tell(self):
        self.boot()
        self.start_writers()
        self.control()
        copy, acked = self.frozen_copy()
        self.prove(copy, acked)
        if self.options.agent == "kfreezed":
            self.check_backend()
            failures.show_all(self)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default=default_kernel())
    parser.add_argument("--backend", choices=("kmod", "ioctl"),
                        default=os.environ.get("BACKEND") or "kmod")
    parser.add_argument("--agent", choices=("kfreezed", "stock"),
                        default="kfreezed",
                        help="stock: Debian's qemu-ga, the main job only")
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("--keep", action="store_true",
                        default=bool(os.environ.get("KEEP")))
    return parser.parse_args()


def main():
    options = parse_options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        with work_dir(options.keep) as work:
            return Demo(options, work).run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
