#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Processes of a freeze killed with SIGKILL, at each of its steps.

A row of the table is a step, at which a hook or a suspended device holds the
cycle up; a column is a set of processes, killed at once. In every cell nothing
is frozen a second later (two on an emulated CPU that other tests use, too), and
the host hears the truth. KFREEZE_KILLS=all runs the whole table, which has the
machine to itself; without it, all processes die in each row.
"""

import os
import sys
import time
from itertools import chain, combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))

from guest import Guest, build_product      # noqa: E402
from guest_dir import work_dir              # noqa: E402
from guest_host import (DIRECTORIES, HOOK_DIR, LOST, Host,   # noqa: E402
                        check, check_equal, make_disk, without_module)
from guest_suite import Suite               # noqa: E402
from qemu import accelerator                # noqa: E402
from qga_client import AgentError           # noqa: E402

WHOLE_TABLE = os.environ.get("KFREEZE_KILLS") == "all"
SUITE = Suite(__doc__, rounds=2, timeout=3600 if WHOLE_TABLE else 600)
AT_ONCE = 1 if WHOLE_TABLE or accelerator() == "kvm" else 2
PROCESSES = ("agent", "monitor")
GRACE = 2           # for a thaw that does not end: what the freezer gives it
PATIENCE = 30       # for a monitor that is being restarted
CHILDREN = ("freezer", "guard")     # of the ioctl backend, from flush to thaw

# Steps: what holds the cycle up there, and by which kernel function of a task
# it is known that it does.
HELD_BY_HOOK = {"freeze-hooks": "freeze", "thaw-hooks": "thaw"}
HELD_BY_DEVICE = {
    "flush": ("lower", "syncfs|kfreeze_flush"),
    "upper-level": ("upper", "ext4_freeze"),
    "lower-level": ("lower", "ext4_freeze"),
    "thaw": ("lower", "ext4_unfreeze"),
}
STEPS = ("freeze-hooks", "flush", "upper-level", "lower-level", "frozen",
         "thaw", "thaw-hooks")
STACKED = {"lower": "/srv/lower", "upper": "/srv/upper"}    # on dm devices
HEALTHY = ("/srv", *DIRECTORIES)
EVERYTHING = len(HEALTHY) + len(STACKED)
# The upper one lies on a file of another target. No barriers: a suspended
# device must not hold up the flush of what is clean.
MAKE_STACKED = """\
set -e
truncate -s 24M /srv/b/upper.img && mke2fs -q -t ext4 /srv/b/upper.img
mk() {
    dmsetup create $1 --table "0 $(blockdev --getsz $2) linear $2 0"
    mkdir /srv/$1 && mount -o barrier=0 /dev/mapper/$1 /srv/$1
}
mk lower /dev/vde
mk upper $(losetup -f --show /srv/b/upper.img)
mkfifo /run/at.fifo /run/go.fifo
"""
HOOK = f"""\
#!/bin/sh
[ "$1" = "$(cat /run/hold)" ] || exit 0
echo >/run/at.fifo
read -r line </run/go.fifo
"""
# Twice in a row: it is not only passing by.
WAIT_FOR = """\
seen=0
while [ $seen -lt 2 ]; do
    if grep -qsE '{pattern}' /proc/[0-9]*/task/[0-9]*/stack; then
        seen=$((seen + 1))
    else
        seen=0
    fi
    sleep 0.05
done
"""
# Stopped first, so that none of them sees another one's end. A writer which
# comes too late tells so by its time.
KILL = """\
pids="{pids}"
for name in {names}; do
    pids="$pids $(pgrep -x $name)" || exit 1
done
for dir in {dirs}; do
    {{ echo >>$dir/probe; read -r up idle </proc/uptime; echo $dir $up; }} &
done
kill -STOP $pids && kill -KILL $pids
read -r up idle </proc/uptime
echo killed $up
wait
"""
WRITE = "echo >>{dir}/probe && read -r up idle </proc/uptime && echo $up"


class Cell:
    """One freeze, from its start to whatever comes of it."""

    def __init__(self, host, step, victims):
        self.host, self.guest = host, host.guest
        self.step, self.victims = step, victims
        self.device, self.pattern = HELD_BY_DEVICE.get(step, (None, None))
        self.worst = 0          # seconds from the kill to a write
        self.asked = self.killed = self.let_go_at = 0   # the host's clock
        # of the last cell's victims one may be on its way back
        self.guest.run("systemctl start kfreezed kfreeze-monitor", 60)
        self.thaw_again()
        self.pids = {name: host.main_pid(unit) for name, unit in
                     zip(PROCESSES, ("kfreezed", "kfreeze-monitor"))}

    def suspend(self):
        self.guest.run(f"dmsetup suspend --nolockfs --noflush {self.device}")

    def resume(self):
        self.guest.run(f"dmsetup resume {self.device}")

    def reach(self):
        """Bring the cycle to the step, where it stays."""
        self.guest.run(f"sync; echo {HELD_BY_HOOK.get(self.step)} >/run/hold")
        if self.step == "flush":
            self.guest.run(f"echo dirty >>{STACKED[self.device]}/data")
        if self.device and self.step != "thaw":
            self.suspend()
        self.host.agent.send_command("guest-fsfreeze-freeze", ident="freeze")
        if self.step in ("frozen", "thaw", "thaw-hooks"):
            check_equal(self.host.agent.wait_result(60, "freeze"), EVERYTHING)
        if self.step == "thaw":
            self.suspend()
        if self.step in ("thaw", "thaw-hooks"):
            self.asked = time.monotonic()
            self.host.agent.send_command("guest-fsfreeze-thaw", ident="thaw")
        if self.step in HELD_BY_HOOK:
            self.guest.run("read -r line </run/at.fifo", 60)
        elif self.device:
            self.guest.run(WAIT_FOR.format(pattern=self.pattern), 60)

    def kill(self):
        """All but what is held up is writable at once."""
        free = [path for name, path in STACKED.items() if name != self.device]
        job = self.guest.spawn(KILL.format(
            pids=" ".join(str(self.pids[name]) for name in self.victims
                          if name in self.pids),
            names=" ".join(f"kfreeze-{name}" for name in self.victims
                           if name in CHILDREN),
            dirs=" ".join([*HEALTHY, *free])))
        check(job.wait(15), f"still frozen: {job.out}")
        self.killed = time.monotonic()
        check_equal(job.code, 0)
        times = dict(line.split() for line in job.out.splitlines())
        killed = float(times.pop("killed"))
        check_equal(len(times), len(HEALTHY) + len(free))
        took = {path: float(up) - killed for path, up in times.items()}
        self.worst = max(took.values())
        check(self.worst < AT_ONCE, took)

    def let_go(self):
        """What was held up is writable at once, too."""
        if self.device:
            resumed = float(self.guest.run("dmsetup resume " + self.device +
                                           "; read -r up idle </proc/uptime"
                                           " && echo $up").out)
            job = self.guest.spawn(WRITE.format(dir=STACKED[self.device]))
            check(job.wait(15), f"{self.device} is still frozen")
            took = float(job.out) - resumed
            self.worst = max(self.worst, took)
            check(took < AT_ONCE, took)
        elif self.step in HELD_BY_HOOK:
            self.guest.run("pkill -x 10-hold; echo >/run/hold", check=False)
        self.let_go_at = time.monotonic()

    def check_answer(self, asked):
        """A freeze has failed. A thaw that the monitor, or the freezer, did not
        live to finish is a lost freeze, whatever was thawed by then: nobody can
        say for how long it held. The guard alone is not missed. What is held up
        for longer than GRACE is not counted in the answer, which may then be
        older than the kill. True if the host was told of the loss."""
        lost = not {"monitor", "freezer"}.isdisjoint(self.victims)
        waited = (self.killed if lost else self.let_go_at) - self.asked
        wanted = set() if lost else {EVERYTHING}
        if self.device and waited > GRACE:
            wanted.add(EVERYTHING - 1)
        try:
            value = self.host.agent.wait_result(60, asked)
        except AgentError as error:
            check(asked == "freeze" or (lost and LOST in error.desc),
                  error.desc)
            return asked == "thaw"
        check(asked == "thaw" and value in wanted,
              f"{value} from {asked} after {waited:.1f} s")
        return False

    def check_host(self):
        """Its answers, or what it learns if the agent died without one."""
        asked = "thaw" if self.step in ("thaw", "thaw-hooks") else "freeze"
        told = False
        if "agent" not in self.victims and self.step != "frozen":
            told = self.check_answer(asked)
        self.host.agent.sync(60)
        if self.step == "frozen":
            self.host.check_lost()
        else:
            try:    # nothing that was promised is lost, nor told twice
                check_equal(self.thaw_again(), 0)
            except AgentError as error:
                check(LOST in error.desc and not told, error.desc)
        end = time.monotonic() + PATIENCE
        while self.host.status() != "thawed":
            check(time.monotonic() < end, "the host believes in a freeze")

    def thaw_again(self):
        """Without a monitor there is nobody to say that nothing is frozen."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.host.thaw()
            except AgentError as error:
                if (not error.desc.startswith("kfreeze-monitor ")
                        or time.monotonic() > end):
                    raise

    def run(self):
        try:
            self.reach()
            self.kill()
            self.let_go()
            self.check_host()
        except Exception:
            print("# " + self.story().replace("\n", "\n# "), flush=True)
            self.clean_up()
            raise

    def story(self):
        """What the log has of it."""
        return self.guest.run("journalctl -q -o short-monotonic -n 30"
                              " -u kfreezed -u kfreeze-monitor").out

    def clean_up(self):
        for name in STACKED:
            self.guest.run(f"dmsetup resume {name}", check=False)
        self.guest.run("pkill -x 10-hold; echo >/run/hold", check=False)


def columns(step, backend):
    """The sets of processes that there are at a step."""
    names = PROCESSES
    if backend == "ioctl" and step not in HELD_BY_HOOK:
        names += CHILDREN
    sets = list(chain.from_iterable(combinations(names, size + 1)
                                    for size in range(len(names))))
    return sets if WHOLE_TABLE else sets[-1:]


def row(step):
    def test(host):
        cells = columns(step, host.backend)
        failures, slowest = [], (0, ())
        for victims in cells:
            try:
                cell = Cell(host, step, victims)
                cell.run()
                slowest = max(slowest, (cell.worst, victims))
            except Exception as error:      # the other cells are of interest
                failures.append(f"{'+'.join(victims)}: {error}")
                host.reset()
                host.guest.push(f"{HOOK_DIR}/10-hold", HOOK, 0o755)
        print(f"# {host.backend} {step}: {len(cells) - len(failures)} of"
              f" {len(cells)} cells, writable after at most {slowest[0]:.2f} s"
              f" ({'+'.join(slowest[1])})", flush=True)
        check_equal(failures, [])
    test.__name__ = "killed_at_" + step
    return test


for name in STEPS:
    SUITE.test(row(name))


def reset(host):
    host.reset()
    host.guest.push(f"{HOOK_DIR}/10-hold", HOOK, 0o755)


def run(options):
    with work_dir() as work:
        module = build_product(work / "install", options.kernel)
        guest = Guest("kill", kernel=options.kernel, timeout=options.timeout,
                      install=work / "install", module=module,
                      disks=[make_disk(work / name) for name in "abc"])
        with guest:
            guest.wait_boot()
            for device, directory in zip("cd", DIRECTORIES):
                guest.run(f"mkdir {directory} && mount /dev/vd{device}"
                          f" {directory}")
            guest.run(MAKE_STACKED)
            host = Host(guest)
            yield "kmod.", host, reset
            without_module(host)
            yield "ioctl.", host, reset


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
